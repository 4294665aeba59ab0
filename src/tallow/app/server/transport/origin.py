"""Same-origin check against requests from pages of other sites (cross-site request forgery)."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from tallow.app.server.transport.responses import ApiError


def is_same_origin(connection: HTTPConnection) -> bool:
    """Whether a request comes from a page of this server, or from no page.

    A browser sends the origin of its page with every WebSocket and POST (RFC 6455, section 10.2).
    """
    origin = connection.headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == connection.headers.get("host", "").lower()


def require_same_origin(connection: HTTPConnection) -> None:
    """Refuse a request from a page of another site.

    Raises:
        ApiError: 403.
    """
    if not is_same_origin(connection):
        raise ApiError(403, "bad_origin", "requests from pages of another site are not accepted")
