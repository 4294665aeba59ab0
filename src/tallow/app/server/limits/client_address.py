"""Client addresses as the limits see them: prefixes of addresses, and keyed hashes of those."""

from __future__ import annotations

import hashlib
import ipaddress
import os
from collections.abc import MutableMapping
from typing import Any, Final

IPV6_PREFIX: Final = 64
"""A site is assigned a /64 (RFC 6177): all its addresses count as one client."""


class ClientAddressHasher:
    """Hashes the client address of ASGI scopes, for limits that last as long as this process.

    Args:
        key: of the hash; by default random and never stored.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or os.urandom(32)

    def key(self, scope: MutableMapping[str, Any]) -> bytes:
        """The hash of the client's IPv4 address or IPv6 /64 network."""
        network = address_prefix(client_host(scope), ipv6_bits=IPV6_PREFIX)
        return hashlib.blake2b(network, key=self._key, digest_size=16).digest()


def client_host(scope: MutableMapping[str, Any]) -> str:
    """The client's address in an ASGI scope; empty if it has none, as on a Unix socket."""
    client = scope.get("client")
    return client[0] if client else ""


def address_prefix(host: str, *, ipv4_bits: int = 32, ipv6_bits: int) -> bytes:
    """The network of an address, for a hash. All texts that are no address have the same one.

    An IPv4 address in IPv6 form (``::ffff:192.0.2.1``) is an IPv4 address.

    >>> address_prefix("192.0.2.1", ipv4_bits=24, ipv6_bits=48) == address_prefix(
    ...     "192.0.2.9", ipv4_bits=24, ipv6_bits=48
    ... )
    True
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return b"unknown"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    bits = ipv4_bits if address.version == 4 else ipv6_bits
    unused = address.max_prefixlen - bits
    network = int(address) >> unused << unused
    return bytes((address.version, bits)) + network.to_bytes(16)
