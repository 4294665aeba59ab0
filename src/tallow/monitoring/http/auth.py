"""Access to operational endpoints: by bearer token or, if none is set, from this machine only."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from typing import Any, Final

PROXY_HEADERS: Final = frozenset(
    {"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
)
"""Headers that a reverse proxy sets. Behind a proxy, every request comes from loopback."""


def is_allowed(token: str | None, headers: Mapping[str, str], client: tuple[str, Any] | None) -> bool:
    """Whether a request is allowed.

    Args:
        token: the bearer token (RFC 6750), compared in constant time. None or empty: only requests from a
            loopback address without a proxy are allowed.
        headers: by lower-case name.
        client: the client's address and port, as in an ASGI scope.

    Example:
        >>> is_allowed("secret-token", {"authorization": "Bearer secret-token"}, ("203.0.113.9", 4711))
        True
        >>> is_allowed(None, {"x-forwarded-for": "203.0.113.9"}, ("127.0.0.1", 4711))
        False
    """
    if token:
        scheme, _, offered = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(offered.strip().encode(), token.encode())
    return client is not None and is_loopback(client[0]) and PROXY_HEADERS.isdisjoint(headers)


def is_loopback(host: str) -> bool:
    """Whether a text is an address in 127.0.0.0/8, ``::1``, or such an IPv4 address mapped into IPv6."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
