"""What the process itself does: memory, CPU, descriptors, garbage collection, event loop lag."""

from __future__ import annotations

import asyncio
import gc
import math
import os
import platform
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import Any, Final

import psutil

from tallow import __version__
from tallow.monitoring.metrics import Metrics

LAG_INTERVAL_S: Final = 0.25
"""How often the event loop's lag is measured."""

REFRESH_TICKS: Final = 4
"""Every how many of these a worker brings up to date what the others read of it."""


class ProcessWatch:
    """Reads ``process_*`` before each scrape. A figure the platform does not tell is not exposed at all: a 0
    would be a claim."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._process = psutil.Process()
        registry = metrics.registry
        for label, value in build().items():
            registry.register(label, value)
        registry.set(registry.families["build_info"], tuple(build().values()), 1)
        registry.set(registry.families["workers"], (), 1)
        registry.set(registry.families["process_requested_start_time_seconds"], (), requested_start())
        for name in FIGURES.keys() - self._read().keys():
            registry.families[name].hide()
        registry.on_collect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Bring the figures up to date."""
        if self._process.pid != os.getpid():  # the application was loaded before the server forked
            self._process = psutil.Process()
        registry = self._metrics.registry
        registry.set(registry.families["workers"], (), 1)
        for name, value in self._read().items():
            registry.set(registry.families[name], (), value)

    def _read(self) -> dict[str, float]:
        figures = {}
        with self._process.oneshot():
            for name, read in FIGURES.items():
                # Not on this platform, or hidden from this process: one figure less.
                with suppress(AttributeError, NotImplementedError, OSError, psutil.Error):
                    figures[name] = float(read(self._process))
        return figures


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _descriptor_limit(_: psutil.Process) -> float:
    import resource  # not on Windows

    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        raise NotImplementedError
    return soft


def _heap(_: psutil.Process) -> float:
    heap = psutil.heap_info()
    return heap.heap_used + heap.mmap_used


FIGURES: Final[dict[str, Callable[[psutil.Process], float]]] = {
    "process_resident_memory_bytes": lambda process: process.memory_info().rss,
    "process_virtual_memory_bytes": lambda process: process.memory_info().vms,
    "process_cpu_seconds_total": _cpu,
    "process_start_time_seconds": lambda process: process.create_time(),
    "process_open_fds": lambda process: process.num_fds(),
    "process_max_fds": _descriptor_limit,
    "process_heap_bytes": _heap,
}
"""What is read of the process, each by itself."""


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
        self._last: Callable[[], asyncio.AbstractEventLoop | None] = lambda: None
        self._tick = 0

    def watch(self) -> None:
        """Measure the running loop from now on; again for the same loop does nothing."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # another library's loop, which nobody measures
            return
        if loop is self._last():
            return
        self._last = weakref.ref(loop)
        if loop not in self._loops:
            self._loops.add(loop)
            self._arm(loop)

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + LAG_INTERVAL_S
        # In an empty context: the request that began the measuring must not mark all measurements as its own.
        loop.call_at(due, self._measure, loop, due, context=Context())

    def _measure(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        # The loop's own clock, which no step of the machine's clock moves.
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


def requested_start() -> float:
    """When the last start was that somebody asked for, as ``TALLOW_REQUESTED_START`` tells; 0 if it does not.

    Seconds since the Unix epoch.
    """
    try:
        seconds = float(os.environ.get("TALLOW_REQUESTED_START", "0"))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0


def build() -> dict[str, str]:
    """What runs: the project's version, Python's, and the commit it was built from (``TALLOW_COMMIT``)."""
    commit = os.environ.get("TALLOW_COMMIT", "")
    known = len(commit) in range(7, 41) and set(commit) <= set("0123456789abcdef")
    return {
        "version": __version__,
        "python": platform.python_version(),
        "commit": commit if known else "unknown",
    }
