"""Routes of Django: the ``resolver_match`` of the request object."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from tallow.monitoring.asgi_types import Scope
from tallow.monitoring.http.regex_templates import simplify_regex
from tallow.monitoring.http.route_templates import REQUEST_KEY, KnownRoute, RoutedRequest


class DjangoRoutes:
    """The routes of Django's ASGI handler.

    They are registered with their first request: a site has more routes than a label may have values, the
    administration's among them.

    Args:
        handler: as returned by ``get_asgi_application()``.
    """

    def __init__(self, handler: Any) -> None:
        handler.request_class = _remembered(handler.request_class)

    def routes(self) -> Iterable[KnownRoute]:
        """Return nothing, see above."""
        return ()

    def template(self, scope: Scope, request: RoutedRequest) -> str | None:
        """Return the route that Django matched, or that of the path if middleware answered first."""
        made = request.framework_request
        match = getattr(made, "resolver_match", None)
        if match is None:
            match = _resolve(getattr(made, "path_info", request.path), getattr(made, "urlconf", None))
        return None if match is None else readable_route(match.route)


@lru_cache(maxsize=2048)
def readable_route(route: str) -> str:
    """Return a route with a leading slash, and without the parts of a regular expression.

    Example:
        >>> readable_route("api/^items/(?P<pk>[0-9]+)/$")
        '/api/items/<pk>/'
    """
    is_regex = any(sign in route for sign in ("(?P<", "^", "$", "\\", "(?:"))
    return "/" + (simplify_regex(route) if is_regex else route).lstrip("/")


def _resolve(path: str, urlconf: Any) -> Any:
    urls: Any = sys.modules.get("django.urls")
    if urls is None:
        return None
    try:
        return urls.resolve(path, urlconf)
    except urls.Resolver404:
        return None


def _remembered(request_class: Any) -> Any:
    """Return a class of requests that are found by their scope."""

    class RememberedRequest(request_class):  # type: ignore[misc]
        def __init__(self, scope: Scope, *arguments: Any, **named: Any) -> None:
            routed = scope.get(REQUEST_KEY)
            if isinstance(routed, RoutedRequest):
                routed.framework_request = self
            super().__init__(scope, *arguments, **named)

    RememberedRequest.__name__ = request_class.__name__
    RememberedRequest.__qualname__ = request_class.__qualname__
    return RememberedRequest
