"""Routes of Litestar, which leaves the ``path_template`` of a routed request in the scope."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tallow.monitoring.asgi_types import Scope
from tallow.monitoring.http.route_templates import KnownRoute, RoutedRequest, match_path


class LitestarRoutes:
    """The routes of a Litestar application.

    Args:
        app: the application.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._size = -1
        self._routes: list[KnownRoute] = []

    def routes(self) -> Iterable[KnownRoute]:
        """Return all routes, read again if their number has changed."""
        if len(self._app.routes) != self._size:
            self._size = len(self._app.routes)
            self._routes = [_known(route) for route in self._app.routes]
        return self._routes

    def template(self, scope: Scope, request: RoutedRequest) -> str | None:
        """Return the template in the scope. Mounts, other methods and older versions leave none."""
        template = scope.get("path_template")
        if isinstance(template, str) and template:
            return template
        return match_path(self.routes(), scope, request.path)


def _known(route: Any) -> KnownRoute:
    template = route.path_format
    kind = str(getattr(route, "scope_type", "")).rpartition(".")[2].lower()
    handler = getattr(route, "route_handler", None)
    if getattr(handler, "is_mount", False) or getattr(handler, "is_static", False):
        return KnownRoute(f"{template.rstrip('/')}/{{path}}", pattern=f"{template.rstrip('/')}*")
    methods = tuple(sorted(str(method) for method in getattr(route, "methods", ())))
    return KnownRoute(template, methods, kind == "websocket", pattern=route.path)
