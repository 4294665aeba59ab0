"""Transfers between two hosts behind a router, as network namespaces: the path, and what it counts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.networks.namespaces import (
    NEEDS_NAMESPACES,
    PORT,
    Network,
    expect,
    routed_hosts,
    run,
    shape,
    transfer,
)
from support.programs.debian import environment, program

pytestmark = [pytest.mark.proof, pytest.mark.timeout(300), NEEDS_NAMESPACES]


@pytest.fixture
def network() -> Iterator[Network]:
    with routed_hosts() as made:
        yield made


@contextlib.asynccontextmanager
async def behind_nat(network: Network, *sides: int) -> AsyncIterator[Network]:
    """The network with some hosts behind a NAT of their own: slirp4netns, which needs no kernel modules.

    The host becomes the router, with a namespace behind it whose only way out is the user-space NAT.
    """
    slirp = program("slirp4netns")
    hosts = list(network.hosts)
    running = []
    try:
        for side in sides:
            outer = network.hosts[side]
            hosts[side] = inner = f"{outer}n"
            run("ip", "netns", "add", inner)
            ready, told = os.pipe()
            options = ("--configure", "--disable-host-loopback", "--netns-type=path", f"--ready-fd={told}")
            process = await asyncio.create_subprocess_exec(
                *network.inside(outer, str(slirp), *options, f"/run/netns/{inner}", "tap0"),
                env=environment(slirp),
                pass_fds=[told],
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            running.append(process)
            os.close(told)
            assert await asyncio.to_thread(os.read, ready, 1) == b"1", "slirp4netns has not started"
            os.close(ready)
        yield replace(network, hosts=(hosts[0], hosts[1]))
    finally:
        for process in running:
            process.terminate()
            await process.wait()
        for side in sides:
            subprocess.run(
                ["ip", "netns", "del", f"{network.hosts[side]}n"], check=False, capture_output=True
            )


@contextlib.asynccontextmanager
async def stun_server(network: Network, folder: Path) -> AsyncIterator[str]:
    """Debian's coturn in the router, for STUN only; its URL."""
    server = program("turnserver")
    files = (f"--pidfile={folder}/turn.pid", f"--userdb={folder}/turn.db", f"--log-file={folder}/turn.log")
    flags = ("-n", "--stun-only", "--no-cli", "--no-tls", "--no-dtls", "--listening-ip=10.1.0.1", *files)
    process = await asyncio.create_subprocess_exec(
        *network.inside(network.router, str(server), *flags),
        env=environment(server),
        cwd=folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield "stun:10.1.0.1:3478"
    finally:
        process.terminate()
        await process.wait()


async def test_two_hosts_that_reach_each_other_connect_over_tcp(network: Network, tmp_path: Path) -> None:
    expect(await transfer(network, tmp_path), "p2p", {("tcp", "success"): 1})


async def test_hosts_that_reach_only_the_server_use_the_relay(network: Network, tmp_path: Path) -> None:
    network.in_router("sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward")
    network.in_router("sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/all/forwarding")
    url = network.server
    network.in_router("ip", "addr", "add", "10.9.0.1/32", "dev", "lo")
    samples = await transfer(network, tmp_path, url=url.replace("10.1.0.1", "10.9.0.1"))
    expect(samples, "relay", {("webrtc", "failed"): 1})


async def test_hosts_with_ipv6_only_connect_over_tcp(network: Network, tmp_path: Path) -> None:
    for number, host in enumerate(network.hosts, 1):
        run(*network.inside(host), "ip", "-4", "addr", "del", f"10.{number}.0.2/24", "dev", f"{host}0")
    samples = await transfer(network, tmp_path, url=f"http://[fd00:1::1]:{PORT}")
    expect(samples, "p2p", {("tcp", "success"): 1})


@pytest.mark.parametrize("side", [0, 1], ids=["sender", "receiver"])
async def test_one_side_behind_a_dropping_firewall_dials_the_other(
    network: Network, tmp_path: Path, side: int
) -> None:
    host = network.hosts[side]
    exec_ = network.inside(host)
    shape(*exec_, "tc", "qdisc", "add", "dev", f"{host}0", "clsact")
    # Drops TCP segments with SYN and without ACK: the flags are byte 13 of the TCP header.
    for protocol, at in (("ip", 33), ("ipv6", 53)):
        shape(
            *(*exec_, "tc", "filter", "add", "dev", f"{host}0", "ingress", "protocol", protocol, "u32"),
            *("match", "u8", "0x02", "0x12", "at", str(at), "action", "drop"),
        )
    expect(await transfer(network, tmp_path), "p2p", {("tcp", "success"): 1})


async def test_a_line_with_delay_and_loss_is_used(network: Network, tmp_path: Path) -> None:
    for host in network.hosts:
        shape(
            *(*network.inside(host), "tc", "qdisc", "add", "dev", f"{host}0", "root", "netem"),
            *("delay", "20ms", "loss", "0.5%"),
        )
    expect(await transfer(network, tmp_path), "p2p", {("tcp", "success"): 1})


async def test_the_relay_option_opens_no_direct_connection(network: Network, tmp_path: Path) -> None:
    expect(await transfer(network, tmp_path, "--relay"), "relay", {})


@pytest.mark.parametrize("side", [0, 1], ids=["sender", "receiver"])
async def test_one_side_behind_nat_dials_the_other(network: Network, tmp_path: Path, side: int) -> None:
    async with behind_nat(network, side) as behind:
        expect(await transfer(behind, tmp_path), "p2p", {("tcp", "success"): 1})


async def test_two_sides_behind_nat_without_stun_use_the_relay(network: Network, tmp_path: Path) -> None:
    """Both have the same private address: each dials itself, and does not take it for the other."""
    async with behind_nat(network, 0, 1) as behind:
        expect(await transfer(behind, tmp_path), "relay", {("webrtc", "failed"): 1})


async def test_two_sides_behind_nat_connect_by_webrtc(network: Network, tmp_path: Path) -> None:
    """A STUN server tells them the addresses of their NATs, through which WebRTC passes."""
    async with behind_nat(network, 0, 1) as behind, stun_server(network, tmp_path) as stun:
        samples = await transfer(behind, tmp_path, "--direct", ICE_SERVERS=stun)
    expect(samples, "p2p", {("webrtc", "success"): 1})
    assert samples['tallow_nat_traversal_total{strategy="stun",status="success"}'] == 1
