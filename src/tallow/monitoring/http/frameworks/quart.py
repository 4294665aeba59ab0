"""Routes of Quart: its signals name the URL rule of a routed request."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from tallow.monitoring.asgi_types import Scope
from tallow.monitoring.http.route_templates import KnownRoute, RoutedRequest, match_path, report_route


class QuartRoutes:
    """The routes of a Quart application.

    Args:
        app: the application.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._size = -1
        self._routes: list[KnownRoute] = []
        signals: Any = sys.modules["quart.signals"]
        # Signals hold their receivers weakly: these methods last as long as this object.
        signals.request_started.connect(self._on_request, app)
        signals.websocket_started.connect(self._on_websocket, app)

    async def _on_request(self, *_sender: object, **_arguments: object) -> None:
        _report(sys.modules["quart"].request)

    async def _on_websocket(self, *_sender: object, **_arguments: object) -> None:
        _report(sys.modules["quart"].websocket)

    def routes(self) -> Iterable[KnownRoute]:
        """Return all rules, read again if their number has changed."""
        rules = list(self._app.url_map.iter_rules())
        if len(rules) != self._size:
            self._size = len(rules)
            self._routes = [
                KnownRoute(rule.rule, tuple(sorted(rule.methods or ())), bool(rule.websocket))
                for rule in rules
            ]
        return self._routes

    def template(self, scope: Scope, request: RoutedRequest) -> str | None:
        """Return the rule that Quart matched, or that of the path if it matched none."""
        return request.template or match_path(self.routes(), scope, request.path)


def _report(connection: Any) -> None:
    rule = connection.url_rule
    if rule is not None:
        report_route(connection.scope, rule.rule)
