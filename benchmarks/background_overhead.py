"""CPU time of background work: event loop lag, garbage collection timing, process metrics."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable

from benchmarks.paired_measurement import Row, summed, timed
from tallow.monitoring.metrics.process import ProcessCollector
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.metrics.runtime import EventLoopMonitor, GcMonitor

SECONDS = 2.0
ROUNDS = 5
LIMIT = 1e-3
"""CPU seconds per second: a thousandth of a core."""
COLLECTIONS = 2_000
SCRAPES = 200
SCRAPE_INTERVAL_S = 15.0


def rows() -> list[Row]:
    """Rows: CPU per second against a thousandth of a core, and the cost of timing a collection."""
    monitor = EventLoopMonitor(Registry())
    idle = [(max(0.0, _loop(monitor.watch) - _loop(lambda: None)), LIMIT * SECONDS) for _ in range(ROUNDS)]
    process = ProcessCollector(Registry())
    read = [(_figures(process) / SCRAPE_INTERVAL_S, LIMIT) for _ in range(ROUNDS)]
    return [
        summed("event loop monitor, per second", "0.1 % of a core", idle, int(SECONDS), 1.0),
        summed("process metrics, a scrape every 15 s, per second", "0.1 % of a core", read, 1, 1.0),
        summed(
            "700 lists allocated and collected, timed",
            "the same, not timed",
            _collections(),
            COLLECTIONS,
            None,
        ),
    ]


def _loop(start: Callable[[], None]) -> float:
    """CPU seconds of an idle event loop."""

    async def idle() -> float:
        start()
        before = time.process_time()
        await asyncio.sleep(SECONDS)
        return time.process_time() - before

    return asyncio.run(idle())


def _figures(process: ProcessCollector) -> float:
    def read(_: object) -> None:
        for _ in range(SCRAPES):
            process.refresh()

    return timed(read, None) / SCRAPES


def _collections() -> list[tuple[float, float]]:
    """Times allocations that trigger collections of the youngest generation, with and without timing."""

    def allocate(_: object) -> None:
        for _ in range(COLLECTIONS):
            kept = [[] for _ in range(gc.get_threshold()[0])]
            del kept

    samples = []
    for _ in range(ROUNDS):
        bare = timed(allocate, None)
        monitor = GcMonitor(Registry())
        samples.append((timed(allocate, None), bare))
        monitor.close()
    return samples
