"""Routes of an application whose framework is not known: what its scope says about them."""

from __future__ import annotations

from collections.abc import Iterable

from tallow.monitoring.asgi_types import Scope
from tallow.monitoring.http.frameworks.starlette import StarletteRoutes
from tallow.monitoring.http.route_templates import KnownRoute, RoutedRequest
from tallow.monitoring.lifecycle import warn_once


class ScopeRoutes:
    """Templates from the scope: Litestar's ``path_template``, or the outermost ``router`` of Starlette.

    A function around an application hides the application, and not what that leaves in the scope.
    """

    def __init__(self) -> None:
        self._router: object = None
        self._routes: StarletteRoutes | None = None

    def routes(self) -> Iterable[KnownRoute]:
        """Return nothing: no route is known before a request."""
        return ()

    def template(self, scope: Scope, request: RoutedRequest) -> str | None:
        """Return the template in the scope; log once if there is none."""
        template = scope.get("path_template")
        if isinstance(template, str) and template:
            return template
        router = scope.get("router")
        if isinstance(getattr(router, "routes", None), (list, tuple)):
            if router is not self._router or self._routes is None:
                self._router, self._routes = router, StarletteRoutes(router)
            return self._routes.template(scope, request)
        if request.metrics is not None:
            warn_once.warn_once(
                "the routes of this application cannot be read: requests are recorded as other; "
                "instrument(app, route_of=...) can name them"
            )
        return None
