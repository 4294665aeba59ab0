"""Routes of Starlette and FastAPI: the matched ``endpoint`` is in the scope, so no path is matched twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from tallow.monitoring.asgi_types import Scope
from tallow.monitoring.http.frameworks.fastapi import expanded
from tallow.monitoring.http.route_templates import KnownRoute, RoutedRequest, match_path, template_from_tail

_MAX_UNKNOWN: Final = 64
"""Endpoints that are remembered as unknown. The routes are read again for each endpoint that is not."""


class StarletteRoutes:
    """The routes of an application or router with a list ``routes``.

    Args:
        app: the application.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._size = -1
        self._routes: list[KnownRoute] = []
        self._by_target: dict[int, list[KnownRoute]] = {}
        self._unknown: dict[int, object] = {}  # the values keep the ids from being used again

    def routes(self) -> Iterable[KnownRoute]:
        """Return all routes, read again if their number has changed."""
        if len(self._app.routes) != self._size:
            self._read()
        return self._routes

    def template(self, scope: Scope, request: RoutedRequest) -> str | None:
        """Return the template that the framework matched, or that of the path if it did not come so far."""
        target = scope.get("endpoint")
        if target is None:
            return match_path(self.routes(), scope, request.path)
        known = self._by_target.get(id(target)) if len(self._app.routes) == self._size else None
        if known is None:
            known = self._routes_to(target)
        if len(known) == 1:
            return known[0].template
        return match_path(known or self.routes(), scope, request.path) or self._from_scope(scope, request)

    def _routes_to(self, target: object) -> list[KnownRoute]:
        """Return the routes of an endpoint; a mounted application with routes of its own has none."""
        self.routes()
        found = self._by_target.get(id(target))
        if found is None and id(target) not in self._unknown and len(self._unknown) < _MAX_UNKNOWN:
            self._unknown[id(target)] = target
            self._read()
            found = self._by_target.get(id(target))
        return found or []

    def _from_scope(self, scope: Scope, request: RoutedRequest) -> str | None:
        """Return the template of a route that the list does not have, as in FastAPI 0.137."""
        route = scope.get("route")
        tail = getattr(route, "path", None)
        # A mount has no endpoint, and its path is not the end of a template.
        if not isinstance(tail, str) or getattr(route, "endpoint", None) is not scope["endpoint"]:
            return None
        return template_from_tail(request.path, tail, scope.get("path_params", {}))

    def _read(self) -> None:
        self._size = len(self._app.routes)
        self._routes, self._by_target = [], {}
        for route in _walk(self._app.routes, ""):
            known = self._by_target.setdefault(id(route.target), [])
            if route.template and route.template not in [other.template for other in known]:
                known.append(route)
            if route.template:
                self._routes.append(route)


def _walk(routes: Any, prefix: str) -> Iterator[KnownRoute]:
    """Yield the routes of an application and of all mounted ones. A mounted application has no template."""
    for route in expanded(routes):
        path = prefix + (getattr(route, "path", None) or "")
        inner = getattr(route, "routes", None)
        if inner:
            yield KnownRoute("", target=getattr(route, "app", None))
            yield from _walk(inner, path)
        elif getattr(route, "endpoint", None) is not None:
            methods = tuple(sorted(getattr(route, "methods", None) or ()))
            regex = None if prefix else getattr(route, "path_regex", None)  # it begins at the last mount
            yield KnownRoute(path, methods, _is_websocket(route), route.endpoint, regex=regex)
        elif hasattr(route, "app"):  # a mounted application without routes, such as static files
            yield KnownRoute(f"{path}/{{path}}", ("GET", "HEAD"), False, route.app, f"{path}/{{path:path}}")


def _is_websocket(route: Any) -> bool:
    original = getattr(route, "original_route", route)  # FastAPI's context of an included route
    return any(cls.__name__ == "WebSocketRoute" for cls in type(original).__mro__)
