"""Routes of Django Channels, which reports none: its routers are asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from tallow.monitoring.asgi_types import Scope
from tallow.monitoring.http.frameworks.django import readable_route
from tallow.monitoring.http.frameworks.unwrap import class_names, unwrapped
from tallow.monitoring.http.route_templates import KnownRoute, RoutedRequest, RouteSource

ROUTER: Final = "channels.routing.URLRouter"


class ChannelsRoutes:
    """The routes of a ``ProtocolTypeRouter``, or of a ``URLRouter``, and of the applications behind them.

    Args:
        app: the router.
        find_source: returns what reads the routes of an application behind it, such as Django's.
    """

    def __init__(self, app: Any, find_source: Callable[[object], RouteSource]) -> None:
        mapping = getattr(app, "application_mapping", None)
        self._apps: dict[str, object] = (
            mapping if isinstance(mapping, dict) else {"http": app, "websocket": app}
        )
        self._find_source = find_source
        self._sources: dict[int, RouteSource] = {}
        # Now, not at a request: Django's handler is changed before the first one.
        for behind in _leaves(self._apps.get("http")):
            self._sources[id(behind)] = find_source(behind)

    def routes(self) -> Iterable[KnownRoute]:
        """Return nothing: routes are registered with their first request, as those of Django."""
        return ()

    def template(self, scope: Scope, request: RoutedRequest) -> str | None:
        """Return the route of the routers, or that of the application behind them if it has its own."""
        app = self._apps.get(scope["type"])
        router = _router(app)
        route, leaf = ("", app) if router is None else _resolve(router, request.path)
        source = self._sources.get(id(leaf))
        if source is not None:
            return source.template(scope, request)
        return readable_route(route) if route and leaf is not None else None


def _router(app: object) -> Any:
    """Return the ``URLRouter`` within an application, None if there is none."""
    return next((one for one in unwrapped(app) if ROUTER in class_names(one)), None)


def _resolve(router: Any, path: str) -> tuple[str, object]:
    """Return the pattern of a path, that of nested routers included, and the application that it leads to."""
    for route in router.routes:
        match = route.pattern.match(path.lstrip("/"))
        if match:
            pattern, nested = str(route.pattern), _router(route.callback)
            if nested is None:
                return pattern, route.callback
            inner, leaf = _resolve(nested, match[0])
            if leaf is not None:
                return pattern + inner, leaf
    return "", None


def _leaves(app: object) -> Iterable[object]:
    """Yield the applications of a known framework to which an application leads."""
    router = _router(app)
    if router is None:
        yield from () if app is None else (app,)
        return
    for route in router.routes:
        for leaf in _leaves(route.callback):
            if any("ASGIHandler" in name for one in unwrapped(leaf) for name in class_names(one)):
                yield leaf
