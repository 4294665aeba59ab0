"""Instrument an application. Importing this module loads neither the middleware nor the metrics."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from tallow.monitoring.settings import process_options

if TYPE_CHECKING:
    from tallow.monitoring.asgi_types import ASGIApp, RouteOf
    from tallow.monitoring.health import Health
    from tallow.monitoring.http.exchange import OnResponse
    from tallow.monitoring.http.middleware import Instrumentation
    from tallow.monitoring.metrics import Metrics
    from tallow.monitoring.settings.monitoring_settings import MonitoringSettings

_METRICS_PATH: Final = "/metrics"
_HEALTH_PATH: Final = "/api/health"


class Monitoring:
    """Monitors an application, a script or a worker until it is closed.

    The first open one that has options decides for the parts that exist once a process: the name of the
    service, its version and the prefix of the variables. A later one with another namespace has metrics of
    its own.

    Args:
        namespace: precedes the names of the metrics; by default ``app``.
        service: the name of the application in logs, traces and error reports; it takes precedence over
            ``SERVICE_NAME``.
        version: the version of the application; it takes precedence over ``RELEASE``.
        catalogs: names of :data:`tallow.monitoring.catalog.CATALOGS` to add to the metrics.
        metrics_path: where the metrics are exposed; None to expose none.
        health_path: of the overall health; the other health endpoints are below it. None to serve none.
        env_prefix: of the variables that are read first.
        metrics_token: bearer token for the metrics; by default the setting ``METRICS_TOKEN``.
        health_token: bearer token for the detailed health; by default ``HEALTH_CHECK_TOKEN``.
        metrics: where to record; by default the process's metrics.
        health: the checks; by default the process's.
        route_of: returns the route template of a scope, None if no route matched.
        on_response: called with method, route template, status and seconds of each HTTP response.
        source: reads the routes; by default the one for the framework of the application.

    Raises:
        ValueError: one line that names the argument and what is accepted.

    Example:
        >>> with Monitoring(service="job") as monitoring:
        ...     monitoring.metrics.record_error("network", "low")
    """

    def __init__(
        self,
        namespace: str | None = None,
        service: str | None = None,
        version: str | None = None,
        catalogs: Iterable[str] = (),
        metrics_path: str | None = _METRICS_PATH,
        health_path: str | None = _HEALTH_PATH,
        env_prefix: str = process_options.PREFIX,
        metrics_token: str | None = None,
        health_token: str | None = None,
        metrics: Metrics | None = None,
        health: Health | None = None,
        route_of: RouteOf | None = None,
        on_response: OnResponse | None = None,
        **options: Any,
    ) -> None:
        from tallow.monitoring import process_telemetry
        from tallow.monitoring.health import HEALTH  # loads asyncio
        from tallow.monitoring.http.endpoint_paths import EndpointPaths

        unknown = sorted(options.keys() - {"source"})
        if unknown:
            raise TypeError(f"Monitoring() has no argument {unknown[0]!r}")
        self._options = process_options.check_options(
            process_options.ProcessOptions(env_prefix, service, version)
        )
        EndpointPaths(metrics_path, health_path)
        self._owned: list[Metrics] = []
        self.metrics: Metrics = self._prepared_metrics(namespace, catalogs, metrics)
        self._arguments: dict[str, Any] = {
            "metrics": self.metrics,
            "health": HEALTH if health is None else health,
            "metrics_path": metrics_path,
            "health_path": health_path,
            "metrics_token": metrics_token,
            "health_token": health_token,
            "route_of": route_of,
            "on_response": on_response,
            "settings": self._settings,
            "owner": self,
            **options,
        }
        self._instrumentations: weakref.WeakSet[Instrumentation] = weakref.WeakSet()
        self._own_settings: MonitoringSettings | None = None
        self._closed = False
        if self._options != process_options.ProcessOptions():
            process_options.claim(self, self._options)
        process_telemetry.open_owner(self)

    def instrument(self, app: ASGIApp) -> ASGIApp:
        """Add metrics, correlation ids, error capture and the endpoints to an ASGI application.

        Args:
            app: the application; it must not have served a request yet. A second call does nothing.

        Returns:
            The application to serve: ``app`` itself where its framework allows it, otherwise a wrapper.

        Raises:
            RuntimeError: a Starlette application has already built its middleware, or this object is closed.
        """
        from tallow.monitoring.http.frameworks import install, route_source
        from tallow.monitoring.http.middleware import Instrumentation, is_instrumented

        if self._closed:
            raise RuntimeError("instrument(app) is not possible: this Monitoring is closed")
        if is_instrumented(app):
            return app
        arguments = {"source": route_source(app), **self._arguments}

        def wrap(inner: ASGIApp) -> ASGIApp:
            made = Instrumentation(inner, **arguments)
            if self._closed:
                made.close()
            else:
                self._instrumentations.add(made)
            return made

        return install(app, wrap)

    def close(self) -> None:
        """Send queued telemetry and stop measuring. Closing twice is allowed. Never raises.

        The instrumented application stays usable, without telemetry. The last open object also stops
        logging, error reports and analytics that began since the first one was opened.
        """
        if self._closed:
            return
        from tallow.monitoring import process_telemetry

        self._closed = True
        for made in list(self._instrumentations):
            with suppress(Exception):
                made.close()
        process_telemetry.close_owner(self)
        self.metrics.runtime.stop(self)
        for metrics in self._owned:
            metrics.close()
        process_options.release(self)

    def __enter__(self) -> Self:
        self.metrics.runtime.start(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _settings(self) -> MonitoringSettings:
        """Return the settings of the endpoints: those of the process if it has the same prefix."""
        from tallow.monitoring.settings import current_settings, load_settings

        if self._options.env_prefix == process_options.current_options().env_prefix:
            return current_settings()
        if self._own_settings is None:
            self._own_settings = load_settings(self._options.env_prefix)
        return self._own_settings

    def _prepared_metrics(
        self, namespace: str | None, catalogs: Iterable[str], metrics: Metrics | None
    ) -> Metrics:
        """Return the metrics with the namespace and the catalogues; new ones if the process's are taken."""
        from tallow.monitoring import process_telemetry
        from tallow.monitoring.metrics import METRICS, Metrics, Registry

        names = _checked_catalogs(catalogs)
        _check_namespace(namespace)
        found = METRICS if metrics is None else metrics
        if namespace is not None and namespace != found.registry.namespace:
            shared = any(other.metrics is found for other in process_telemetry.others(self))
            if metrics is None and shared:
                found = Metrics(Registry(namespace=namespace, catalogs=names))
                self._owned.append(found)
                return found
            found.registry.set_namespace(namespace)
        if names:
            found.registry.add_catalogs(names)
        return found


