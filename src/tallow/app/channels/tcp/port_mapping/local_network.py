"""The network between this machine and its router."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Final

import psutil

# For documentation (RFC 5737): no host has it, so it uses the default route.
_UNUSED_ADDRESS: Final = "192.0.2.255"
_ROUTES: Final = Path("/proc/net/route")
_IS_GATEWAY: Final = 0x2  # RTF_GATEWAY in linux/route.h


@dataclass(frozen=True, slots=True)
class LocalNetwork:
    """An IPv4 network that this machine is in.

    Attributes:
        own: this machine's address.
        gateway: the router on the default route; None where the system does not tell (not Linux).
    """

    own: IPv4Address
    network: IPv4Network
    gateway: IPv4Address | None

    def may_be_router(self, address: IPv4Address) -> bool:
        """Whether the router may have the address: the gateway's, or any of this network if it is unknown."""
        if self.gateway is not None:
            return address == self.gateway
        return address in self.network and address != self.own


def find_local_network(bind: str | None = None) -> LocalNetwork | None:
    """The network on whose router ports can be mapped; None if there is none.

    The router must have a private address: a machine with a public router has no NAT, and a router elsewhere
    is not asked.

    Args:
        bind: this machine's address; by default that of the default route.
    """
    own = _default_address() if bind is None else ipaddress.ip_address(bind)
    if not isinstance(own, IPv4Address) or not own.is_private or own.is_loopback:
        return None
    network = _network_of(own)
    if network is None:
        return None
    if not _ROUTES.exists():
        return LocalNetwork(own, network, None)
    gateways = [gateway for gateway in _gateways() if gateway in network]
    return LocalNetwork(own, network, gateways[0]) if gateways else None


def _default_address() -> IPv4Address | None:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((_UNUSED_ADDRESS, 9))  # selects a source address; sends nothing
            return IPv4Address(probe.getsockname()[0])
    except OSError:
        return None


def _network_of(own: IPv4Address) -> IPv4Network | None:
    for entries in psutil.net_if_addrs().values():
        for entry in entries:
            if entry.family == socket.AF_INET and entry.address == str(own) and entry.netmask:
                return IPv4Network(f"{own}/{entry.netmask}", strict=False)
    return None


def _gateways() -> list[IPv4Address]:
    """The gateways of the default routes, as the kernel lists them: fields in hexadecimal, addresses in the
    machine's byte order."""
    found = []
    for line in _ROUTES.read_text(encoding="ascii").splitlines()[1:]:
        _, destination, gateway, flags, *_ = line.split()
        if int(destination, 16) == 0 and int(flags, 16) & _IS_GATEWAY:
            found.append(IPv4Address(socket.htonl(int(gateway, 16))))
    return found
