"""Same-origin check against requests from pages of other sites (cross-site request forgery)."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from tallow.app.server.transport.responses import ApiError


def is_same_origin(connection: HTTPConnection) -> bool:
    """Whether a request comes from a page of this server, or from no page.

    A browser sends the origin of its page with every WebSocket and POST (RFC 6455, section 10.2). Origins are
    compared as text (RFC 6454, section 5): one that is malformed, ``null``, or repeated with another value
    belongs to another site. The scheme is not compared, as a proxy may end TLS.
    """
    # Not connection.headers, which a WebSocket would keep as long as it is open.
    headers = Headers(raw=connection.scope["headers"])
    host = headers.get("host", "").strip().lower()
    return all(_authority(origin) == host != "" for origin in headers.getlist("origin"))


def require_same_origin(connection: HTTPConnection) -> None:
    """Refuse a request from a page of another site.

    Raises:
        ApiError: 403.
    """
    if not is_same_origin(connection):
        raise ApiError(403, "bad_origin", "requests from pages of another site are not accepted")


def _authority(origin: str) -> str | None:
    """Host and port of a serialized origin; None if it has none. It is not parsed: parsing can fail."""
    scheme, separator, authority = origin.strip().lower().partition("://")
    return authority if separator and scheme.isalpha() else None
