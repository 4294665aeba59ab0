"""Ports that a router maps, and routers that are hostile or broken."""

from __future__ import annotations

import asyncio
import sys

import pytest

from support.networks.upnp_device import (
    ADDRESS,
    NETWORK,
    SERVICE,
    GatewayDevice,
    fault,
    gateway_device,
    response,
)
from tallow.app.channels.tcp.port_mapping import mapper
from tallow.app.channels.tcp.port_mapping.errors import PortMappingError
from tallow.app.channels.tcp.port_mapping.mapper import PORTS, TOO_LATE, PortMapper, RouterSearch
from tallow.app.channels.tcp.port_mapping.requester import MAX_BODY_BYTES, MAX_DESCRIPTIONS
from tallow.app.channels.tcp.port_mapping.router import Router

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is an address on Linux only")


class KnownRouter(RouterSearch):
    """A search that finds a device of this test, where no SSDP is needed."""

    def __init__(self, device: GatewayDevice) -> None:
        super().__init__()
        self.device = device

    async def _find(self) -> Router:
        return await Router.describe(NETWORK, self.device.location)


def mapping_port(device: GatewayDevice) -> tuple[PortMapper, list[str | None]]:
    results: list[str | None] = []
    return PortMapper(KnownRouter(device), results.append), results


async def test_a_port_is_mapped_and_removed_once_nothing_uses_it() -> None:
    async with gateway_device() as device:
        port_mapper, results = mapping_port(device)
        endpoint = await port_mapper.start(4242)
        assert endpoint is not None
        assert endpoint.text == device.external
        assert PORTS[0] <= endpoint.port < PORTS[1]
        assert device.mapped == {endpoint.port: 4242}
        port_mapper.end(connected=True, in_use=True)
        assert device.mapped == {endpoint.port: 4242}
        await port_mapper.close()
        assert device.mapped == {}
        assert results == [None]


async def test_another_attempt_replaces_the_mapping_and_is_not_reported_again() -> None:
    async with gateway_device() as device:
        port_mapper, results = mapping_port(device)
        await port_mapper.start(1)
        second = await port_mapper.start(2)
        await port_mapper.close()
        assert second is not None
        assert device.mapped == {}
        assert device.actions.count("AddPortMapping") == device.actions.count("DeletePortMapping") == 2
        assert results == [None]


async def test_a_mapping_that_is_used_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapper, "RENEWAL_S", 0.01)
    async with gateway_device() as device:
        port_mapper, _ = mapping_port(device)
        await port_mapper.start(4242)
        port_mapper.end(connected=True, in_use=True)
        while device.actions.count("AddPortMapping") < 3:
            await asyncio.sleep(0.01)
        assert len(device.mapped) == 1
        await port_mapper.close()
        assert device.mapped == {}


@pytest.mark.parametrize(
    "external",
    [
        *("192.168.1.1", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "224.0.0.1", "0.0.0.0"),
        *("2001:4860::1", "::ffff:9.9.9.9", "router.example.org", "", "9.9.9.9:80"),
    ],
)
async def test_an_address_that_is_not_public_is_not_offered(external: str) -> None:
    async with gateway_device(external=external) as device:
        port_mapper, results = mapping_port(device)
        assert await port_mapper.start(4242) is None
        assert len(results) == 1
        assert results[0] is not None
        assert external == "" or external not in results[0]
        assert "AddPortMapping" not in device.actions


async def test_a_control_url_on_another_host_is_not_contacted() -> None:
    contacted: list[object] = []
    victim = await asyncio.start_server(lambda *_: contacted.append(_), "127.0.0.1", 0)
    port = victim.sockets[0].getsockname()[1]
    hosts = [f"127.0.0.1:{port}", f"{ADDRESS}@127.0.0.1:{port}", f"localhost:{port}"]
    for host in hosts:
        async with gateway_device(control=f"http://{host}/control") as device:
            port_mapper, results = mapping_port(device)
            assert await port_mapper.start(4242) is None
            assert results[0]
    victim.close()
    assert contacted == []


async def test_a_redirection_is_not_followed() -> None:
    contacted: list[object] = []
    victim = await asyncio.start_server(lambda *_: contacted.append(_), "127.0.0.1", 0)
    target = f"http://127.0.0.1:{victim.sockets[0].getsockname()[1]}/root.xml"
    answer = f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()
    async with gateway_device(answer=lambda *_: answer) as device:
        with pytest.raises(PortMappingError):
            await Router.describe(NETWORK, device.location)
    victim.close()
    assert contacted == []


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><root>&b;</root>'
)
EXTERNAL = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><root>&a;</root>'


