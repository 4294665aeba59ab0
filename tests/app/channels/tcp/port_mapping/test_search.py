"""The search for the router, and strangers who answer it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from support.networks.upnp_device import ADDRESS, NETWORK
from tallow.app.channels.tcp.port_mapping import local_network, search
from tallow.app.channels.tcp.port_mapping.errors import PortMappingError
from tallow.app.channels.tcp.port_mapping.local_network import LocalNetwork, find_local_network
from tallow.app.channels.tcp.port_mapping.search import SEARCH_TARGET, find_description

LOCATION = f"http://{ADDRESS}:5000/root.xml"


def packet(location: str = LOCATION, target: str = SEARCH_TARGET) -> bytes:
    lines = ("HTTP/1.1 200 OK", f"ST: {target}", f"LOCATION: {location}", "USN: uuid:1", "", "")
    return "\r\n".join(lines).encode()


class Responder(asyncio.DatagramProtocol):
    """Answers each search with some packets, from its own address and from a stranger's."""

    def __init__(self, packets: list[bytes], strangers: list[bytes]) -> None:
        self.searches = 0
        self._packets, self._strangers = packets, strangers
        self.stranger: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.searches += 1
        assert self.stranger
        for each in self._strangers:
            self.stranger.sendto(each, addr)
        for each in self._packets:
            self._transport.sendto(each, addr)


@asynccontextmanager
async def responding(*packets: bytes, strangers: list[bytes] | None = None) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    transport, responder = await loop.create_datagram_endpoint(
        lambda: Responder(list(packets), strangers or []), local_addr=(ADDRESS, 0)
    )
    other, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.3", 0))
    responder.stranger = other
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
        other.close()


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is an address on Linux only")


@pytest.fixture(autouse=True)
def short_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SEARCH_S", 0.3)
    monkeypatch.setattr(search, "REPEAT_S", 0.1)


async def test_the_description_of_the_gateway_is_found() -> None:
    async with responding(packet()) as port:
        assert await find_description(NETWORK, port) == LOCATION


async def test_a_stranger_who_answers_first_is_ignored() -> None:
    foreign = packet("http://127.0.0.3:5000/root.xml")
    async with responding(packet(), strangers=[foreign, packet()]) as port:
        assert await find_description(NETWORK, port) == LOCATION


MALFORMED = (
    packet("http://127.0.0.3/root.xml"),
    packet("http://192.0.2.1/latest/meta-data"),
    packet(f"http://{ADDRESS}@192.0.2.1/"),
    packet(f"http://{ADDRESS}.example.org/"),
    packet("http://[::1/"),
    packet("file:///etc/passwd"),
    packet(""),
    packet(target="upnp:rootdevice"),
    packet().replace(b"200 OK", b"404 Not Found"),
    packet().replace(b"HTTP/1.1 200 OK", b"NOTIFY * HTTP/1.1"),
    packet(f"http://{ADDRESS}/" + "a" * search.MAX_PACKET_BYTES),
    b"HTTP/1.1 200 OK\r\n\xff\xfe: \x00\r\n\r\n",
    b"HTTP/1.1 \xff\r\n: :\r\n",
    b"",
)


async def test_answers_that_name_another_host_or_are_malformed_are_ignored() -> None:
    problems: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: problems.append(context))
    async with responding(*MALFORMED) as port:
        with pytest.raises(PortMappingError, match="no router answered"):
            await find_description(NETWORK, port)
        async with responding(*MALFORMED, packet()) as other:
            assert await find_description(NETWORK, other) == LOCATION
    assert problems == []


async def test_the_search_is_repeated_because_udp_loses_packets() -> None:
    async with responding(b"lost", packet()) as port:
        assert await find_description(NETWORK, port) == LOCATION


def test_without_a_known_gateway_only_this_network_is_asked() -> None:
    network = LocalNetwork(IPv4Address("192.168.7.5"), IPv4Network("192.168.7.0/24"), None)
    wanted = {"192.168.7.1": True, "192.168.7.5": False, "192.168.8.1": False, "9.9.9.9": False}
    assert {each: network.may_be_router(IPv4Address(each)) for each in wanted} == wanted


@pytest.mark.parametrize("own", ["9.9.9.9", "127.0.0.1", "::1", "fd00::1"])
def test_a_machine_without_nat_has_no_router_to_ask(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_network, "_network_of", lambda _: IPv4Network("0.0.0.0/0"))
    assert find_local_network(own) is None
