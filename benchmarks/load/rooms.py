"""Rooms created per second, and the 99th percentile of a creation, by the number of connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import uvloop

from benchmarks.load.measurement import Measurement, percentile
from benchmarks.load.server import LoadedServer

_BODY = b'{"token_hash": "%s"}' % (b"0123456789abcdef" * 4)
REQUEST = (
    b"POST /api/rooms HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


class RoomClient(asyncio.Protocol):
    """Creates rooms on one connection, one after the other, until a time."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.seconds: list[float] = []
        self.failures = 0
        self.done = asyncio.get_running_loop().create_future()
        self._answer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport  # uvloop has transports of its own
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self.transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found or not body.endswith(b"}"):
            return
        self._answer = b""
        now = time.perf_counter()
        self.seconds.append(now - self._sent)
        self.failures += not head.startswith(b"HTTP/1.1 201")
        if now < self.until:
            self._send()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def _create(port: int, connections: int, seconds: float) -> list[RoomClient]:
    loop = asyncio.get_running_loop()
    until = time.perf_counter() + seconds
    clients: list[RoomClient] = []
    for _ in range(connections):
        _, client = await loop.create_connection(lambda: RoomClient(until), "127.0.0.1", port)
        clients.append(client)
    await asyncio.gather(*(client.done for client in clients))
    return clients


def measured(server: LoadedServer, connections: int, seconds: float) -> Measurement:
    """Create rooms for some seconds on several connections at once."""
    cpu = server.cpu_seconds()
    started = time.perf_counter()
    clients = uvloop.run(_create(server.port, connections, seconds))
    elapsed = time.perf_counter() - started
    cpu = server.cpu_seconds() - cpu
    latencies = [each for client in clients for each in client.seconds]
    failures = sum(client.failures for client in clients)
    if failures:
        raise RuntimeError(f"{failures} of {len(latencies)} rooms were refused")
    return Measurement(
        {
            "connections": connections,
            "rooms_per_second": len(latencies) / elapsed,
            "p50_ms": percentile(latencies, 50) * 1000,
            "p99_ms": percentile(latencies, 99) * 1000,
            "cpu_us": cpu / len(latencies) * 1e6,
        }
    )


def curve(server: LoadedServer, connections: Sequence[int], seconds: float) -> list[Measurement]:
    """One measurement for each number of connections, after a warm-up."""
    measured(server, 4, 0.5)
    return [measured(server, each, seconds) for each in connections]
