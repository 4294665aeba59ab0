"""One HTTP request and its response: observed while they pass, recorded once."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple

from tallow.monitoring import correlation
from tallow.monitoring.asgi_types import Message, Receive, RouteOf, Scope, Send
from tallow.monitoring.catalog import OTHER
from tallow.monitoring.http.disconnects import is_disconnect, send_raises_on_disconnect
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.opentelemetry_api import TRACE_API
from tallow.monitoring.request_context import get_request, set_finished, set_request

_modules: Final = sys.modules
_ID_HEADER: Final = correlation.HEADER.lower().encode()
_ID_LENGTH: Final = len(_ID_HEADER)
"""Also the length of ``content-type``, the other header that is looked for."""
_MAX_LENGTH_DIGITS: Final = 20
"""Digits of a plausible Content-Length."""
_STREAM_TYPES: Final = (b"text/event-stream", b"multipart/x-mixed-replace")
"""Media types of responses without an end of their own: server-sent events, pictures of a camera."""


OnResponse = Callable[[str, str, int, float], object]
"""Receives method, route template, status and seconds of a response."""


class ResponseRecorder(NamedTuple):
    """Where the responses of one application, or of one endpoint, are recorded."""

    metrics: Metrics
    route_of: RouteOf
    """Returns the route template of a request."""
    on_response: OnResponse | None = None
    """Called with each response."""


class HttpExchange:
    """Forwards a request and its response, adds the correlation id, and records the request once.

    A response ends with its last byte: what the application does afterwards changes neither its duration nor
    its status. An event stream is recorded as a WebSocket is, by the time it was open.

    Args:
        recorder: where it is recorded.
        scope: of the request.
        receive: of the server.
        send: of the server.
        binding: of the correlation id that the response returns.
        content_length: the request's header; None if there is none, and the bytes are counted then.
        endpoint: the path if an operational endpoint answers; None if the application does.
    """

    __slots__ = (
        "_binding",
        "_headers",
        "_length",
        "_outer",
        "_receive",
        "_received",
        "_recorder",
        "_request",
        "_scope",
        "_send",
        "_size",
        "_status",
        "_stream",
        "_trailers",
        "disconnected",
        "endpoint",
        "recorded",
        "started",
    )

    def __init__(
        self,
        recorder: ResponseRecorder,
        scope: Scope,
        receive: Receive,
        send: Send,
        binding: correlation.bind,
        content_length: str | None,
        endpoint: str | None = None,
    ) -> None:
        self.started = time.perf_counter()
        self.endpoint = endpoint
        self._recorder = recorder
        self._scope = scope
        self._request = scope, recorder.route_of
        self._receive = receive
        self._send = send
        self._binding = binding
        self._length = None if content_length is None else parse_length(content_length)
        self._received = 0
        self._headers: list[Any] | None = None
        self._status = 500  # what a server sends if the application sends nothing
        self._size = 0
        self._trailers = False
        self._stream: str | None = None
        self.recorded = False
        self.disconnected = False

    def enter_context(self) -> None:
        """Make the request and its correlation id the current ones."""
        self._binding.__enter__()
        self._outer = get_request()
        set_request(self._request)

    def leave_context(self) -> None:
        """Undo :meth:`enter_context`."""
        set_request(self._outer)
        set_finished(self._request)
        self._binding.__exit__()

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
        if self.recorded:
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
            self.recorded = True  # nobody gets this response: it is no error of the application
            return message
        self._status = status = message["status"]
        self._trailers = message.get("trailers", False)
        headers = []
        for pair in message.get("headers", ()):
            if len(pair[0]) == _ID_LENGTH:  # of most headers, the name need not be read
                name = pair[0].lower()
                if name == _ID_HEADER:
                    continue
                if name == b"content-type" and status < 300 and _is_stream(pair[1]):
                    self._open_stream()
            headers.append(pair)
        if TRACE_API in _modules:
            self._binding.follow_span()  # of an instrumentation inside of this one
        headers.append((_ID_HEADER, self._binding.id.encode()))
        self._headers = headers
        return {**message, "headers": headers}

    def _open_stream(self) -> None:
        self._stream = self._recorder.route_of(self._scope) or OTHER
        self.started = time.perf_counter()
        self._recorder.metrics.websocket_opened(self._stream)

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
        if self.recorded:
            return
        self.recorded = True
        duration_s = time.perf_counter() - self.started
        metrics, route_of, on_response = self._recorder
        if self._stream is not None:
            metrics.websocket_closed(self._stream, duration_s)
            if failed:
                metrics.record_api_error(self._stream, self._status)
            return
        method, route = self._scope["method"], route_of(self._scope) or OTHER
        if on_response is not None:
            with suppress(Exception):  # telemetry never harms its host
                on_response(method, route, self._status, duration_s)
        received = self._received if self._length is None else self._length
        metrics.record_http_request(method, route, self._status, duration_s, received, self._size)


def _is_stream(content_type: bytes) -> bool:
    return content_type.lstrip().lower().startswith(_STREAM_TYPES)


def parse_length(text: str) -> int:
    """Return the number of a Content-Length, 0 if it is not plausible."""
    valid = text.isascii() and text.isdigit() and len(text) <= _MAX_LENGTH_DIGITS
    return int(text) if valid else 0
