"""``instrument(app)``: metrics, correlation, error capture, /metrics and health for any ASGI application."""

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
_WANTED: Final = frozenset({b"traceparent", b"x-request-id", b"content-length"})
_LONGEST: Final = 20
"""Digits of a Content-Length that can be true."""

_SEEN: Final = "tallow.monitoring"
"""In a scope: the metrics that book it already, if an instrumented application is mounted in another."""


class Instrumentation:
    """ASGI middleware around an application.

    Args:
        app: the application.
        metrics: where to record; the process's own by default.
        metrics_token: bearer token for /metrics, by default ``METRICS_TOKEN``; without one it answers this
            machine only.
        health: the checks behind /api/health; the process's own by default.
        health_token: bearer token for /api/health/detailed, by default ``HEALTH_CHECK_TOKEN``; without one
            it answers this machine only.
        route_of: the route template of a scope once the application has answered, for frameworks other than
            Starlette and FastAPI; None where nothing matched.
        routed: the object whose ``routes`` to read, if not ``app`` itself.
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
        if scope.get(_SEEN) is self._metrics:
            await self.app(scope, receive, send)
        elif kind == "http":
            scope[_SEEN] = self._metrics
            await self._http(scope, receive, send)
        elif kind == "websocket":
            scope[_SEEN] = self._metrics
            request_id = correlation.from_headers(_headers(scope)) or correlation.new_id()
            with correlation.bind(request_id), request_context.bind(scope, self._template):
                await self._captured(scope, receive, send)
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
        refusal = self._endpoints.load()
        if refusal is None:
            from tallow.monitoring.logging import ensure_configured  # reads the settings

            ensure_configured()
            await self.app(scope, receive, self._closing(send))
        else:
            await receive()
            await send({"type": "lifespan.startup.failed", "message": refusal})

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
        answer = _Answer(send, request_id)
        length = headers.get("content-length", "")
        body = _Body(receive) if "content-length" not in headers else None
        marks = path_of(scope) not in self._endpoints.paths  # scrapes and probes leave no exemplars
        with correlation.bind(request_id, exemplars=marks), request_context.bind(scope, self._answered_by):
            try:
                route = await self._answered(scope, body or receive, answer)
            except BaseException as error:
                if not _unanswered(error):
                    answer.status = 500
                    self._book(scope, self._template(scope), answer, started, body or length)
                raise
            self._book(scope, route, answer, started, body or length)

    def _book(
        self, scope: Scope, route: str | None, answer: _Answer, started: float, body: _Body | str
    ) -> None:
        if isinstance(body, _Body):
            received = body.size
        else:
            received = int(body) if body.isascii() and body.isdigit() and len(body) <= _LONGEST else 0
        self._metrics.record_http_request(
            scope["method"],
            route or OTHER,
            answer.status,
            time.perf_counter() - started,
            received,
            answer.size,
        )

    def _answered_by(self, scope: Scope) -> str | None:
        """The route template of a request, an operational endpoint's own path among them."""
        path = path_of(scope)
        return path if path in self._endpoints.paths else self._template(scope)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> str | None:
        """Answer with an operational endpoint or the application; the route template that did."""
        path = path_of(scope)
        if path in self._endpoints.paths:
            await self._endpoints.answer(path, scope, send)
            return path
        await self._captured(scope, receive, send)
        return self._template(scope)

    def _template(self, scope: Scope) -> str | None:
        try:
            return self._route_of(scope)
        except Exception as error:  # noqa: BLE001 - a router we know nothing of; the request was answered
            warn_once.warn_once(
                "a request's route cannot be told, it is booked as other", self._route_of, error
            )
            return None

    async def _captured(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._metrics.runtime.watch_event_loop()
        error_hooks.notify_request()
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            if not _unanswered(error):
                self._metrics.record_error("internal", "high")
                error_hooks.notify_error(error)
            raise


class _Answer:
    """Sends on, adds the correlation id, and notes status and size."""

    __slots__ = ("_request_id", "_send", "size", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode()
        self.status = 500  # what a server answers for an application that does not
        self.size = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kept = [pair for pair in message.get("headers", ()) if pair[0].lower() != _ID_HEADER]
            message = {**message, "headers": [*kept, (_ID_HEADER, self._request_id)]}
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self._send(message)


class _Body:
    """Receives on and counts, for requests that do not announce their length."""

    __slots__ = ("_receive", "size")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.size = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self.size += len(message.get("body", b""))
        return message


def _unanswered(error: BaseException) -> bool:
    """Whether nobody was there to be answered: the server stops, or the client went away, whatever framework
    says so. No fault of the application's."""
    return isinstance(error, asyncio.CancelledError) or type(error).__name__ == "ClientDisconnect"


def _headers(scope: Scope) -> dict[str, str]:
    """The headers every request is asked for, by lower-case name."""
    return {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in scope.get("headers", ())
        if name in _WANTED
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
