"""Keyed hashes of client addresses, for rate limits. The key is random and is never stored."""

from __future__ import annotations

import hashlib
import ipaddress
import os
from collections.abc import MutableMapping
from typing import Any, Final

IPV6_PREFIX: Final = 64
"""A site is assigned a /64 (RFC 6177): all its addresses count as one client."""


class ClientAddressHasher:
    """Hashes the client address of ASGI scopes.

    Args:
        key: of the hash; random by default.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or os.urandom(32)

    def key(self, scope: MutableMapping[str, Any]) -> bytes:
        """The hash of the client's IPv4 address or IPv6 /64 network."""
        client = scope.get("client")
        return hashlib.blake2b(_network(client[0] if client else ""), key=self._key, digest_size=16).digest()


def _network(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return b"unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return address.packed[: IPV6_PREFIX // 8]
        address = address.ipv4_mapped
    return address.packed
