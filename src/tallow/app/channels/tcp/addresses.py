"""The addresses that a peer offers, and those that it dials."""

from __future__ import annotations

import hmac
import ipaddress
import socket
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

MAX_DIALLED: Final = 16
"""Addresses of one offer that are dialled."""
HOST_TAG_BYTES: Final = 16

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and a TCP port.

    Example:
        >>> Endpoint(ipaddress.ip_address("192.0.2.7"), 4242).text
        '192.0.2.7'
    """

    address: IPAddress
    port: int

    @property
    def text(self) -> str:
        """The address as sockets take it."""
        return str(self.address)


def local_addresses() -> list[IPAddress]:
    """This machine's addresses that another machine may reach, and the loopback ones.

    Link-local addresses are left out: without a zone, which is valid on one machine only, they lead nowhere.
    """
    found: list[IPAddress] = []
    for addresses in psutil.net_if_addrs().values():
        for entry in addresses:
            if entry.family in {socket.AF_INET, socket.AF_INET6}:
                address = ipaddress.ip_address(entry.address.partition("%")[0])
                if not address.is_link_local:
                    found.append(address)
    return sorted(set(found), key=lambda address: (address.version, int(address)))


def host_tag(secret_key: bytes) -> bytes:
    """What is equal for two peers in one network namespace of one host, and tells nobody else anything.

    Args:
        secret_key: known to the two peers only.
    """
    return hmac.digest(secret_key, _host_identity(), "sha256")[:HOST_TAG_BYTES]


def parse_endpoints(offered: object) -> list[Endpoint]:
    """The endpoints of an offer, ``[[address, port], …]``; what is not one is left out."""
    if not isinstance(offered, list):
        return []
    return [endpoint for entry in offered if (endpoint := _endpoint(entry)) is not None]


def dialling_order(
    offered: Iterable[Endpoint], own: Sequence[IPAddress], *, same_host: bool
) -> list[Endpoint]:
    """The endpoints to dial, the most likely first, at most :data:`MAX_DIALLED`.

    Multicast, unspecified, reserved and link-local addresses are not dialled (the last include those of cloud
    metadata services), nor loopback ones unless both peers are on one host: an offer is no tool to reach what
    only this machine can reach.

    Args:
        own: this machine's addresses.
    """
    usable = {endpoint for endpoint in offered if _may_dial(endpoint.address, same_host=same_host)}
    ranked = sorted(usable, key=lambda endpoint: (-_likelihood(endpoint.address, own), str(endpoint)))
    return ranked[:MAX_DIALLED]


def _endpoint(entry: Any) -> Endpoint | None:
    if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)):
        return None
    text, port = entry
    if type(port) is not int or not 1 <= port <= 65_535 or "%" in text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return Endpoint(mapped or address, port)


def _may_dial(address: IPAddress, *, same_host: bool) -> bool:
    if address.is_loopback:
        return same_host
    never = address.is_multicast, address.is_unspecified, address.is_link_local, address.is_reserved
    return not any(never)


def _likelihood(address: IPAddress, own: Sequence[IPAddress]) -> int:
    """Bits that the address has in common with this machine's nearest one; loopback is nearer than all."""
    if address.is_loopback:
        return 256
    bits = address.max_prefixlen
    same_family = [other for other in own if other.version == address.version and not other.is_loopback]
    differences = [(int(other) ^ int(address)).bit_length() for other in same_family]
    return (128 * (bits - min(differences))) // bits if differences else -1


def _host_identity() -> bytes:
    """Of this boot of this host and, where there are any, of this network namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = Path("/proc/self/ns/net").readlink()
    except OSError:  # not Linux
        return f"{uuid.getnode()} {socket.gethostname()}".encode()
    return f"{boot} {namespace}".encode()
