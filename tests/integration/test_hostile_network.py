"""Attacks from many addresses, in a network namespace of their own: IPv6 prefixes, floods, handshakes.

Each attack runs while a user transfers through the relay; probes answer within one second, each refusal is
counted, and its line appears at most once a minute for each limit.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from support.network_namespace import own_network
from support.raw_http import HANDSHAKE, request
from support.transfers.server import ServerProcess, tallow_serve

pytestmark = [pytest.mark.proof, pytest.mark.skipif(sys.platform != "linux", reason="network namespaces")]

PREFIXES = 40
PER_PREFIX = 150
ATTACK_S = 75
RATE = 500
"""New connections a second: the attack holds connections, and leaves the processor to server and probes."""


@pytest.fixture
def network_namespace() -> Iterator[None]:
    """A network for this thread and its processes alone: loopback with addresses of many /64 networks."""
    addresses = [
        f"addr add 2001:db8:0:{prefix:x}::{host}/128 dev lo nodad"
        for prefix in range(PREFIXES)
        for host in (1, 2)
    ]
    with own_network(addresses):
        yield


async def connect_from(address: str, port: int) -> socket.socket | None:
    """A connection from an address to the server; None if it is not accepted in time."""
    loop = asyncio.get_running_loop()
    held = socket.socket(socket.AF_INET6)
    held.setblocking(False)
    try:
        held.bind((address, 0))
        async with asyncio.timeout(5):
            await loop.sock_connect(held, ("::1", port))
    except (OSError, TimeoutError, asyncio.CancelledError):
        held.close()
        return None
    return held


class Attacker:
    """Connections from many prefixes, which are replaced when the server closes them."""

    def __init__(self, port: int, data: bytes) -> None:
        self._port = port
        self._data = data
        self._held: list[socket.socket] = []

    async def attack(self, until: float) -> None:
        """Open connections from all prefixes again and again until a time."""
        while time.monotonic() < until:
            self.release()
            for number in range(PREFIXES * PER_PREFIX):
                address = f"2001:db8:0:{number % PREFIXES:x}::{1 + number % 2}"
                held = await connect_from(address, self._port)
                if held is not None:
                    with suppress(OSError):
                        held.send(self._data)
                    self._held.append(held)
                await asyncio.sleep(1 / RATE)
                if time.monotonic() >= until:
                    return

    def release(self) -> None:
        """Close all connections."""
        for held in self._held:
            held.close()
        self._held = []


@asynccontextmanager
async def attacked(server: ServerProcess, data: bytes) -> AsyncIterator[None]:
    attacker = Attacker(int(server.url.rpartition(":")[2]), data)
    task = asyncio.create_task(attacker.attack(time.monotonic() + ATTACK_S))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        attacker.release()


async def transfer(server: ServerProcess, seconds: float) -> int:
    """Exchange data through the relay; returns the messages that arrived."""
    sender, receiver = await server.pair()
    one, other = await server.relayed(sender, receiver)
    arrived, ends = 0, time.monotonic() + seconds
    while time.monotonic() < ends:
        await one.send(b"x" * 65_536)
        assert len(await other.recv()) == 65_536
        arrived += 1
        await asyncio.sleep(0.01)
    for each in (one, other, sender.socket, receiver.socket):
        await each.close()
    return arrived


async def probe(server: ServerProcess, seconds: float) -> float:
    """The longest time that a probe on a new connection took.

    Not of readiness: it writes to the database, and other programs use the disk of a test machine.
    """
    longest, ends = 0.0, time.monotonic() + seconds
    while time.monotonic() < ends:
        for path in ("/api/health/liveness", "/metrics"):
            started = time.monotonic()
            async with httpx.AsyncClient(base_url=server.url, timeout=10) as http:
                assert (await http.get(path)).status_code == 200
            longest = max(longest, time.monotonic() - started)
        await asyncio.sleep(0.2)
    return longest


SILENT = b""
HALF_HEADER = b"GET /api/info HTTP/1.1\r\nHost: x\r\n"
HALF_BODY = request("POST", "/api/telemetry", {"Host": "x", "Content-Length": "9"}, b"{")
UPGRADE = request("GET", "/api/signal", {"Host": "x"} | HANDSHAKE)
MALFORMED = b"\x16\x03\x01 not HTTP\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [SILENT, HALF_HEADER, HALF_BODY, UPGRADE, MALFORMED],
    ids=["silent", "half header", "half body", "upgrade", "malformed"],
)
@pytest.mark.usefixtures("network_namespace")
async def test_an_attack_from_many_prefixes_takes_nothing_away(tmp_path: Path, data: bytes) -> None:
    log = tmp_path / "log"
    settings = {"LOG_FILE": str(log), "MAX_CONNECTIONS": "2000", "HEADER_TIMEOUT": "5"}
    async with tallow_serve(tmp_path, "--host", "::1", **settings) as server:
        process = psutil.Process(server.pid)
        await transfer(server, 1)
        descriptors, memory = process.num_fds(), process.memory_info().rss
        async with attacked(server, data):
            await asyncio.sleep(3)
            seconds = ATTACK_S - 6
            arrived, longest = await asyncio.gather(transfer(server, seconds), probe(server, seconds))
        assert arrived > ATTACK_S
        assert longest < 1
        samples = await server.metrics()
        refused = sum(value for name, value in samples.items() if "limit_rejections_total{" in name)
        assert refused + samples['tallow_api_errors_total{endpoint="other",status_code="400"}'] > 0
        while process.num_fds() > descriptors + 5:
            await asyncio.sleep(0.2)
        assert process.memory_info().rss < memory + 60e6
    _check_lines(log)


def _check_lines(log: Path) -> None:
    """Each limit has at most one line a minute, and no line is an error."""
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert not [record for record in records if record["level"] in {"error", "fatal"}]
    lines = Counter(record["limit"] for record in records if record["message"] == "Connection refused")
    assert all(count <= 2 + ATTACK_S // 60 for count in lines.values()), lines  # with the one at the end
