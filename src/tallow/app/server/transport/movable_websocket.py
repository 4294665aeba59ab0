"""WebSockets that move to another process of this server while they are open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tallow.app.server.transport.framed_websocket import FramedWebSocket, frame_protocol
from tallow.app.server.transport.frames import text_frame
from tallow.monitoring.http.websocket_exchange import MOVED
from tallow.monitoring.integrations.http_server.connection_table import Connection

ADOPTED: Final = "tallow.adopted"
"""ASGI extension of a WebSocket's scope: another process accepted it."""
_TLS: Final = "sslcontext"


class MovableWebSocket(FramedWebSocket):
    """A WebSocket of which another process can take over the descriptor, unseen by the client.

    The process that accepted it calls :meth:`detach`, passes on :meth:`state`, and calls :meth:`abandon` or
    :meth:`reattach`. The other one creates a protocol with :attr:`adopted` set to the state. It replays the
    handshake, whose response the client has already, and serves the application from the beginning.
    """

    __slots__ = ("_detached", "adopted")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._detached = False
        self.adopted: Mapping[str, str] | None = None

    def count_as(self, connection: Connection) -> None:
        """Count an adopted WebSocket as a connection of the server until it is closed, or :meth:`discard`."""
        self._connection = connection

    def discard(self) -> None:
        """Forget an adopted WebSocket whose descriptor did not come."""
        self._connection.release()

    def detach(self) -> bool:
        """Stop reading; False if the connection cannot move.

        It cannot move with TLS, whose keys are in this process, with messages that wait for the application,
        or with data that is not sent yet.
        """
        is_encrypted = self.transport.get_extra_info(_TLS) is not None
        if is_encrypted or self.descriptor is None or not self.queue.empty():
            return False
        self._detached = True
        self._update_reading()
        return True

    @property
    def descriptor(self) -> int | None:
        """Of the socket, until the next ``await``; None if it closes, or data is not sent yet."""
        transport = self.transport
        if self.close_sent or transport.is_closing() or transport.get_write_buffer_size() > 0:
            return None
        connection: Any = transport.get_extra_info("socket")
        return int(connection.fileno())

    def reattach(self) -> None:
        """Serve the connection in this process after all."""
        self._detached = False
        self._process()

    def abandon(self) -> None:
        """Close the descriptor of this process. The connection goes on in the other one."""
        extensions: Any = self.scope["extensions"]
        extensions[MOVED] = {}
        self._unread, self._position = b"", 0
        self.transport.abort()

    def state(self, first: str) -> dict[str, str]:
        """What the other process needs beside the descriptor, as text in latin-1.

        Args:
            first: the message that the application has received; it will receive it again there.
        """
        unread = text_frame(first.encode()) + bytes(self._unread[self._position :])
        scope = self.scope
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        headers = b"".join(name + b": " + value + b"\r\n" for name, value in scope["headers"])
        request = b"GET " + target + b" HTTP/1.1\r\n" + headers + b"\r\n"
        return {"request": request.decode("latin-1"), "unread": unread.decode("latin-1")}

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self.adopted is not None:
            self._connection.abort, self._connection.is_closing = transport.abort, transport.is_closing
            self.data_received(self.adopted["request"].encode("latin-1"))
            self._unread = self.adopted["unread"].encode("latin-1")

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self.adopted is not None and not self.handshake_complete:
            extensions: Any = self.scope["extensions"]
            extensions[ADOPTED] = {}

    async def send(self, message: Any) -> None:
        if self.adopted is None:
            await super().send(message)
            return
        self.adopted = None
        self.conn.send_response(self.response)  # which the client has
        self.conn.data_to_send()
        self.handshake_complete = True
        self._drop_handshake()
        self.start_keepalive()
        if message["type"] != "websocket.accept":  # refused: the client reads it as the end of the connection
            await super().send(message)
        self._process()

    def _process(self) -> None:
        if not self._detached and self.adopted is None:
            super()._process()

    def _update_reading(self) -> None:
        if self._detached and not self.transport.is_closing():
            self.transport.pause_reading()
        else:
            super()._update_reading()


def movable(scope: Any) -> MovableWebSocket | None:
    """The connection of a WebSocket's scope, if it has the methods to move it."""
    connection = frame_protocol(scope)
    return connection if isinstance(connection, MovableWebSocket) else None


def is_adopted(scope: Any) -> bool:
    """Whether another process accepted this WebSocket. It is not moved again."""
    return ADOPTED in scope.get("extensions", {})
