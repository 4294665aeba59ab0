"""Measure the interpreter while applications run: garbage collection, event loop lag, process gauges."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final

from tallow.monitoring.metrics.registry import Registry

if TYPE_CHECKING:
    from tallow.monitoring.metrics.process import ProcessCollector

LAG_INTERVAL_S: Final = 0.25
"""Seconds between two measurements of the event loop's lag."""

REFRESH_TICKS: Final = 4
"""Measurements after which a worker updates the gauges that other workers read."""


class GcMonitor:
    """Measures each garbage collection of the interpreter, in any thread.

    Args:
        registry: has ``gc_duration_seconds``.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._family = registry.families["gc_duration_seconds"]
        self._started = 0.0
        self._callback = _weak_callback(self)
        gc.callbacks.append(self._callback)

    def on_phase(self, phase: str, info: dict[str, Any]) -> None:
        """Handle a call of ``gc.callbacks``."""
        if phase == "start":
            self._started = time.perf_counter()
        elif self._started:
            duration_s = time.perf_counter() - self._started
            # Not observe(): a callback of the collector reads no context variable, see correlation.bind.
            self._registry.observe_plain(self._family, f"{info['generation']:d}", duration_s)

    def close(self) -> None:
        """Stop measuring. Closing twice is allowed."""
        with suppress(ValueError):
            gc.callbacks.remove(self._callback)


def _weak_callback(monitor: GcMonitor) -> Callable[[str, dict[str, Any]], None]:
    """Return a callback that does not keep the monitor's registry alive, and goes with it."""

    def remove(_reference: object) -> None:
        with suppress(ValueError):
            gc.callbacks.remove(callback)

    reference = weakref.ref(monitor, remove)

    def callback(phase: str, info: dict[str, Any]) -> None:
        found = reference()
        if found is not None:
            found.on_phase(phase, info)

    return callback


class EventLoopMonitor:
    """Measures how late event loops run their timers, with one timer for each loop.

    Args:
        registry: has ``event_loop_lag_seconds``.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._family = registry.families["event_loop_lag_seconds"]
        # References to the timers are weak, because a timer refers to its loop.
        self._timers: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, weakref.ref[asyncio.TimerHandle]
        ] = weakref.WeakKeyDictionary()
        self._ticks = 0

    def watch(self) -> None:
        """Measure the running event loop from now on. A second call for the same loop does nothing."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # another library's event loop
            return
        if loop not in self._timers:
            self._schedule(loop)

    def close(self) -> None:
        """Stop measuring. Call it in the thread of the event loop."""
        while self._timers:
            timer = self._timers.popitem()[1]()
            if timer is not None:
                timer.cancel()

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + LAG_INTERVAL_S
        # In an empty context: otherwise each measurement would have the first request's id as its exemplar.
        timer = loop.call_at(due, _measure, weakref.ref(self), weakref.ref(loop), due, context=Context())
        self._timers[loop] = weakref.ref(timer)

    def measure(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        """Record the lag of a timer that was due at ``due`` on the loop's clock, and set the next one."""
        if loop not in self._timers:  # closed
            return
        self._registry.observe(self._family, (), max(0.0, loop.time() - due))
        self._ticks = (self._ticks + 1) % REFRESH_TICKS
        if self._registry.storage.shared and self._ticks == 0:
            self._registry.refresh()
        self._schedule(loop)


def _measure(
    monitor: weakref.ref[EventLoopMonitor], loop: weakref.ref[asyncio.AbstractEventLoop], due: float
) -> None:
    """Measure, unless the monitor was dropped: a timer must not keep a registry alive."""
    found, running = monitor(), loop()
    if found is not None and running is not None:
        found.measure(running, due)


class RuntimeMonitor:
    """Measures the process for one registry, while at least one application uses it.

    Args:
        registry: has the metrics.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._users: weakref.WeakSet[object] = weakref.WeakSet()
        self._process: ProcessCollector | None = None
        self._gc: GcMonitor | None = None
        self._event_loop = EventLoopMonitor(registry)
        self._thread = 0
        self._next_look = 0.0

    def start(self, user: object) -> None:
        """Measure from now on, until each user has called :meth:`stop`."""
        self._users.add(user)
        if self._process is None:
            from tallow.monitoring.metrics.process import ProcessCollector  # loads psutil

            self._process = ProcessCollector(self._registry)
            self._gc = GcMonitor(self._registry)

    def watch_event_loop(self) -> None:
        """Measure the running event loop, if the monitor is started."""
        if self._process is not None:
            self._event_loop.watch()

    def on_request(self, now: float) -> None:
        """As :meth:`watch_event_loop`, but look for a further loop of a thread each :data:`LAG_INTERVAL_S`.

        The interpreter makes a system call to return the running loop, for which every request would wait.

        Args:
            now: the time of ``time.perf_counter()``.
        """
        if now >= self._next_look or threading.get_ident() != self._thread:
            self._thread, self._next_look = threading.get_ident(), now + LAG_INTERVAL_S
            self.watch_event_loop()

    def stop(self, user: object) -> None:
        """End the use of one user; stop measuring with the last one."""
        self._users.discard(user)
        if not self._users:
            self.close()

    def close(self) -> None:
        """Stop measuring for all users. Closing twice is allowed."""
        self._users.clear()
        self._next_look = 0.0
        self._event_loop.close()
        if self._process is not None and self._gc is not None:
            self._process.close()
            self._gc.close()
            self._process = self._gc = None
