"""Who may read operational endpoints: the holder of a token or, without one, this machine alone."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from typing import Any, Final

PROXY_HEADERS: Final = frozenset(
    {"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
)
"""Headers a reverse proxy sets: behind one, every client comes from loopback."""


def is_allowed(token: str | None, headers: Mapping[str, str], client: tuple[str, Any] | None) -> bool:
    """Whether a request may pass: by bearer token (RFC 6750, compared in constant time) if one is set,
    otherwise from a loopback address and through no proxy. Header names are in lower case."""
    if token:
        scheme, _, offered = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(offered.strip().encode(), token.encode())
    return client is not None and is_loopback(client[0]) and PROXY_HEADERS.isdisjoint(headers)


def is_loopback(host: str) -> bool:
    """Whether a textual address is in 127.0.0.0/8, ::1, or the former mapped into IPv6."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
