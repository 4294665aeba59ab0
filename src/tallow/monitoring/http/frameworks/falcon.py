"""Routes of Falcon: ``uri_template`` of the request, after routing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from tallow.monitoring.asgi_types import Scope
from tallow.monitoring.http.regex_templates import simplify_regex
from tallow.monitoring.http.route_templates import KnownRoute, RoutedRequest, match_path, report_route


class FalconRoutes:
    """The routes, static routes and sinks of a Falcon ASGI application.

    Args:
        app: the application.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._routes: list[KnownRoute] | None = None
        app.add_middleware(_TemplateReporter())

    def routes(self) -> Iterable[KnownRoute]:
        """Return all routes, as they are with the first request."""
        if self._routes is None:
            self._routes = list(_inspected(self._app))
        return self._routes

    def template(self, scope: Scope, request: RoutedRequest) -> str | None:
        """Return the template that Falcon matched, or that of the path: of a sink it names none."""
        return request.template or match_path(self.routes(), scope, request.path)


class _TemplateReporter:
    """Falcon middleware: reports the template of each request that has a resource."""

    async def process_resource(self, req: Any, resp: Any, resource: Any, params: Any) -> None:
        report_route(req.scope, req.uri_template)

    async def process_resource_ws(self, req: Any, ws: Any, resource: Any, params: Any) -> None:
        report_route(req.scope, req.uri_template)


def _inspected(app: Any) -> Iterator[KnownRoute]:
    from importlib import import_module

    inspect: Any = sys.modules.get("falcon.inspect") or import_module("falcon.inspect")
    for route in inspect.inspect_routes(app):
        # Falcon adds responders of its own for the other methods, WebSockets included.
        methods = {method.method for method in route.methods if not method.internal}
        if "WEBSOCKET" in methods:
            yield KnownRoute(route.path, websocket=True)
        if requests := sorted(methods - {"WEBSOCKET"}):
            yield KnownRoute(route.path, tuple(requests))
    for static in inspect.inspect_static_routes(app):
        prefix = static.prefix.rstrip("/")
        yield KnownRoute(f"{prefix}/{{path}}", ("GET", "HEAD"), pattern=f"{prefix}/*")
    for sink in inspect.inspect_sinks(app):
        prefix = simplify_regex(sink.prefix).rstrip("/")
        if sink.prefix.endswith("$"):  # it matches whole paths
            yield KnownRoute(prefix)
        else:
            yield KnownRoute(f"{prefix}/{{path}}", pattern=f"{prefix}*")
