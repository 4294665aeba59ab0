"""The request at hand, as analytics may ask for it: kept for the time of the request and nowhere else."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

from tallow.monitoring.asgi_types import RouteOf, Scope

MAX_USER_AGENT: Final = 400
_REFUSALS: Final = frozenset({b"dnt", b"sec-gpc"})

_scope: ContextVar[Scope | None] = ContextVar("tallow_visitor", default=None)
_route_of: ContextVar[RouteOf | None] = ContextVar("tallow_route_of", default=None)

current = _scope.get
"""The ASGI scope of the request or connection at hand, or None."""


class bind:  # noqa: N801 - reads as the function it would be, at a third of its cost
    """Make ``scope`` the current one inside the block; ``route_of`` tells its route template once the
    application has matched it."""

    __slots__ = ("_given", "_tokens")

    def __init__(self, scope: Scope, route_of: RouteOf | None = None) -> None:
        self._given = scope, route_of

    def __enter__(self) -> None:
        scope, route_of = self._given
        self._tokens = _scope.set(scope), _route_of.set(route_of)

    def __exit__(self, *error: object) -> None:
        token, route_token = self._tokens
        _route_of.reset(route_token)
        _scope.reset(token)


def route() -> str | None:
    """The route template of the request at hand, None where there is none or nothing has matched."""
    scope, route_of = current(), _route_of.get()
    return route_of(scope) if scope is not None and route_of is not None else None


def opts_out() -> bool:
    """Whether who asks does not want to be counted: ``DNT: 1`` or ``Sec-GPC: 1``.

    Source: W3C Tracking Preference Expression; W3C Global Privacy Control.
    """
    scope = current()
    headers = scope["headers"] if scope is not None else ()
    return any(name in _REFUSALS and value.strip() == b"1" for name, value in headers)


def user_agent() -> str | None:
    """The user agent of who asks, printable and of bounded length."""
    scope = current()
    headers = scope["headers"] if scope is not None else ()
    said = next((value for name, value in headers if name == b"user-agent"), b"")
    text = "".join(sign for sign in said.decode("latin-1")[:MAX_USER_AGENT] if " " <= sign <= "~")
    return text.strip() or None


def client_address() -> str | None:
    """The address of who asks, as the server sees it."""
    scope = current()
    client = scope.get("client") if scope is not None else None
    return str(client[0]) if client else None
