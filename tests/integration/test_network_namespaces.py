"""Transfers between two hosts behind a router, as network namespaces: the path, and what it counts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from support.programs.debian import environment, program

pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0 or not (shutil.which("ip") and shutil.which("tc")),
        reason="network namespaces need root, ip and tc",
    ),
]

SIZE = 20_000_000
PORT = 3000
TALLOW = [sys.executable, "-m", "tallow"]
TOKEN = "a" * 32
READ_METRICS = """
import urllib.request as u
r = u.Request('http://127.0.0.1:%d/metrics', headers={'Authorization': 'Bearer %s'})
print(u.urlopen(r).read().decode())
"""


def run(*command: str, **more: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, (command, done.stderr)
    return str(done.stdout)


def shape(*command: str) -> None:
    """Change how a device passes packets; skips where the kernel has no such module."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"this kernel cannot do it: {done.stderr.splitlines()[0]}")


@dataclass(frozen=True)
class Network:
    """A router with the server, and the hosts of sender and receiver."""

    router: str
    hosts: tuple[str, str]

    @property
    def server(self) -> str:
        return f"http://10.1.0.1:{PORT}"

    def inside(self, namespace: str, *command: str) -> list[str]:
        return ["ip", "netns", "exec", namespace, *command]

    def in_router(self, *command: str) -> None:
        run(*self.inside(self.router, *command))


@pytest.fixture
def network() -> Iterator[Network]:
    mark = f"tw{os.getpid() % 10_000}"
    made = Network(f"{mark}r", (f"{mark}a", f"{mark}b"))
    try:
        run("ip", "netns", "add", made.router)
        run(*made.inside(made.router, "ip", "link", "set", "lo", "up"))
        run(*made.inside(made.router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"))
        run(*made.inside(made.router, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding"))
        for number, host in enumerate(made.hosts, 1):
            _add_host(made, number, host)
        yield made
    finally:
        for namespace in (made.router, *made.hosts):
            subprocess.run(["ip", "netns", "del", namespace], check=False, capture_output=True)


def _add_host(network: Network, number: int, host: str) -> None:
    run("ip", "netns", "add", host)
    near, far = f"{host}0", f"{host}1"
    run(
        "ip", "link", "add", near, "netns", host, "type", "veth", "peer", "name", far, "netns", network.router
    )
    for namespace, device, last in ((host, near, 2), (network.router, far, 1)):
        exec_ = network.inside(namespace)
        run(*exec_, "ip", "addr", "add", f"10.{number}.0.{last}/24", "dev", device)
        run(*exec_, "ip", "-6", "addr", "add", f"fd00:{number}::{last}/64", "dev", device, "nodad")
        run(*exec_, "ip", "link", "set", device, "up")
    exec_ = network.inside(host)
    run(*exec_, "ip", "link", "set", "lo", "up")
    run(*exec_, "ip", "route", "add", "default", "via", f"10.{number}.0.1")
    run(*exec_, "ip", "-6", "route", "add", "default", "via", f"fd00:{number}::1")


@contextlib.asynccontextmanager
async def serving(network: Network, folder: Path, **settings: str) -> AsyncIterator[None]:
    folder.mkdir()
    command = [*TALLOW, "serve", "--host", "::", "--port", str(PORT), "--data-dir", str(folder)]
    token = {"METRICS_TOKEN": TOKEN}
    process = await asyncio.create_subprocess_exec(
        *network.inside(network.router, *command),
        env=os.environ | token | settings,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    try:
        announced = b""
        while b"listens on" not in announced:
            announced = await process.stderr.readline()
            assert announced, "the server has not started"
        draining = asyncio.create_task(process.stderr.read())
        yield
    finally:
        process.terminate()
        await process.wait()
    await draining


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


async def transfer(
    network: Network, tmp_path: Path, *flags: str, url: str | None = None, **settings: str
) -> dict[str, float]:
    """Transfer a file and return the server's samples."""
    (tmp_path / "x").write_bytes(os.urandom(SIZE))
    own = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")}
    async with serving(network, tmp_path / "server", **settings):
        sending = [*TALLOW, "send", "--json", "--insecure", "--server", url or network.server, *flags]
        sender = await asyncio.create_subprocess_exec(
            *network.inside(network.hosts[0], *sending, str(tmp_path / "x")),
            env=own,
            stdout=asyncio.subprocess.PIPE,
        )
        assert sender.stdout
        link = ""
        while not link:
            event = json.loads(await sender.stdout.readline())
            link = event.get("link", "")
        receiving = [*TALLOW, "receive", "--json", "--yes", *flags, "-o", str(tmp_path / "out"), link]
        receiver = await asyncio.create_subprocess_exec(
            *network.inside(network.hosts[1], *receiving), env=own, stdout=asyncio.subprocess.PIPE
        )
        await asyncio.gather(sender.communicate(), receiver.communicate())
        assert (sender.returncode, receiver.returncode) == (0, 0)
        assert (tmp_path / "out" / "x").read_bytes() == (tmp_path / "x").read_bytes()
        reading = READ_METRICS % (PORT, TOKEN)
        text = run(*network.inside(network.router, sys.executable, "-c", reading))
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def expect(samples: dict[str, float], method: str, connected: dict[tuple[str, str], float]) -> None:
    """One transfer, counted once, by the method; and the direct connections by transport and status."""
    for each in ("p2p", "relay"):
        found = samples[f'tallow_transfers_total{{status="success",method="{each}"}}']
        assert found == (1 if each == method else 0)
    for transport in ("tcp", "webrtc"):
        for status in ("success", "failed"):
            name = f'tallow_direct_connections_total{{transport="{transport}",status="{status}"}}'
            assert samples[name] == connected.get((transport, status), 0), name


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
