"""One WebSocket: the handshake, and how long it was open."""

from __future__ import annotations

import time
from typing import Final

from tallow.monitoring.asgi_types import Message, Receive, RouteOf, Scope, Send
from tallow.monitoring.catalog import OTHER
from tallow.monitoring.http.disconnects import is_disconnect
from tallow.monitoring.metrics import Metrics

MOVED: Final = "tallow.moved"
"""ASGI extension that an application sets in the scope of a WebSocket that goes on in another process. It is
recorded there from then on."""
_REFUSED = 403
"""The status with which a server answers a handshake that the application closes."""


class WebSocketExchange:
    """Forwards the messages of a WebSocket and records it: open ones, their duration, refused handshakes.

    A refused handshake is an HTTP response, and recorded as one.

    Args:
        metrics: where it is recorded.
        scope: of the connection.
        receive: of the server.
        send: of the server.
        route_of: returns the route template.
    """

    __slots__ = (
        "_ended",
        "_metrics",
        "_receive",
        "_route",
        "_route_of",
        "_scope",
        "_send",
        "_size",
        "_started",
        "_status",
        "disconnected",
    )

    def __init__(
        self, metrics: Metrics, scope: Scope, receive: Receive, send: Send, route_of: RouteOf
    ) -> None:
        self._started = time.perf_counter()
        self._metrics = metrics
        self._scope = scope
        self._receive = receive
        self._send = send
        self._route_of = route_of
        self._route: str | None = None  # set while the connection is open
        self._status = 500  # what a server answers if the application does nothing
        self._size = 0
        self._ended = False
        self.disconnected = False

    async def receive(self) -> Message:
        """Receive a message from the server."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self.disconnected = True
            self._close()
        return message

    async def send(self, message: Message) -> None:
        """Send a message of the application."""
        try:
            await self._send(message)
        except OSError:  # a server raises it for a connection that is closed
            self.disconnected = True
            raise
        kind = message["type"]
        if kind == "websocket.accept":
            self._open()
        elif kind == "websocket.close":
            self._status = _REFUSED
            self._close() if self._route is not None else self._refuse()
        elif kind == "websocket.http.response.start":
            self._status = message["status"]
        elif kind == "websocket.http.response.body":
            self._size += len(message.get("body", b""))
            if not message.get("more_body", False):
                self._refuse()

    def end(self, error: BaseException | None = None) -> None:
        """Record the end of the connection if no message was the last one.

        Args:
            error: what the application raised.
        """
        if self._route is not None:
            self._close()
        elif not self.disconnected and (error is None or not is_disconnect(error)):
            if error is not None:
                self._status = 500
            self._refuse()

    def _open(self) -> None:
        if self._route is None and not self._ended:
            self._route = self._route_of(self._scope) or OTHER
            self._started = time.perf_counter()
            self._metrics.websocket_opened(self._route)

    def _close(self) -> None:
        if self._route is not None and not self._ended:
            self._ended = True
            if MOVED in self._scope.get("extensions", ()):
                self._metrics.websocket_moved(self._route)
            else:
                self._metrics.websocket_closed(self._route, time.perf_counter() - self._started)

    def _refuse(self) -> None:
        if not self._ended:
            self._ended = True
            route = self._route_of(self._scope) or OTHER
            duration_s = time.perf_counter() - self._started
            self._metrics.record_http_request("GET", route, self._status, duration_s, 0, self._size)
