"""Client addresses as the limits see them: prefixes of addresses, and keyed hashes of those."""

from __future__ import annotations

import hashlib
import ipaddress
import os
from collections.abc import MutableMapping
from typing import Any, Final

from tallow.monitoring.integrations.http_server.limits import parse_address

NETWORK_BITS: Final = ((32, 64), (24, 48), (24, 40))
"""Prefix lengths of a client's networks, IPv4 and IPv6. A host has a /64 (RFC 4291), a site up to a /48 (RFC
6177), and a /40 is 256 of those."""


class ClientAddressHasher:
    """Hashes the client address of ASGI scopes, for limits that last as long as this process.

    Args:
        key: of the hash; by default random and never stored.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or os.urandom(32)

    def key(self, scope: MutableMapping[str, Any]) -> bytes:
        """The hash of the client's IPv4 address or IPv6 /64 network."""
        return self.networks(scope)[0]

    def networks(self, scope: MutableMapping[str, Any]) -> tuple[bytes, ...]:
        """Hashes of the networks that the client's address belongs to, from the narrowest to the widest.

        They are IPv4 /32 and /24, or IPv6 /64, /48 and /40.
        """
        return self.networks_of(client_host(scope))

    def networks_of(self, host: str) -> tuple[bytes, ...]:
        """The same for an address."""
        address = parse_address(host)
        prefixes = (_prefix(address, ipv4, ipv6) for ipv4, ipv6 in NETWORK_BITS)
        return tuple(dict.fromkeys(map(self._hash, prefixes)))

    def text_key(self, host: str) -> bytes:
        """The hash of an address as it is written. It costs less; two texts of one address differ."""
        return self._hash(host.encode())

    def _hash(self, prefix: bytes) -> bytes:
        return hashlib.blake2b(prefix, key=self._key, digest_size=16).digest()


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
    return _prefix(parse_address(host), ipv4_bits, ipv6_bits)


def _prefix(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address | None, ipv4_bits: int, ipv6_bits: int
) -> bytes:
    if address is None:
        return b"unknown"
    bits = ipv4_bits if address.version == 4 else ipv6_bits
    unused = address.max_prefixlen - bits
    network = int(address) >> unused << unused
    return bytes((address.version, bits)) + network.to_bytes(16)
