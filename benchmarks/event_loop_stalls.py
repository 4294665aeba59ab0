"""How long the event loop stalls while a scrape is answered, through the whole application.

Another task records the time whenever it runs; the longest gap is the longest delay of any other request. CPU
time of the process measures only our own work, in any thread. Wall time includes other load on a shared
machine; the last row shows that load without a scrape.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

from prometheus_client import make_asgi_app

from benchmarks.expositions import registries
from benchmarks.paired_measurement import Row, summed
from tallow.monitoring import instrument
from tallow.monitoring.metrics import Metrics

LINES = 50_000
THREADS = 8
LIMIT_S = 0.010
SCRAPES = 15
ACCEPTS = (b"text/plain;version=0.0.4", b"application/openmetrics-text;version=1.0.0")


def rows() -> list[Row]:
    """The table's rows: the median over scrapes of the longest stall, and the worst."""
    ours, theirs = registries(LINES)
    family = ours.families["work_seconds"]
    waiting = threading.Barrier(THREADS + 1)

    def record() -> None:  # each thread has its own storage with a value in every series
        for value in list(family):
            ours.observe(family, value, 0.5)
        waiting.wait()

    threads = [threading.Thread(target=record) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    app = instrument(_nothing, metrics=Metrics(_with_catalogue(ours)))
    peer = make_asgi_app(theirs)
    asyncio.run(scrape(app, ACCEPTS[0], gzip=True))  # settings are loaded by the first request
    held, own = [], []
    for accept in ACCEPTS * (SCRAPES // 4):
        for gzip in (False, True):
            wall, cpu = longest(scrape(app, accept, gzip))
            held.append((wall, longest(scrape(peer, accept, gzip))[0]))
            own.append((cpu, LIMIT_S))
    idle = [(longest(asyncio.sleep(0.2))[0], LIMIT_S) for _ in range(SCRAPES)]
    waiting.wait()
    work = f"event loop held, {LINES:,} lines, {THREADS} threads' cells"
    return [
        summed(f"{work}, CPU", "limit of 10 ms", own, 1, 1.0, "ms", 1e3),
        summed(f"{work}, CPU, the worst of {len(own)}", "limit of 10 ms", [max(own)] * 2, 1, 1.0, "ms", 1e3),
        summed(f"{work}, wall", "prometheus_client's make_asgi_app", held, 1, None, "ms", 1e3),
        summed("event loop held, no scrape, wall", "limit of 10 ms", idle, 1, None, "ms", 1e3),
    ]


def _with_catalogue(registry: Any) -> Any:
    """Add the catalogue to the registry, as in a real application."""
    from tallow.monitoring.catalog import METRICS

    for metric in METRICS.values():
        registry.declare(metric)
    return registry


def longest(work: Coroutine[Any, Any, object]) -> tuple[float, float]:
    """The longest gap between two runs of another task while ``work`` runs, in wall and CPU seconds."""

    async def measured() -> tuple[float, float]:
        wall, cpu = LongestGap(time.perf_counter), LongestGap(time.process_time)

        async def turn() -> None:
            while True:
                wall.turn()
                cpu.turn()
                await asyncio.sleep(0)

        turning = asyncio.create_task(turn())
        await asyncio.sleep(0.01)
        wall.gap = cpu.gap = 0.0
        await work
        await asyncio.sleep(0)  # one more turn, which sees a stall at the end of the work
        turning.cancel()
        return wall.gap, cpu.gap

    return asyncio.run(measured())


class LongestGap:
    """The longest time between two calls of :meth:`turn`, by one clock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = clock()
        self.gap = 0.0

    def turn(self) -> None:
        now = self._clock()
        self.gap = max(self.gap, now - self._last)
        self._last = now


async def scrape(app: Any, accept: bytes, gzip: bool) -> None:
    """Request /metrics and discard the response."""
    headers = [(b"accept", accept), (b"accept-encoding", b"gzip" if gzip else b"identity")]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/metrics",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        pass

    await app(scope, receive, send)


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("only /metrics is requested")
