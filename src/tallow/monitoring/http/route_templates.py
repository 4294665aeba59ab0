"""Find the route template of an ASGI request: ``/api/rooms/{id}``, not the raw path.

Starlette and FastAPI leave the matched ``endpoint`` in the scope, so that no path is matched twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from tallow.monitoring.asgi_types import Scope
from tallow.monitoring.catalog import OTHER

Register = Callable[[str, tuple[str, ...]], bool]

_PARAMETER = re.compile(r"{([a-zA-Z_]\w*)(:[a-zA-Z_]\w*)?}")


class RouteTable:
    """The route templates of an application with a ``routes`` list.

    Args:
        app: the application.
        register: called with each template and its methods; returns whether the template may be recorded.
    """

    def __init__(self, app: object, register: Register) -> None:
        self._app = app
        self._register = register
        self._size = -1
        self._templates: dict[int, list[str]] = {}

    def load(self) -> None:
        """Read the routes, if their number has changed."""
        routes = getattr(self._app, "routes", ())
        if len(routes) == self._size:
            return
        self._size = len(routes)
        self._templates = {}
        for target, template, methods in _walk(routes, ""):
            known = self._templates.setdefault(id(target), [])
            if template not in known and self._register(template, methods):
                known.append(template)

    def template(self, scope: Scope) -> str:
        """Return the template that the framework matched, or ``other``."""
        target = scope.get("endpoint")
        if target is None:
            return OTHER
        self.load()
        found = self._templates.get(id(target), ())
        if len(found) <= 1:
            return found[0] if found else OTHER
        path = path_of(scope)
        return next((template for template in found if _pattern(template).fullmatch(path)), OTHER)


def path_of(scope: Scope) -> str:
    """Return the path within the application, without the server's ``root_path``."""
    path: str = scope.get("path", "")
    root: str = scope.get(
        "app_root_path", scope.get("root_path", "")
    )  # app_root_path: before a mount changed it
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


def _walk(routes: Any, prefix: str) -> Iterator[tuple[object, str, tuple[str, ...]]]:
    """Yield endpoint, template and methods of each route, of mounted applications too."""
    for route in routes:
        path = prefix + getattr(route, "path", "")
        inner = getattr(route, "routes", None)
        if inner:
            yield from _walk(inner, path)
        elif hasattr(route, "endpoint"):
            yield route.endpoint, path, tuple(sorted(getattr(route, "methods", None) or ("GET",)))
        elif hasattr(route, "app"):  # a mounted application without routes, such as static files
            yield route.app, f"{path}/{{path}}", ("GET", "HEAD")


def _pattern(template: str) -> re.Pattern[str]:
    pattern, position = "", 0
    for parameter in _PARAMETER.finditer(template):
        pattern += re.escape(template[position : parameter.start()])
        pattern += ".*" if parameter[2] == ":path" else "[^/]+"
        position = parameter.end()
    return re.compile(pattern + re.escape(template[position:]))
