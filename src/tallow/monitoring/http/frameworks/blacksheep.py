"""Routes of BlackSheep: the match of its router."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from tallow.monitoring.asgi_types import Scope
from tallow.monitoring.catalog import OTHER
from tallow.monitoring.http.route_templates import KnownRoute, RoutedRequest, match_path, report_route

_FALLBACK: Final = b"*"
"""Pattern of the route that answers 404."""


class BlackSheepRoutes:
    """The routes of a BlackSheep application and of those mounted in it.

    Args:
        app: the application.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._observed: list[Any] = []
        self._routes: list[KnownRoute] = []
        self._size = -1

    def routes(self) -> Iterable[KnownRoute]:
        """Return the routes, and observe each router that is not observed yet."""
        size = _count(self._app)
        if size != self._size:
            self._size = size
            self._routes = []
            self._read(self._app, "")
        return self._routes

    def template(self, scope: Scope, request: RoutedRequest) -> str | None:
        """Return the pattern that the router matched, or that of the path if it was not asked."""
        if request.template is not None:
            return None if request.template == OTHER else request.template
        return match_path(self.routes(), scope, request.path)

    def _read(self, app: Any, prefix: str) -> None:
        router = app.router
        if not any(router is other for other in self._observed):
            self._observed.append(router)
            _observe(router, prefix)
        for method, route in _registered(router):
            if route.pattern != _FALLBACK:
                websocket = method.endswith("_WS")
                self._routes.append(KnownRoute(prefix + route.pattern.decode(), (method,), websocket))
        for mounted in _mounted(app):
            path = prefix + mounted.pattern.decode().removesuffix("/*")
            if hasattr(mounted.handler, "router"):
                self._read(mounted.handler, path)
            else:
                self._routes.append(KnownRoute(f"{path}/*"))


def _observe(router: Any, prefix: str) -> None:
    """Report what a router matches."""

    def get_match(request: Any) -> Any:
        match = type(router).get_match(router, request)
        known = match is not None and match.pattern != _FALLBACK
        report_route(request.scope, prefix + match.pattern.decode() if known else OTHER)
        return match

    router.get_match = get_match


def _mounted(app: Any) -> list[Any]:
    return list(getattr(getattr(app, "mount_registry", None), "mounted_apps", ()))


def _count(app: Any) -> int:
    return len(_registered(app.router)) + len(_mounted(app))


def _registered(router: Any) -> list[tuple[str, Any]]:
    """Return methods and routes, those included that wait for the start. BlackSheep 2.0 has none of these."""
    added = [(method.decode(), route) for method, routes in router.routes.items() for route in routes]
    return added + list(getattr(router, "registered_routes", ()))
