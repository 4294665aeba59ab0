"""uvicorn's WebSocket protocol, hardened against hostile and slow peers."""

from __future__ import annotations

from asyncio import BaseTransport
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from tallow.monitoring.integrations.http_server.connection_table import Connection, ConnectionState

MAX_FRAGMENTS: Final = 1024
CLOSE_TIMEOUT_S: Final = 3.0
"""Wait for a client's answer to a close; uvicorn waits for 10 seconds."""
INVALID_DATA: Final = 1007
MESSAGE_TOO_BIG: Final = 1009
"""Close codes of RFC 6455, section 7.4.1."""


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol with these changes:

    - It answers a handshake that websockets cannot read, such as one with a body or with a header of more
      than 8 KiB. uvicorn would leave that connection open without an answer.
    - It does not read from a peer that does not read: a flood of pings cannot fill memory with pongs.
    - It refuses a message of endless empty fragments.
    - It closes a socket that sends text that is not UTF-8 without an error in the log.
    - It tells the limits on connections when the first message has arrived, and when the socket is closed.
    - It keeps a connection on which data moves, even if a pong is late: under backpressure it waits behind
      the data.
    - Its attributes are slots, uvicorn's included: an instance with more than 30 attributes has a dictionary
      of its own of 1.6 kB. Attributes that a newer uvicorn adds are in one.
    """

    __slots__ = (
        *("_connection", "_progress", "_progress_at_ping"),
        *("app", "app_state", "asgi_version", "client", "close_sent", "close_timeout", "close_timer"),
        *("config", "conn", "connections", "curr_msg_data_type", "default_headers", "disconnected"),
        *("frames", "handshake_complete", "handshake_initiated", "initial_response", "last_ping_rtt"),
        *("logger", "loop", "pending_ping_payload", "ping_interval", "ping_sent_at", "ping_timeout"),
        *("ping_timer", "pong_timer", "queue", "read_paused", "request", "response", "root_path"),
        *("scheme", "scope", "server", "tasks", "transport", "writable"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._progress = 0
        self._progress_at_ping = -1
        self._connection = Connection()
        self.close_timeout = CLOSE_TIMEOUT_S

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        handshake = self.transport.get_protocol()  # the HTTP protocol that is being replaced
        self._connection = getattr(handshake, "connection", self._connection)
        self._connection.protocol = None  # frees the HTTP protocol; the table times no WebSocket

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.release()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._progress += 1
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._progress += 1
        super().data_received(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            self._refuse_handshake()  # the first data is always the whole handshake

    def _refuse_handshake(self) -> None:
        response = self.conn.reject(HTTPStatus.BAD_REQUEST, "this WebSocket handshake cannot be read\n")
        self.transport.write(response.serialize())
        self.transport.close()

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= MAX_FRAGMENTS:
            self._fail(MESSAGE_TOO_BIG, "too many fragments")
        else:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                self.frames = [b"".join(self.frames)]
                self.frames[0].decode()
            except UnicodeDecodeError:
                self._fail(INVALID_DATA, "text must be UTF-8")
                return
        self._connection.enter(ConnectionState.ACTIVE)
        super().send_receive_event_to_app()

    def _fail(self, code: int, reason: str) -> None:
        self.frames = []
        self.conn.fail(code, reason)
        self.handle_parser_exception()

    async def receive(self) -> Any:
        message = await super().receive()
        if not self.writable.is_set() and not self.transport.is_closing():
            self.transport.pause_reading()
        return message

    def send_keepalive_ping(self) -> None:
        self._progress_at_ping = self._progress
        super().send_keepalive_ping()

    def keepalive_timeout(self) -> None:
        if self._progress != self._progress_at_ping or self.read_paused:
            self.pong_timer = None
            self.schedule_ping()
        else:
            super().keepalive_timeout()