def instrument(app: ASGIApp, **options: Any) -> ASGIApp:
    """Add metrics, correlation ids, error capture, ``/metrics`` and health endpoints to an ASGI application.

    An application of Starlette, FastAPI, Litestar, Quart, Falcon or BlackSheep is changed in place, outside
    its own middleware, and returned. Any other application, such as Django's handler, is wrapped: give the
    wrapper to the server. A second call does nothing.

    Args:
        app: the application; it must not have served a request yet.
        options: the arguments of :class:`Monitoring`.

    Returns:
        The application to serve.

    Raises:
        RuntimeError: a Starlette application has already built its middleware.
        ValueError: an argument is not valid.

    Example:
        >>> async def app(scope, receive, send):
        ...     await send({"type": "http.response.start", "status": 204, "headers": []})
        ...     await send({"type": "http.response.body", "body": b""})
        >>> app = instrument(app, metrics_token="a-long-random-bearer-token")
    """
    from tallow.monitoring.http.middleware import is_instrumented  # loads metrics, health and asyncio

    return app if is_instrumented(app) else Monitoring(**options).instrument(app)


def _checked_catalogs(catalogs: Iterable[str]) -> list[str]:
    """Return the names of catalogues as a list.

    Raises:
        ValueError: there is no such catalogue.
    """
    from tallow.monitoring.catalog import CATALOGS

    names = [catalogs] if isinstance(catalogs, str) else list(catalogs)
    for name in names:
        if name not in CATALOGS:
            raise ValueError(f"catalogs has {name!r}; accepted: {', '.join(CATALOGS)}")
    return names


def _check_namespace(namespace: str | None) -> None:
    from tallow.monitoring.metrics.names import checked_namespace

    if namespace is not None:
        checked_namespace(namespace)
