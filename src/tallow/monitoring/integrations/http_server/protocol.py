"""uvicorn's HTTP protocols with time limits, a limit on header sizes, and reserved connections."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from tallow.monitoring.integrations.http_server.connection_table import Connection, ConnectionState
from tallow.monitoring.integrations.http_server.limits import MALFORMED, ConnectionLimits
from tallow.monitoring.integrations.http_server.refusing_apps import RateLimitedApp, ReservedApp

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ImportError:  # Windows: httptools is optional
    HttpToolsProtocol = None  # type: ignore[assignment,misc]

MAX_PIPELINED: Final = 8
"""Requests that a client may send before the first one is answered. No browser sends more than one."""

_STATUS: Final = {
    400: b"400 Bad Request",
    408: b"408 Request Timeout",
    431: b"431 Request Header Fields Too Large",
}


class _LimitedConnection:
    """What both protocols share: the state of the connection follows what the parser has read.

    A mixin before :class:`H11Protocol` or :class:`HttpToolsProtocol`.
    """

    connection: Connection
    limits: ConnectionLimits
    transport: asyncio.Transport
    config: Any
    app: Any
    cycle: Any

    def __init__(self, *args: Any, connection: Connection | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.connection = connection or Connection()
        self.limits = getattr(self.config, "connection_limits", None) or ConnectionLimits()
        self._has_data = False
        self._upgraded = False
        self._parse_error = (400, MALFORMED)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)  # type: ignore[misc]
        connection = self.connection
        connection.protocol = self
        connection.abort = transport.abort
        connection.is_closing = transport.is_closing
        connection.unsent_bytes = transport.get_write_buffer_size
        self.app = RateLimitedApp(self.app, connection, self.limits)
        if connection.limit:
            self.app = ReservedApp(self.app, connection, self.limits.operational_paths)

    def connection_lost(self, exc: Exception | None) -> None:
        self.connection.release()
        super().connection_lost(exc)  # type: ignore[misc]

    def data_received(self, data: bytes) -> None:
        self._has_data = True
        if self.connection.state is ConnectionState.IDLE:
            self.connection.enter(ConnectionState.HEADER)
        super().data_received(data)  # type: ignore[misc]

    def pause_writing(self) -> None:
        super().pause_writing()  # type: ignore[misc]
        self.connection.pause_writing()

    def resume_writing(self) -> None:
        super().resume_writing()  # type: ignore[misc]
        self.connection.resume_writing()

    def on_response_complete(self) -> None:
        super().on_response_complete()  # type: ignore[misc]
        if self.connection.state is ConnectionState.ACTIVE and self._is_idle():
            self.connection.enter(ConnectionState.IDLE)

    def handle_websocket_upgrade(self, *event: Any) -> None:
        self._upgraded = True
        self.connection.resume_writing()
        self.connection.upgrade()
        super().handle_websocket_upgrade(*event)  # type: ignore[misc]

    def send_400_response(self, _message: str) -> None:
        """Called by uvicorn with a request that cannot be parsed."""
        self._refuse(*self._parse_error)

    def time_out(self, _limit: str) -> None:
        """Answer 408 if a request has begun, and close the connection."""
        self._close(408 if self._has_data else 0)

    def _refuse(self, status: int, limit: str) -> None:
        self.connection.refuse(limit)
        self._close(status)

    def _close(self, status: int) -> None:
        """Close the connection after a response without a body, unless another response has begun."""
        if self.transport.is_closing():
            return
        cycle = self.cycle
        is_responding = cycle is not None and cycle.response_started and not cycle.response_complete
        if status and not is_responding:
            head = b"HTTP/1.1 " + _STATUS[status] + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            self.transport.write(head)
        self.transport.close()

    def _should_upgrade(self) -> bool:
        # A reserved connection serves the operational endpoints alone; see ReservedApp.
        return not self.connection.limit and super()._should_upgrade()  # type: ignore[misc]

    def _is_idle(self) -> bool:
        """Whether the connection waits for a further request."""
        raise NotImplementedError


class LimitedH11Protocol(_LimitedConnection, H11Protocol):
    """Where httptools is not installed. h11 limits the size of a header itself."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._upgraded:
            return
        state = self.conn.their_state.__name__
        if state == "SEND_BODY":
            self.connection.enter(ConnectionState.BODY)
        elif state != "IDLE" and self.connection.state is not ConnectionState.IDLE:
            self.connection.enter(ConnectionState.ACTIVE)

    def _is_idle(self) -> bool:
        return self.conn.their_state.__name__ == "IDLE"


if HttpToolsProtocol is None:
    LimitedHttpProtocol: type[asyncio.Protocol] = LimitedH11Protocol
else:

    class LimitedHttpToolsProtocol(_LimitedConnection, HttpToolsProtocol):
        """httptools limits neither the size of a header nor the number of pipelined requests."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._in_header = False
            self._unparsed_header_bytes = 0

        def data_received(self, data: bytes) -> None:
            was_in_header = self._in_header
            super().data_received(data)
            if was_in_header and self._in_header:
                self._unparsed_header_bytes += len(data)
                if self._unparsed_header_bytes > self.limits.max_header_bytes:
                    self._refuse(431, "max_header_bytes")

        def on_message_begin(self) -> None:
            self._in_header = True
            self._unparsed_header_bytes = 0
            super().on_message_begin()
            if len(self.pipeline) >= MAX_PIPELINED:
                raise ValueError("too many pipelined requests")  # uvicorn calls send_400_response

        def on_headers_complete(self) -> None:
            self._in_header = False
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > self.limits.max_header_bytes:
                self._parse_error = (431, "max_header_bytes")
                raise ValueError("header too large")  # uvicorn calls send_400_response
            self.connection.enter(ConnectionState.BODY)
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            super().on_message_complete()
            answered = self.cycle is not None and self.cycle.response_complete
            self.connection.enter(ConnectionState.IDLE if answered else ConnectionState.ACTIVE)

        def _is_idle(self) -> bool:
            return not self.pipeline

    LimitedHttpProtocol = LimitedHttpToolsProtocol