@pytest.mark.parametrize(
    "answer",
    [
        b"not HTTP\r\n\r\n",
        b"",
        response(""),
        response("<root"),
        response("<root/>"),
        response(BOMB),
        response(EXTERNAL),
        response("<device>" * 20_000),
        response("x" * (MAX_BODY_BYTES + 1)),
        response("gone", "404 Not Found"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * (MAX_BODY_BYTES + 1),
    ],
)
async def test_a_description_that_is_not_valid_is_refused_in_one_line(answer: bytes) -> None:
    async with gateway_device(answer=lambda *_: answer) as device:
        port_mapper, results = mapping_port(device)
        assert await port_mapper.start(4242) is None
        assert results == ["the router's description cannot be read"]


async def test_a_router_with_too_many_services_is_refused() -> None:
    async with gateway_device(services=10 * MAX_DESCRIPTIONS) as device:
        with pytest.raises(PortMappingError):
            await Router.describe(NETWORK, device.location)
        assert len(device.paths) == MAX_DESCRIPTIONS


async def test_a_port_that_another_machine_has_is_not_taken() -> None:
    async with gateway_device() as device:
        tried: list[str] = []

        def one_conflict(called: str, body: str) -> str | bytes | None:
            if called == "AddPortMapping":
                tried.append(body)
                if len(tried) == 1:
                    return fault(718)
            return device.behave(called, body)

        device.answer = one_conflict
        port_mapper, results = mapping_port(device)
        assert await port_mapper.start(4242) is not None
        await port_mapper.close()
        assert len(set(tried)) == 2
        assert results == [None]
        assert device.actions.count("DeletePortMapping") == 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (725, "the router knows only mappings without an end"),
        (606, "the router allows it to nobody"),
        (718, "the port is mapped to another machine"),
        (501, "the router refused it (error 501)"),
    ],
)
async def test_a_refusal_names_its_reason(code: int, reason: str) -> None:
    async with gateway_device() as device:
        device.answer = lambda called, body: (
            fault(code) if called == "AddPortMapping" else device.behave(called, body)
        )
        port_mapper, results = mapping_port(device)
        assert await port_mapper.start(4242) is None
        await port_mapper.close()
        assert results == [reason]
        assert "DeletePortMapping" not in device.actions


async def test_a_router_that_falls_silent_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapper, "MAPPING_S", 2.0)  # enough for the request that is not answered
    async with gateway_device() as device:
        device.answer = lambda called, body: (
            None if called == "AddPortMapping" else device.behave(called, body)
        )
        port_mapper, results = mapping_port(device)
        assert await port_mapper.start(4242) is None
        await port_mapper.close()
        assert results == [TOO_LATE]
        assert device.actions[-1] == "DeletePortMapping"  # the router may have mapped it all the same


@pytest.mark.parametrize(("connected", "expected"), [(False, [TOO_LATE]), (True, [])])
async def test_a_mapping_that_comes_too_late_failed_only_if_it_was_needed(
    connected: bool, expected: list[str]
) -> None:
    async with gateway_device(answer=lambda *_: None) as device:
        port_mapper, results = mapping_port(device)
        waiting = port_mapper.start(4242)
        await asyncio.sleep(0)
        port_mapper.end(connected=connected, in_use=False)
        await port_mapper.close()
        await asyncio.wait({waiting})
        assert waiting.cancelled()
        assert results == expected


async def test_a_router_with_another_port_after_a_restart_is_found_again() -> None:
    results: list[str | None] = []
    async with gateway_device() as device:
        search = KnownRouter(device)
        await search.router()
    async with gateway_device() as restarted:
        search.device = restarted
        port_mapper = PortMapper(search, results.append)
        endpoint = await port_mapper.start(4242)
        assert endpoint is not None
        assert restarted.mapped == {endpoint.port: 4242}
        await port_mapper.close()
        assert results == [None]


async def test_a_search_that_failed_is_repeated_by_the_next_attempt() -> None:
    async with gateway_device() as device:
        search = KnownRouter(device)
        device.answer = lambda *_: response("gone", "404 Not Found")
        with pytest.raises(PortMappingError):
            await search.router()
        device.answer = None
        assert await search.router()


async def test_the_service_of_a_dial_up_line_maps_ports_too() -> None:
    async with gateway_device() as device:
        device.answer = lambda called, body: _with_ppp(device.behave(called, body))
        port_mapper, results = mapping_port(device)
        assert await port_mapper.start(4242) is not None
        await port_mapper.close()
        assert results == [None]


def _with_ppp(answer: str | bytes | None) -> str | bytes | None:
    return answer.replace(SERVICE, SERVICE.replace("WANIP", "WANPPP")) if isinstance(answer, str) else answer
