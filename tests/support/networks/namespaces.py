"""Two hosts and a router as network namespaces, and transfers between them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

NEEDS_NAMESPACES = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or not (shutil.which("ip") and shutil.which("tc")),
    reason="network namespaces need root, ip and tc",
)
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
    net: int = 10

    @property
    def server(self) -> str:
        return f"http://{self.net}.1.0.1:{PORT}"

    def inside(self, namespace: str, *command: str) -> list[str]:
        return ["ip", "netns", "exec", namespace, *command]

    def in_router(self, *command: str) -> None:
        run(*self.inside(self.router, *command))


@contextlib.contextmanager
def routed_hosts(net: int = 10) -> Iterator[Network]:
    """The network, with the addresses ``net``.1.0.0/24 and ``net``.2.0.0/24."""
    mark = f"tw{os.getpid() % 10_000}"
    made = Network(f"{mark}r", (f"{mark}a", f"{mark}b"), net)
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
        run(*exec_, "ip", "addr", "add", f"{network.net}.{number}.0.{last}/24", "dev", device)
        run(*exec_, "ip", "-6", "addr", "add", f"fd00:{number}::{last}/64", "dev", device, "nodad")
        run(*exec_, "ip", "link", "set", device, "up")
    exec_ = network.inside(host)
    run(*exec_, "ip", "link", "set", "lo", "up")
    run(*exec_, "ip", "route", "add", "default", "via", f"{network.net}.{number}.0.1")
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


async def transfer(
    network: Network,
    tmp_path: Path,
    *flags: str,
    receiver_flags: Sequence[str] | None = None,
    url: str | None = None,
    **settings: str,
) -> dict[str, float]:
    """Transfer a file and return the server's samples.

    Args:
        flags: of both commands.
        receiver_flags: of the receiver, instead of ``flags``.
    """
    async with serving(network, tmp_path / "server", **settings):
        sender, link = await start_sender(network, tmp_path, *flags, url=url)
        more = flags if receiver_flags is None else receiver_flags
        receiver = await start_receiver(network, tmp_path, link, *more)
        await asyncio.gather(sender.communicate(), receiver.communicate())
        assert (sender.returncode, receiver.returncode) == (0, 0)
        assert (tmp_path / "out" / "x").read_bytes() == (tmp_path / "x").read_bytes()
        return read_samples(network)


async def start_sender(
    network: Network, tmp_path: Path, *flags: str, url: str | None = None
) -> tuple[asyncio.subprocess.Process, str]:
    """``tallow send`` on the first host, and its link."""
    (tmp_path / "x").write_bytes(os.urandom(SIZE))
    sending = [*TALLOW, "send", "--json", "--insecure", "--server", url or network.server, *flags]
    sender = await _start(network, 0, tmp_path, *sending, str(tmp_path / "x"))
    return sender, str((await wait_for_event(sender, "link"))["link"])


async def start_receiver(
    network: Network, tmp_path: Path, link: str, *flags: str
) -> asyncio.subprocess.Process:
    """``tallow receive`` on the second host."""
    receiving = [*TALLOW, "receive", "--json", "--yes", *flags, "-o", str(tmp_path / "out"), link]
    return await _start(network, 1, tmp_path, *receiving)


async def _start(network: Network, host: int, tmp_path: Path, *command: str) -> asyncio.subprocess.Process:
    own = os.environ | {"XDG_STATE_HOME": str(tmp_path / f"state{host}")}
    return await asyncio.create_subprocess_exec(
        *network.inside(network.hosts[host], *command), env=own, stdout=asyncio.subprocess.PIPE
    )


async def wait_for_event(process: asyncio.subprocess.Process, name: str) -> dict[str, Any]:
    """The next event of a name that a command prints."""
    assert process.stdout
    while line := await process.stdout.readline():
        event: dict[str, Any] = json.loads(line)
        if event["event"] == name:
            return event
    raise AssertionError(f"the command has ended without the event {name}")


def read_samples(network: Network) -> dict[str, float]:
    """The server's samples by name and labels."""
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
