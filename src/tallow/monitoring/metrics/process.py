"""Gauges of the process: memory, CPU, file descriptors, start time and build."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import psutil

from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.settings import process_options


class ProcessCollector:
    """Sets the ``process_*`` gauges before each scrape.

    A gauge whose value the platform does not provide is hidden, because a 0 would be wrong.

    Args:
        registry: has the gauges.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._process = psutil.Process()
        build = build_labels()
        for label, value in build.items():
            registry.register(label, value)
        registry.set(registry.families["build_info"], tuple(build.values()), 1)
        registry.set(registry.families["process_requested_start_time_seconds"], (), requested_start())
        for name in GAUGES.keys() - self._read().keys():
            registry.families[name].hide()
        registry.on_collect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Set the gauges to the current values."""
        if self._process.pid != os.getpid():  # the application was loaded before the server forked
            self._process = psutil.Process()
        self._registry.set(self._registry.families["workers"], (), 1)
        for name, value in self._read().items():
            self._registry.set(self._registry.families[name], (), value)

    def close(self) -> None:
        """Stop setting the gauges."""
        self._registry.remove_collector(self.refresh)

    def _read(self) -> dict[str, float]:
        values = {}
        with self._process.oneshot():
            for name, read in GAUGES.items():
                # Not provided by this platform, or hidden from this process.
                with suppress(AttributeError, NotImplementedError, OSError, psutil.Error):
                    values[name] = float(read(self._process))
        return values


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _descriptor_limit(_: psutil.Process) -> float:
    import resource  # not on Windows

    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        raise NotImplementedError
    return soft


def _heap_bytes(_: psutil.Process) -> float:
    heap = psutil.heap_info()
    return heap.heap_used + heap.mmap_used


GAUGES: Final[dict[str, Callable[[psutil.Process], float]]] = {
    "process_resident_memory_bytes": lambda process: process.memory_info().rss,
    "process_virtual_memory_bytes": lambda process: process.memory_info().vms,
    "process_cpu_seconds_total": _cpu_seconds,
    "process_start_time_seconds": lambda process: process.create_time(),
    "process_open_fds": lambda process: process.num_fds(),
    "process_max_fds": _descriptor_limit,
    "process_heap_bytes": _heap_bytes,
}
"""Maps each gauge to the function that reads its value."""


def requested_start() -> float:
    """Return when the last start was requested, in seconds since the Unix epoch.

    The value is ``TALLOW_REQUESTED_START``; 0 if it is not set or not a finite number.
    """
    try:
        seconds = float(os.environ.get("TALLOW_REQUESTED_START", "0"))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0


def build_labels() -> dict[str, str]:
    """Return the labels of ``build_info``: the application's version, Python's, and the commit
    (``TALLOW_COMMIT``)."""
    commit = os.environ.get("TALLOW_COMMIT", "")
    known = len(commit) in range(7, 41) and set(commit) <= set("0123456789abcdef")
    return {
        "version": process_options.service_version() or process_options.UNKNOWN_VERSION,
        "python": platform.python_version(),
        "commit": commit if known else "unknown",
    }
