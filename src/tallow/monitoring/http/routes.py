"""The route template of each request of one application, within the limit of label values."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from tallow.monitoring.asgi_types import RouteOf, Scope
from tallow.monitoring.catalog import OTHER
from tallow.monitoring.http.route_templates import (
    REQUEST_KEY,
    KnownRoute,
    RoutedRequest,
    RouteSource,
    path_of,
)
from tallow.monitoring.lifecycle import warn_once
from tallow.monitoring.metrics import Metrics

_ALL_METHODS: Final = ("GET",)


class Routes:
    """Finds and registers the templates of an application's requests.

    Args:
        metrics: where templates are registered.
        source: reads them from the application, None if its framework is not known.
        route_of: given by the application instead; the source is not asked then.
    """

    def __init__(self, metrics: Metrics, source: RouteSource | None, route_of: RouteOf | None) -> None:
        self._metrics = metrics
        self._application = source
        self._source = None if route_of is not None else source
        self._route_of = route_of
        self._loaded = False
        self._registered: set[str] = set()
        self._registered_websockets: set[str] = set()

    def load(self) -> None:
        """Register the routes that are known before a request, so that their series begin at 0."""
        self._loaded = True
        with suppress(Exception):  # a request says so in the log
            for route in self._source.routes() if self._source is not None else ():
                self._register(route)

    def template(self, scope: Scope) -> str:
        """Return the template of a request, ``other`` if no route matches or it cannot be found."""
        request = scope.get(REQUEST_KEY)
        try:
            if self._loaded and self._source is not None and isinstance(request, RoutedRequest):
                found = self._source.template(scope, request)
            else:
                found = self._find(scope)
        except Exception as error:  # noqa: BLE001 - an unknown router; the request has been handled
            subject = self._route_of or self._source
            warn_once.warn_once(
                "a request's route cannot be determined; it is recorded as other", subject, error
            )
            return OTHER
        if found is None:
            return OTHER
        websocket = scope["type"] == "websocket"
        if found in (self._registered_websockets if websocket else self._registered):
            return found
        return self._register(KnownRoute(found, (scope.get("method", "GET"),), websocket))

    def has_path(self, path: str) -> bool:
        """Whether the application has a route of its own for exactly this path.

        A route with a parameter, a catch-all and a mounted application do not count. False where routes
        cannot be read.
        """
        try:
            return self._application is not None and _has_path(self._application, path)
        except Exception:  # noqa: BLE001 - an unknown router
            return False

    def _find(self, scope: Scope) -> str | None:
        if self._route_of is not None:
            return self._route_of(scope)
        if not self._loaded:  # a server without lifespan
            self.load()
        if self._source is None:
            return None
        request = scope.get(REQUEST_KEY)
        if not isinstance(request, RoutedRequest):
            request = RoutedRequest(None, path_of(scope))
        return self._source.template(scope, request)

    def _register(self, route: KnownRoute) -> str:
        if route.websocket:
            accepted = self._metrics.register_websocket_route(route.template)
        else:
            accepted = self._metrics.register_route(route.template, route.methods or _ALL_METHODS)
        if accepted:
            (self._registered_websockets if route.websocket else self._registered).add(route.template)
            return route.template
        warn_once.warn_once("a route cannot be a label value; its requests are recorded as other")
        return OTHER


def _has_path(source: RouteSource, path: str) -> bool:
    if any(route.template == path and not route.websocket for route in source.routes()):
        return True
    # Django lists no routes and finds the one of a path. Without metrics, an unknown framework logs nothing.
    scope: Scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    return source.template(scope, RoutedRequest(None, path)) == path
