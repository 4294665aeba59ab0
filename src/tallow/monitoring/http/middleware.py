"""ASGI middleware: metrics, correlation ids, error capture, ``/metrics`` and health endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from tallow.monitoring import correlation, request_context
from tallow.monitoring.asgi_types import ASGIApp, Message, Receive, RouteOf, Scope, Send
from tallow.monitoring.health import HEALTH, Health
from tallow.monitoring.health.draining import DRAINING
from tallow.monitoring.http import daphne_access
from tallow.monitoring.http.disconnects import is_disconnect
from tallow.monitoring.http.endpoint_paths import HEALTH_PATH, METRICS_PATH, EndpointPaths
from tallow.monitoring.http.endpoints import Endpoints
from tallow.monitoring.http.exchange import HttpExchange, OnResponse, ResponseRecorder
from tallow.monitoring.http.frameworks import route_source
from tallow.monitoring.http.frameworks.install import INSTALLED
from tallow.monitoring.http.route_templates import REQUEST_KEY, RoutedRequest, RouteSource, path_of
from tallow.monitoring.http.routes import Routes
from tallow.monitoring.http.websocket_exchange import WebSocketExchange
from tallow.monitoring.lifecycle import error_hooks, shutdown, sibling_workers, warn_once
from tallow.monitoring.metrics import METRICS, Metrics
from tallow.monitoring.settings import current_settings
from tallow.monitoring.trace_context import ASGI_NAMES

if TYPE_CHECKING:
    from tallow.monitoring.settings.monitoring_settings import MonitoringSettings

_READ_HEADERS: Final = frozenset({*ASGI_NAMES, b"content-length"})


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
        route_of: returns the route template of a scope, None if no route matched. It replaces what is read
            from the application's framework, and is called when the response is sent.
        source: reads the routes; by default the one for the framework of ``app``.
        on_response: called with method, route template, status and seconds of each HTTP response, also of
            the operational endpoints. It must not wait or raise.
        metrics_path: of the exposition; None to serve none.
        health_path: of the overall health; the other health endpoints are below it. None to serve none.
        settings: returns the settings; by default those of the process.
        owner: kept alive as long as the middleware.
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
        source: RouteSource | None = None,
        on_response: OnResponse | None = None,
        metrics_path: str | None = METRICS_PATH,
        health_path: str | None = HEALTH_PATH,
        settings: Callable[[], MonitoringSettings] = current_settings,
        owner: object = None,
    ) -> None:
        self.app = app
        self.owner = owner
        self._closed = False
        self._metrics = metrics
        paths = EndpointPaths(metrics_path, health_path)
        self._endpoints = Endpoints(metrics, health, metrics_token, health_token, paths, settings)
        self._routes = Routes(metrics, source or route_source(app), route_of)
        self._recorder = ResponseRecorder(metrics, self._routes.template, on_response)
        self._endpoint_recorders = {
            path: ResponseRecorder(metrics, partial(_same, path), on_response)
            for path in self._endpoints.paths.endpoints
        }
        self._runtime = metrics.runtime
        self._prepared = False
        daphne_access.replace_access_log()
        self._runtime.start(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._closed or (REQUEST_KEY in scope and self._is_inside(scope)):
            await self._other_call(scope)(scope, receive, send)
            return
        exchange = self._open(scope, receive, send)
        try:
            if exchange.endpoint is None:
                await self.app(scope, exchange.receive, exchange.send)
            else:
                await self._endpoints.respond(exchange.endpoint, scope, exchange.send)
            if not exchange.recorded:
                exchange.end()
        except BaseException as error:
            if exchange.endpoint is None:
                self._report(error, exchange)
            exchange.end(error)
            raise
        finally:
            DRAINING.end_request(exchange)
            exchange.leave_context()

    def _other_call(self, scope: Scope) -> ASGIApp:
        """What handles a WebSocket or the lifespan, and what is not recorded here.

        It is returned, not called: one more coroutine would wait as long as a WebSocket is open.
        """
        if self._closed or self._is_inside(scope):
            return self.app
        return {"websocket": self._websocket, "lifespan": self._lifespan}.get(scope["type"], self.app)

    def _is_inside(self, scope: Scope) -> bool:
        """Whether a middleware around this one has the same metrics and records the request."""
        outer = scope.get(REQUEST_KEY)
        return isinstance(outer, RoutedRequest) and outer.metrics is self._metrics

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the lifespan; fail startup if the settings are invalid."""
        self._routes.load()
        self._runtime.start(self)
        self._runtime.watch_event_loop()
        problem = self._endpoints.settings_problem()
        if problem is None:
            from tallow.monitoring.logging import ensure_configured  # reads the settings

            ensure_configured()
            self._prepare()
            for path in self._endpoints.paths.endpoints:
                self._serves(path)  # warns of a path that the application has itself
            await self.app(scope, receive, self._closing(send))
        else:
            await receive()
            await send({"type": "lifespan.startup.failed", "message": problem})

    def _prepare(self) -> None:
        """Look for other workers, and configure logging if a server without lifespan has not started it.

        daphne is such a server. Its record of the first request would pass the scrubber otherwise.
        """
        if not self._prepared:
            self._prepared = True
            from tallow.monitoring.logging.pipeline import PIPELINE  # reads the settings

            PIPELINE.configure_before_first_record()
            if not self._metrics.registry.storage.shared:
                sibling_workers.CHECK.start()

    def _closing(self, send: Send) -> Send:
        """Prepare for probes before the start, and flush telemetry and stop measuring before the end.

        The server may end the process right after ``lifespan.shutdown.complete``.
        """

        async def forward(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                await self._endpoints.open()
            elif message["type"] == "lifespan.shutdown.complete":
                self._endpoints.close()
                await asyncio.to_thread(shutdown.flush_all)
                self._runtime.stop(self)
            await send(message)

        return forward

    def _open(self, scope: Scope, receive: Receive, send: Send) -> HttpExchange:
        """Begin to observe a request; :meth:`HttpExchange.leave_context` has to follow."""
        if not self._prepared:
            self._prepare()
        path = path_of(scope)
        recorder = self._endpoint_recorders.get(path)
        endpoint = path if recorder is not None and self._serves(path) else None
        read = []
        for pair in scope.get("headers", ()):  # a comprehension would cost each request a call
            if pair[0] in _READ_HEADERS:
                read.append(pair)  # noqa: PERF401
        binding = correlation.bind_received(read, exemplars=endpoint is None)  # not of scrapes and probes
        length = _first(read, b"content-length") if read else None
        exchange = HttpExchange(recorder or self._recorder, scope, receive, send, binding, length, endpoint)
        scope[REQUEST_KEY] = RoutedRequest(self._metrics, path)
        exchange.enter_context()
        if endpoint is None:
            DRAINING.begin_request(exchange)
            self._runtime.on_request(exchange.started)
            if error_hooks.request_listeners:
                error_hooks.notify_request()
        return exchange

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._prepare()
        scope[REQUEST_KEY] = RoutedRequest(self._metrics, path_of(scope))
        route_of = self._routes.template
        exchange = WebSocketExchange(self._metrics, scope, receive, send, route_of)
        binding = correlation.bind_request(scope.get("headers", ()))
        with binding, request_context.bind(scope, route_of):
            self._runtime.watch_event_loop()
            error_hooks.notify_request()
            try:
                await self.app(scope, exchange.receive, exchange.send)
            except BaseException as error:
                self._report(error, exchange)
                exchange.end(error)
                raise
            exchange.end()

    def _report(self, error: BaseException, exchange: HttpExchange | WebSocketExchange) -> None:
        """Report what the application raised, unless the client has gone."""
        if isinstance(error, Exception) and not (is_disconnect(error) or exchange.disconnected):
            from tallow.monitoring.errors import report_unhandled  # loads the logging part

            report_unhandled(error, self._metrics)

    def _serves(self, path: str) -> bool:
        """Whether an operational endpoint answers a path; the application's own route comes first."""
        if path not in self._endpoints.paths.endpoints:
            return False
        if not self._routes.has_path(path):
            return True
        argument = self._endpoints.paths.arguments[path]
        warn_once.warn_once(
            f"the application has a route {path}, which answers instead of the library's endpoint: "
            f"pass another {argument}=, or None, to instrument()"
        )
        return False

    def close(self) -> None:
        """Stop measuring and answering; later requests go to the application unchanged."""
        self._closed = True
        self._endpoints.close()
        self._runtime.stop(self)
        self.owner = None


def _same(path: str, _scope: Scope) -> str:
    """The route template of an operational endpoint is its path."""
    return path


def _first(headers: list[tuple[bytes, bytes]], wanted: bytes) -> str | None:
    for name, value in headers:
        if name == wanted:
            return value.decode("latin-1")
    return None


def is_instrumented(app: object) -> bool:
    """Whether :func:`instrument` has been called for an application."""
    return isinstance(app, Instrumentation) or bool(getattr(app, INSTALLED, False))
