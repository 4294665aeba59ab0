"""What the process itself does: memory, CPU, descriptors, garbage collection, event loop lag."""

from __future__ import annotations

import asyncio
import gc
import os
import platform
import time
import weakref
from typing import Any, Final

import psutil

from tallow import __version__
from tallow.monitoring.metrics import Metrics

LAG_INTERVAL_S: Final = 0.25
"""How often the event loop's lag is measured."""

REFRESH_TICKS: Final = 4
"""Every how many of these a worker brings up to date what the others read of it."""


class ProcessWatch:
    """Reads ``process_*`` before each scrape."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._process = psutil.Process()
        registry = metrics.registry
        for label, value in build().items():
            registry.register(label, value)
        registry.set(registry.families["build_info"], tuple(build().values()), 1)
        registry.on_collect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Bring the figures up to date; what a platform does not tell stays 0."""
        registry = self._metrics.registry
        for name, value in self._read().items():
            registry.set(registry.families[name], (), value)

    def _read(self) -> dict[str, float]:
        with self._process.oneshot():
            memory, times = self._process.memory_info(), self._process.cpu_times()
            figures: dict[str, float] = {
                "process_resident_memory_bytes": memory.rss,
                "process_virtual_memory_bytes": memory.vms,
                "process_cpu_seconds_total": times.user + times.system,
                "process_start_time_seconds": self._process.create_time(),
                "workers": 1,
            }
        if hasattr(self._process, "num_fds"):
            figures["process_open_fds"] = self._process.num_fds()
        if hasattr(self._process, "rlimit"):
            figures["process_max_fds"] = self._process.rlimit(psutil.RLIMIT_NOFILE)[0]
        if hasattr(psutil, "heap_info"):
            heap = psutil.heap_info()
            figures["process_heap_bytes"] = heap.heap_used + heap.mmap_used
        return figures


class GcWatch:
    """Times every garbage collection of the interpreter, whichever thread it falls on."""

    def __init__(self, metrics: Metrics) -> None:
        self._record = metrics.record_gc
        self._started = 0.0
        gc.callbacks.append(self._seen)

    def _seen(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            self._started = time.perf_counter()
        elif self._started:
            self._record(info["generation"], time.perf_counter() - self._started)


class LoopWatch:
    """Measures how late an event loop runs its timers. One timer at a time; it dies with its loop."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._loops: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
        self._tick = 0

    def watch(self) -> None:
        """Measure the running loop from now on; again for the same loop does nothing."""
        loop = asyncio.get_running_loop()
        if loop not in self._loops:
            self._loops.add(loop)
            self._arm(loop)

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + LAG_INTERVAL_S
        loop.call_at(due, self._measure, loop, due)

    def _measure(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self._metrics.record_event_loop_lag(max(0.0, loop.time() - due))
        registry = self._metrics.registry
        self._tick = (self._tick + 1) % REFRESH_TICKS
        if registry.storage.shared and self._tick == 0:
            registry.refresh()
        self._arm(loop)


class Runtime:
    """The three watches. One set for each :class:`Metrics`, whatever number of applications it serves."""

    _known: Final[dict[int, Runtime]] = {}

    def __init__(self, metrics: Metrics) -> None:
        self.process = ProcessWatch(metrics)
        self.gc = GcWatch(metrics)
        self.loop = LoopWatch(metrics)

    @classmethod
    def of(cls, metrics: Metrics) -> Runtime:
        """The watches of ``metrics``, begun at the first call. They live as long as the process."""
        runtime = cls._known.get(id(metrics))
        if runtime is None:
            runtime = cls._known[id(metrics)] = cls(metrics)
        return runtime


def build() -> dict[str, str]:
    """What runs: the project's version, Python's, and the commit it was built from (``TALLOW_COMMIT``)."""
    commit = os.environ.get("TALLOW_COMMIT", "")
    known = len(commit) in range(7, 41) and set(commit) <= set("0123456789abcdef")
    return {
        "version": __version__,
        "python": platform.python_version(),
        "commit": commit if known else "unknown",
    }
