"""The current request, in context variables that exist only while it is handled."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

from tallow.monitoring.asgi_types import RouteOf, Scope

MAX_USER_AGENT: Final = 400
_OPT_OUT_HEADERS: Final = frozenset({b"dnt", b"sec-gpc"})

Request = tuple[Scope | None, RouteOf | None]
"""The ASGI scope of a request or connection, and what returns its route template."""
_NO_REQUEST: Final[Request] = (None, None)
_current: ContextVar[Request] = ContextVar("tallow_request", default=_NO_REQUEST)
_finished: ContextVar[Request] = ContextVar("tallow_finished_request", default=_NO_REQUEST)

finished = _finished.get
"""Return the scope and route function of the request that ended last in this context, or two times None.

Granian and gunicorn write their access record after the application has returned.
"""


get_request = _current.get
"""Return the current scope and route function, for :data:`set_request` afterwards."""
set_request = _current.set
set_finished = _finished.set
"""What :class:`bind` does at its begin and end, for the middleware. No tokens: see correlation.bind."""


class bind:  # noqa: N801 - used as a function; @contextmanager takes three times as long
    """Make a scope the current one inside a ``with`` block.

    Args:
        scope: the ASGI scope.
        route_of: returns its route template after the application has matched it.
    """

    __slots__ = ("_outer", "_values")

    def __init__(self, scope: Scope, route_of: RouteOf | None = None) -> None:
        self._values = scope, route_of

    def __enter__(self) -> None:
        self._outer = get_request()
        set_request(self._values)

    def __exit__(self, *error: object) -> None:
        set_request(self._outer)
        set_finished(self._values)


def current() -> Scope | None:
    """Return the ASGI scope of the current request or connection, or None."""
    return _current.get()[0]


def route() -> str | None:
    """Return the route template of the current request, None if there is none or no route matched."""
    scope, route_of = _current.get()
    return route_of(scope) if scope is not None and route_of is not None else None


def opts_out() -> bool:
    """Whether the client does not want to be counted: ``DNT: 1`` or ``Sec-GPC: 1``.

    Sources: W3C Tracking Preference Expression; W3C Global Privacy Control.
    """
    scope = current()
    headers = scope["headers"] if scope is not None else ()
    return any(name in _OPT_OUT_HEADERS and value.strip() == b"1" for name, value in headers)


def user_agent() -> str | None:
    """Return the printable characters of the client's user agent, of bounded length, or None."""
    scope = current()
    headers = scope["headers"] if scope is not None else ()
    header = next((value for name, value in headers if name == b"user-agent"), b"")
    text = "".join(
        character for character in header.decode("latin-1")[:MAX_USER_AGENT] if " " <= character <= "~"
    )
    return text.strip() or None


def client_address() -> str | None:
    """Return the client's address, as the server sees it; None if it is unknown."""
    scope = current()
    client = scope.get("client") if scope is not None else None
    return str(client[0]) if client else None
