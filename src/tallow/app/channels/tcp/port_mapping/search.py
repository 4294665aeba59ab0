"""Finds the router by SSDP (UPnP Device Architecture 2.0, section 1.3)."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from ipaddress import IPv4Address
from typing import Any, Final
from urllib.parse import urlsplit

from async_upnp_client.ssdp import SSDP_IP_V4, SSDP_PORT, build_ssdp_search_packet, decode_ssdp_packet

from tallow.app.channels.tcp.port_mapping.errors import PortMappingError
from tallow.app.channels.tcp.port_mapping.local_network import LocalNetwork

SEARCH_TARGET: Final = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
"""Devices of version 2 answer this search, too."""
SEARCH_S: Final = 3.0
"""Seconds that the router may take to answer."""
ANSWER_WITHIN_S: Final = 1
"""Header MX: devices answer a multicast search after a random time up to this number of seconds."""
REPEAT_S: Final = 1.0
"""UDP may lose the search: it is sent again after as many seconds."""
MAX_PACKET_BYTES: Final = 2048
MAX_PACKETS: Final = 64
"""Answers of one search that are read."""


async def find_description(network: LocalNetwork, port: int = SSDP_PORT) -> str:
    """The URL of the router's description.

    The search is sent to the multicast address and to the gateway alone: a firewall may drop answers of
    machines to which nothing was sent.

    Args:
        port: of SSDP. Only tests pass another one.

    Raises:
        PortMappingError: no router answered.
    """
    loop = asyncio.get_running_loop()
    try:
        transport, search = await loop.create_datagram_endpoint(
            lambda: _Search(network), local_addr=(str(network.own), 0)
        )
    except OSError:
        raise PortMappingError("this machine's address cannot be used") from None
    try:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, network.own.packed)
        connection.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
        async with asyncio.timeout(SEARCH_S):
            while True:
                _send(transport, network, port)
                with suppress(TimeoutError):
                    async with asyncio.timeout(REPEAT_S):
                        return await asyncio.shield(search.found)
    except TimeoutError:
        raise PortMappingError("no router answered; UPnP may be switched off there") from None
    finally:
        transport.close()


def _send(transport: asyncio.DatagramTransport, network: LocalNetwork, port: int) -> None:
    targets = [SSDP_IP_V4] if network.gateway is None else [SSDP_IP_V4, str(network.gateway)]
    for target in targets:
        with suppress(OSError):
            packet = build_ssdp_search_packet((target, port), ANSWER_WITHIN_S, SEARCH_TARGET)
            transport.sendto(packet, (target, port))


class _Search(asyncio.DatagramProtocol):
    """Takes the first answer that the router may have sent."""

    def __init__(self, network: LocalNetwork) -> None:
        self.found: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._network = network
        self._packets = 0

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._packets += 1
        usable = self._packets <= MAX_PACKETS and len(data) <= MAX_PACKET_BYTES
        if self.found.done() or not usable or not self._network.may_be_router(IPv4Address(addr[0])):
            return
        location = _location(data, addr)
        if location is not None:
            self.found.set_result(location)

    def error_received(self, exc: Exception) -> None:
        """An ICMP message: nobody listens there. The multicast search may still find the router."""


def _location(data: bytes, addr: tuple[str, int]) -> str | None:
    """The URL in an answer; None if it is no answer, or the URL is not on the machine that sent it."""
    try:
        status, headers = decode_ssdp_packet(data, None, addr)
        location = str(headers["location"])
        is_own = urlsplit(location).hostname == addr[0]
    except Exception:  # noqa: BLE001 - whatever the parser raises for the bytes of a stranger
        return None
    answers = status.startswith("HTTP/1.1 200") and headers.get("st") == SEARCH_TARGET
    return location if answers and is_own else None
