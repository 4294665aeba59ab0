"""ASGI middleware: metrics, correlation ids, error capture, ``/metrics`` and health endpoints."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any, Final

from tallow.monitoring import correlation, request_context
from tallow.monitoring.asgi_types import ASGIApp, Message, Receive, RouteOf, Scope, Send
from tallow.monitoring.catalog import OTHER
from tallow.monitoring.health import HEALTH, Health
from tallow.monitoring.http.endpoints import Endpoints
from tallow.monitoring.http.route_templates import RouteTable, path_of
from tallow.monitoring.lifecycle import error_hooks, shutdown, warn_once
from tallow.monitoring.metrics import METRICS, Metrics

_ID_HEADER: Final = correlation.HEADER.lower().encode()
_READ_HEADERS: Final = frozenset({b"traceparent", b"x-request-id", b"content-length"})
_MAX_LENGTH_DIGITS: Final = 20
"""Digits of a plausible Content-Length."""

_INSTRUMENTED: Final = "tallow.monitoring"
"""Key in a scope: the metrics that record it. A mounted application may be instrumented, too."""


class Instrumentation:
    """ASGI middleware around an application.

    Args:
        app: the application.
        metrics: where to record; by default the process's metrics.
        health: the checks behind /api/health; by default the process's.
        metrics_token: bearer token for /metrics; by default the setting ``METRICS_TOKEN``. Without a token,
            only direct requests from this machine are allowed.
        health_token: bearer token for /api/health/detailed; by default ``HEALTH_CHECK_TOKEN``. Without a
            token, only direct requests from this machine are allowed.
        route_of: returns the route template of a scope after the application has responded, None if no route
            matched; for frameworks other than Starlette and FastAPI.
        routed: the object whose ``routes`` are read, if not ``app``.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics = METRICS,
        health: Health = HEALTH,
        metrics_token: str | None = None,
        health_token: str | None = None,
        route_of: RouteOf | None = None,
        routed: object | None = None,
    ) -> None:
        self.app = app
        self._metrics = metrics
        self._endpoints = Endpoints(metrics, health, metrics_token, health_token)
        self._table = RouteTable(routed or app, metrics.register_route)
        self._route_of = route_of or self._table.template
        metrics.runtime.start(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if scope.get(_INSTRUMENTED) is self._metrics:
            await self.app(scope, receive, send)
        elif kind == "http":
            scope[_INSTRUMENTED] = self._metrics
            await self._http(scope, receive, send)
        elif kind == "websocket":
            scope[_INSTRUMENTED] = self._metrics
            request_id = correlation.from_headers(_headers(scope)) or correlation.new_id()
            with correlation.bind(request_id), request_context.bind(scope, self._app_route):
                await self._call_app(scope, receive, send)
        elif kind == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the lifespan; fail startup if the settings are invalid."""
        with suppress(Exception):  # the first request tries again and logs the error
            self._table.load()
        self._metrics.runtime.start(self)
        self._metrics.runtime.watch_event_loop()
        problem = self._endpoints.settings_problem()
        if problem is None:
            from tallow.monitoring.logging import ensure_configured  # reads the settings

            ensure_configured()
            await self.app(scope, receive, self._closing(send))
        else:
            await receive()
            await send({"type": "lifespan.startup.failed", "message": problem})

    def _closing(self, send: Send) -> Send:
        """Flush telemetry and stop measuring before ``lifespan.shutdown.complete`` is forwarded.

        The server may end the process right after that message.
        """

        async def forward(message: Message) -> None:
            if message["type"] == "lifespan.shutdown.complete":
                await asyncio.to_thread(shutdown.flush_all)
                self._metrics.runtime.stop(self)
            await send(message)

        return forward

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        headers = _headers(scope)
        request_id = correlation.from_headers(headers) or correlation.new_id()
        response = _ResponseRecorder(send, request_id)
        length = headers.get("content-length", "")
        body = _BodyCounter(receive) if "content-length" not in headers else None
        exemplars = path_of(scope) not in self._endpoints.paths  # none for scrapes and probes
        with correlation.bind(request_id, exemplars=exemplars), request_context.bind(scope, self._route):
            try:
                route = await self._respond(scope, body or receive, response)
            except BaseException as error:
                if not _is_disconnect(error):
                    response.status = 500
                    self._record(scope, self._app_route(scope), response, started, body or length)
                raise
            self._record(scope, route, response, started, body or length)

    def _record(
        self,
        scope: Scope,
        route: str | None,
        response: _ResponseRecorder,
        started: float,
        body: _BodyCounter | str,
    ) -> None:
        self._metrics.record_http_request(
            scope["method"],
            route or OTHER,
            response.status,
            time.perf_counter() - started,
            body.size if isinstance(body, _BodyCounter) else _content_length(body),
            response.size,
        )

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> str | None:
        """Respond with an operational endpoint or the application; return the route template."""
        path = path_of(scope)
        if path in self._endpoints.paths:
            await self._endpoints.respond(path, scope, send)
            return path
        await self._call_app(scope, receive, send)
        return self._app_route(scope)

    def _route(self, scope: Scope) -> str | None:
        """Return the route template of a request, or the path of an operational endpoint."""
        path = path_of(scope)
        return path if path in self._endpoints.paths else self._app_route(scope)

    def _app_route(self, scope: Scope) -> str | None:
        try:
            return self._route_of(scope)
        except Exception as error:  # noqa: BLE001 - an unknown router; the request has been handled
            warn_once.warn_once(
                "a request's route cannot be determined; it is recorded as other", self._route_of, error
            )
            return None

    async def _call_app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._metrics.runtime.watch_event_loop()
        error_hooks.notify_request()
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            if not _is_disconnect(error):
                from tallow.monitoring.errors import report_unhandled  # loads the logging part

                report_unhandled(error, self._metrics)
            raise


class _ResponseRecorder:
    """Forwards a response, adds the correlation id, and keeps status and size."""

    __slots__ = ("_request_id", "_send", "size", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode()
        self.status = 500  # what a server sends if the application sends nothing
        self.size = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kept = [pair for pair in message.get("headers", ()) if pair[0].lower() != _ID_HEADER]
            message = {**message, "headers": [*kept, (_ID_HEADER, self._request_id)]}
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self._send(message)


class _BodyCounter:
    """Forwards a request's body and counts its bytes, for requests without a Content-Length."""

    __slots__ = ("_receive", "size")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.size = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self.size += len(message.get("body", b""))
        return message


def _is_disconnect(error: BaseException) -> bool:
    """Whether the server stops or the client disconnected, which is not an error of the application.

    Each framework has its own class ``ClientDisconnect``.
    """
    return isinstance(error, asyncio.CancelledError) or type(error).__name__ == "ClientDisconnect"


def _content_length(text: str) -> int:
    valid = text.isascii() and text.isdigit() and len(text) <= _MAX_LENGTH_DIGITS
    return int(text) if valid else 0


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers that every request is read for, by lower-case name."""
    return {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in scope.get("headers", ())
        if name in _READ_HEADERS
    }


def instrument(app: ASGIApp, **options: Any) -> ASGIApp:
    """Add metrics, correlation ids, error capture, ``/metrics`` and health endpoints to an ASGI application.

    A Starlette or FastAPI application is changed in place, outside its own middleware, and returned. Any
    other application is wrapped: give the wrapper to the server. A second call does nothing.

    Args:
        app: the application; it must not have served a request yet.
        options: the keyword arguments of :class:`Instrumentation`.

    Returns:
        The application to serve.

    Raises:
        RuntimeError: a Starlette application has already built its middleware.

    Example:
        >>> async def app(scope, receive, send):
        ...     await send({"type": "http.response.start", "status": 204, "headers": []})
        ...     await send({"type": "http.response.body", "body": b""})
        >>> app = instrument(app, metrics_token="a-long-random-bearer-token")
    """
    build = getattr(app, "build_middleware_stack", None)
    if build is None:
        return app if isinstance(app, Instrumentation) else Instrumentation(app, **options)
    if getattr(build, "instrumented", False):
        return app
    if getattr(app, "middleware_stack", None) is not None:
        raise RuntimeError("instrument(app) must be called before the application serves its first request")

    def instrumented() -> ASGIApp:
        return Instrumentation(build(), routed=app, **options)

    instrumented.instrumented = True  # type: ignore[attr-defined]
    app.build_middleware_stack = instrumented  # type: ignore[attr-defined]
    return app
