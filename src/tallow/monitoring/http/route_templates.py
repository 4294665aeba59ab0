"""Route templates of ASGI requests: ``/api/rooms/{id}``, never the raw path.

A template comes from what a framework says about the request that it routed. Where it says nothing, because
middleware answered first, the path is compared with the known templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, Protocol

from tallow.monitoring.asgi_types import Scope

REQUEST_KEY: Final = "tallow.monitoring"
"""Key in a scope: the :class:`RoutedRequest`. A framework that copies the scope keeps the same object."""

_ANYTHING: Final = r".*"
_SEGMENT: Final = r"[^/]+"
_CONVERTERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "int": r"-?[0-9]+",
        "float": r"-?[0-9]+(?:\.[0-9]+)?",
        "decimal": r"-?[0-9]+(?:\.[0-9]+)?",
        "uuid": r"[0-9a-fA-F-]{32,36}",
        "path": _ANYTHING,
    }
)
"""The patterns of converters that frameworks share; any other converter matches one segment."""

_PARAMETER: Final = re.compile(r"\{([^{}/]+)\}|<([^<>/]+)>|/:(\w+)|\*")
"""A parameter in Starlette's, Django's and Werkzeug's, or BlackSheep's syntax."""


class RoutedRequest:
    """What is known of one request's route.

    Attributes:
        metrics: the metrics that record it. A mounted application may be instrumented, too.
        path: the path within the application, as it was before the framework saw it.
        template: the template that the framework reported, None if it has reported none.
        framework_request: the framework's own object, from which a template can be read.
    """

    __slots__ = ("framework_request", "metrics", "path", "template")

    def __init__(self, metrics: object, path: str) -> None:
        self.metrics = metrics
        self.path = path
        self.template: str | None = None
        self.framework_request: Any = None


def report_route(scope: Scope, template: str | None) -> None:
    """Store the template of a request, from a hook in its framework. Requests of others are ignored."""
    request = scope.get(REQUEST_KEY)
    if isinstance(request, RoutedRequest):
        request.template = template


@dataclass(frozen=True, slots=True)
class KnownRoute:
    """One route of an application.

    Attributes:
        template: as the framework writes it, with all prefixes.
        methods: the HTTP methods; empty if it accepts all.
        websocket: whether it is a WebSocket.
        target: what the framework names in the scope's ``endpoint``, None if it names nothing.
        pattern: what the path is compared with, in the syntax of a template; ``template`` if empty.
        regex: what the framework itself compares the path with, in place of ``pattern``.
    """

    template: str
    methods: tuple[str, ...] = ()
    websocket: bool = False
    target: object = None
    pattern: str = ""
    regex: re.Pattern[str] | None = None

    def matches(self, path: str) -> bool:
        """Whether a path belongs to the route."""
        expression = self.regex or compile_template(self.pattern or self.template)
        return expression.fullmatch(path) is not None


class RouteSource(Protocol):
    """Where the templates of one application come from."""

    def routes(self) -> Iterable[KnownRoute]:
        """Return the routes that are known before a request."""

    def template(self, scope: Scope, request: RoutedRequest) -> str | None:
        """Return the template of a request, None if no route matches."""


def match_path(routes: Iterable[KnownRoute], scope: Scope, path: str) -> str | None:
    """Return the template of the first route that has the path and method, else of one that has the path."""
    method, websocket = scope.get("method"), scope["type"] == "websocket"
    partial = None
    for route in routes:
        if route.websocket == websocket and route.matches(path):
            if websocket or not route.methods or method in route.methods:
                return route.template
            partial = partial or route.template
    return partial


def path_of(scope: Scope) -> str:
    """Return the path within the application, without the server's ``root_path``."""
    path: str = scope.get("path", "")
    root: str = scope.get(
        "app_root_path", scope.get("root_path", "")
    )  # app_root_path: before a mount changed it
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


@lru_cache(maxsize=2048)
def compile_template(template: str) -> re.Pattern[str]:
    """Return the pattern of the paths that a template matches.

    Example:
        >>> compile_template("/files/{name}/<int:page>").fullmatch("/files/a/7") is not None
        True
    """
    pattern, position = "", 0
    for found in _PARAMETER.finditer(template):
        pattern += re.escape(template[position : found.start()])
        pattern += f"/{_SEGMENT}" if found[3] else f"({_expression(found[1] or found[2] or ':path')})"
        position = found.end()
    return re.compile(pattern + re.escape(template[position:]), re.DOTALL)


def _expression(parameter: str) -> str:
    """Return the expression of a parameter ``name``, ``name:converter`` or ``converter(...):name``."""
    first, _, second = parameter.partition(":")
    return _CONVERTERS.get(second.strip()) or _CONVERTERS.get(first.partition("(")[0]) or _SEGMENT


def template_from_tail(path: str, tail: str, params: Mapping[str, Any]) -> str | None:
    """Return the template of a path whose end has the template ``tail``.

    FastAPI 0.137 names a route within the included router only. A segment before it is a parameter if its
    text is the value of one; every parameter must be found, so that no value stays in the template.

    Args:
        path: the whole path.
        tail: the template within the router.
        params: all path parameters of the request, by name.

    Example:
        >>> template_from_tail("/shops/7/items/3", "/items/{item}", {"shop": 7, "item": 3})
        '/shops/{shop}/items/{item}'
        >>> template_from_tail("/7/7/items/3", "/items/{item}", {"shop": 7, "shelf": 7, "item": 3})
        '/{shop}/{shelf}/items/{item}'
    """
    named = {(found[1] or "").partition(":")[0] for found in _PARAMETER.finditer(tail)}
    missing = [(str(value), name) for name, value in params.items() if name not in named]
    pattern = compile_template(tail)
    for start in (found.start() for found in re.finditer("/|$", path)):
        if pattern.fullmatch(path, start):
            segments = [_parameter_of(part, missing) for part in path[:start].split("/")]
            return None if missing else "/".join(segments) + tail
    return None


def _parameter_of(segment: str, missing: list[tuple[str, str]]) -> str:
    """Return the first parameter that has the segment as its value, and remove it from ``missing``."""
    found = next((one for one in missing if one[0] == segment), None)
    if found is None:
        return segment
    missing.remove(found)
    return f"{{{found[1]}}}"
