"""Access to operational endpoints: by bearer token or, if none is set, from this machine only."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final

_PORT: Final = re.compile(r":\d*\Z")
_LABEL: Final = re.compile(r"[a-z0-9_-]+")

PROXY_HEADERS: Final = frozenset(
    {
        *("forwarded", "via", "x-real-ip", "client-ip", "x-client-ip", "x-cluster-client-ip", "x-remote-ip"),
        *("true-client-ip", "cf-connecting-ip", "cf-ray", "cdn-loop", "fastly-client-ip", "fly-client-ip"),
        *("x-azure-clientip", "x-appengine-user-ip", "x-envoy-external-address", "x-original-forwarded-for"),
        *("x-original-host", "x-proxyuser-ip", "x-amz-cf-id", "x-amzn-trace-id", "x-cloud-trace-context"),
    }
)
"""Headers that a reverse proxy or a content delivery network sets, beside those that begin with
``x-forwarded``. Behind a proxy on the same machine, every request comes from loopback."""


def is_allowed(token: str | None, headers: Mapping[str, str], client: tuple[str, Any] | None) -> bool:
    """Whether a request is allowed.

    Args:
        token: the bearer token (RFC 6750), compared in constant time. None or empty: only requests from a
            loopback address without a proxy are allowed, whose Host header no public name can have: a web
            page could otherwise read the response by DNS rebinding.
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
    return (
        client is not None
        and is_loopback(client[0])
        and not any(name in PROXY_HEADERS or name.startswith("x-forwarded") for name in headers)
        and is_local_name(headers.get("host", ""))
    )


def is_local_name(host: str) -> bool:
    """Whether a Host header names this machine: it is missing, an address, or no public name.

    Example:
        >>> is_local_name("localhost:3000"), is_local_name("[::1]:3000"), is_local_name("evil.example:3000")
        (True, True, False)
    """
    name = _PORT.sub("", host.strip().lower()).rstrip(".")
    if not name or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return _LABEL.fullmatch(name) is not None
    return True


def is_loopback(host: str) -> bool:
    """Whether a text is an address in 127.0.0.0/8, ``::1``, or such an IPv4 address mapped into IPv6."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
