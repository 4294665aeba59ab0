"""One HTTP request and its response: observed while they pass, recorded once."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from tallow.monitoring import correlation
from tallow.monitoring.asgi_types import Message, Receive, RouteOf, Scope, Send
from tallow.monitoring.catalog import OTHER
from tallow.monitoring.http.disconnects import is_disconnect, send_raises_on_disconnect
from tallow.monitoring.metrics import Metrics

_ID_HEADER: Final = correlation.HEADER.lower().encode()
_MAX_LENGTH_DIGITS: Final = 20
"""Digits of a plausible Content-Length."""
_STREAM_TYPES: Final = (b"text/event-stream", b"multipart/x-mixed-replace")
"""Media types of responses without an end of their own: server-sent events, pictures of a camera."""


OnResponse = Callable[[str, str, int, float], object]
"""Receives method, route template, status and seconds of a response."""


class HttpExchange:
    """Forwards a request and its response, adds the correlation id, and records the request once.

    A response ends with its last byte: what the application does afterwards changes neither its duration nor
    its status. An event stream is recorded as a WebSocket is, by the time it was open.

    Args:
        metrics: where it is recorded.
        scope: of the request.
        receive: of the server.
        send: of the server.
        binding: of the correlation id that the response returns.
        content_length: the request's header; None if there is none, and the bytes are counted then.
        route_of: returns the route template.
        on_response: called with method, route template, status and seconds.
    """

    __slots__ = (
        "_binding",
        "_headers",
        "_length",
        "_metrics",
        "_on_response",
        "_receive",
        "_received",
        "_recorded",
        "_route_of",
        "_scope",
        "_send",
        "_size",
        "_started",
        "_status",
        "_stream",
        "_trailers",
        "disconnected",
    )

    def __init__(
        self,
        metrics: Metrics,
        scope: Scope,
        receive: Receive,
        send: Send,
        binding: correlation.bind,
        content_length: str | None,
        route_of: RouteOf,
        on_response: OnResponse | None = None,
    ) -> None:
        self._started = time.perf_counter()
        self._metrics = metrics
        self._scope = scope
        self._receive = receive
        self._send = send
        self._binding = binding
        self._length = None if content_length is None else parse_length(content_length)
        self._received = 0
        self._route_of = route_of
        self._on_response = on_response
        self._headers: list[Any] | None = None
        self._status = 500  # what a server sends if the application sends nothing
        self._size = 0
        self._trailers = False
        self._stream: str | None = None
        self._recorded = False
        self.disconnected = False

    async def receive(self) -> Message:
        """Receive a message from the server."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.disconnected = True
        elif self._length is None:
            self._received += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        """Send a message of the application; record the request after the last one."""
        kind = message["type"]
        last = False
        if kind == "http.response.body":
            self._size += len(message.get("body", b""))
            last = not (self._trailers or message.get("more_body", False))
        elif kind == "http.response.start":
            message = self._start(message)
        else:
            last = self._is_last(message)
        try:
            await self._send(message)
        except OSError:
            self.disconnected = self.disconnected or send_raises_on_disconnect(self._scope)
            raise
        if last:
            self._record()

    def end(self, error: BaseException | None = None) -> None:
        """Record the request if its response is not complete although the application has ended.

        Args:
            error: what the application raised.
        """
        if self._recorded:
            return
        gone = self.disconnected or (error is not None and is_disconnect(error))
        if gone:
            if self._headers is not None:
                self._record()
            return
        if error is not None:
            self._status = 500
        self._record(failed=error is not None)

    def _start(self, message: Message) -> Message:
        if self.disconnected:
            self._recorded = True  # nobody gets this response: it is no error of the application
            return message
        self._status = status = message["status"]
        self._trailers = message.get("trailers", False)
        kept = []
        for pair in message.get("headers", ()):
            name = pair[0].lower()
            if name == b"content-type" and status < 300 and _is_stream(pair[1]):
                self._open_stream()
            if name != _ID_HEADER:
                kept.append(pair)
        self._binding.follow_span()  # of an instrumentation inside of this one
        kept.append((_ID_HEADER, self._binding.id.encode()))
        self._headers = kept
        return {**message, "headers": kept}

    def _open_stream(self) -> None:
        self._stream = self._route_of(self._scope) or OTHER
        self._started = time.perf_counter()
        self._metrics.websocket_opened(self._stream)

    def _is_last(self, message: Message) -> bool:
        """Whether a message of an extension of ASGI ends the response."""
        kind = message["type"]
        if kind == "http.response.trailers":
            return not message.get("more_trailers", False)
        if kind == "http.response.zerocopysend":
            self._size += message.get("count") or 0
            return not (self._trailers or message.get("more_body", False))
        if kind == "http.response.pathsend":  # the server sends a whole file
            lengths = [pair[1] for pair in self._headers or () if pair[0].lower() == b"content-length"]
            self._size += sum(parse_length(length.decode("latin-1")) for length in lengths[:1])
            return not self._trailers
        return False

    def _record(self, *, failed: bool = False) -> None:
        if self._recorded:
            return
        self._recorded = True
        duration_s = time.perf_counter() - self._started
        if self._stream is not None:
            self._metrics.websocket_closed(self._stream, duration_s)
            if failed:
                self._metrics.record_api_error(self._stream, self._status)
            return
        method, route = self._scope["method"], self._route_of(self._scope) or OTHER
        if self._on_response is not None:
            with suppress(Exception):  # telemetry never harms its host
                self._on_response(method, route, self._status, duration_s)
        self._metrics.record_http_request(
            method,
            route,
            self._status,
            duration_s,
            self._received if self._length is None else self._length,
            self._size,
        )


def _is_stream(content_type: bytes) -> bool:
    return content_type.lstrip().lower().startswith(_STREAM_TYPES)


def parse_length(text: str) -> int:
    """Return the number of a Content-Length, 0 if it is not plausible."""
    valid = text.isascii() and text.isdigit() and len(text) <= _MAX_LENGTH_DIGITS
    return int(text) if valid else 0
