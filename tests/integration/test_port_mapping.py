"""Transfers through ports that a real router (miniupnpd and the kernel's NAT) maps."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.networks.namespaces import (
    NEEDS_NAMESPACES,
    Network,
    expect,
    read_samples,
    routed_hosts,
    serving,
    start_receiver,
    start_sender,
    transfer,
    wait_for_event,
)
from support.networks.upnp_router import LAN, behind_router

pytestmark = [pytest.mark.proof, pytest.mark.timeout(120), NEEDS_NAMESPACES]

MAPPED = ("--port-mapping",)


@pytest.fixture
def network() -> Iterator[Network]:
    """With public addresses between the routers: others are not offered."""
    with routed_hosts(net=9) as made:
        yield made


def port_mappings(samples: dict[str, float]) -> dict[str, float]:
    name = 'tallow_nat_traversal_total{{strategy="port_mapping",status="{}"}}'
    return {status: samples[name.format(status)] for status in ("success", "failed")}


@pytest.mark.parametrize("side", [0, 1], ids=["sender", "receiver"])
async def test_two_sides_behind_nat_connect_through_a_mapped_port(
    network: Network, tmp_path: Path, side: int
) -> None:
    async with behind_router(network, 1 - side, tmp_path, upnp=False) as (behind, _):
        async with behind_router(behind, side, tmp_path) as (behind_both, router):
            # Without the relay, which takes over after the head start on a busy machine.
            flags = [("--direct", *(MAPPED if number == side else ())) for number in (0, 1)]
            samples = await transfer(behind_both, tmp_path, *flags[0], receiver_flags=flags[1])
            assert router.mapped_ports() == []
    expect(samples, "p2p", {("tcp", "success"): 1})
    assert port_mappings(samples) == {"success": 1, "failed": 0}


async def test_without_a_router_that_answers_the_relay_is_used_in_time(
    network: Network, tmp_path: Path
) -> None:
    async with behind_router(network, 0, tmp_path, upnp=False) as (behind, _):
        async with behind_router(behind, 1, tmp_path, upnp=False) as (behind_both, _):
            samples = await transfer(behind_both, tmp_path, *MAPPED)
    expect(samples, "relay", {("webrtc", "failed"): 1})
    assert port_mappings(samples) == {"success": 0, "failed": 2}


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_removes_the_mapping(network: Network, tmp_path: Path, stop: signal.Signals) -> None:
    async with behind_router(network, 1, tmp_path, upnp=False) as (behind, _):
        async with behind_router(behind, 0, tmp_path) as (behind_both, router):
            async with serving(behind_both, tmp_path / "server"):
                sender, link = await start_sender(behind_both, tmp_path, *MAPPED, "--direct", "--limit", "2M")
                receiver = await start_receiver(behind_both, tmp_path, link)
                assert (await wait_for_event(sender, "connected"))["method"] == "p2p"
                await wait_for_event(sender, "progress")
                [mapped] = router.mapped_ports()
                assert mapped.startswith(f"{LAN}.2:")
                sender.send_signal(stop)
                await sender.wait()
                assert router.mapped_ports() == []
                await asyncio.gather(sender.communicate(), receiver.communicate())
                assert (sender.returncode, receiver.returncode) == (130, 1)
                assert port_mappings(read_samples(behind_both)) == {"success": 1, "failed": 0}
