"""Find checks that block the event loop, while they block it.

An async check cannot be interrupted in code that does not await, such as ``time.sleep`` or a synchronous
database driver. A thread observes the checks that run on an event loop and names the one that blocks it, even
if it never returns.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Final

TICK_S: Final = 0.05
BLOCKED_TICKS: Final = 8
"""Observations of the same step from which it blocks the event loop: 0.4 seconds. An observation that comes
late does not count: the process itself was stopped, or has too little processor time."""


class StepTimer(Awaitable[Any]):
    """Awaits a check's awaitable and times each of its steps, the code between two awaits.

    Args:
        awaitable: of the check.
        on_blocked: called at most once, also from another thread, if a step blocks the event loop.
    """

    def __init__(self, awaitable: Awaitable[Any], on_blocked: Callable[[], None]) -> None:
        self._awaitable = awaitable
        self._on_blocked: Callable[[], None] | None = on_blocked
        self._step: object | None = None
        self._observed: tuple[object | None, int] = (None, 0)

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = _as_coroutine(self._awaitable)
        resume: Callable[[Any], Any] = steps.send
        value: Any = None
        _WATCH.add(self)
        try:
            while True:
                yielded = self._resume(resume, value)
                try:
                    value, resume = (yield yielded), steps.send
                except BaseException as error:  # noqa: BLE001 - such as a cancellation: for the check
                    value, resume = error, steps.throw
        except StopIteration as stop:
            return stop.value
        finally:
            _WATCH.remove(self)

    def _resume(self, resume: Callable[[Any], Any], value: Any) -> Any:
        self._step = object()
        started, processor = time.monotonic(), time.thread_time()
        try:
            return resume(value)
        finally:
            self._step = None
            elapsed = time.monotonic() - started
            # Code that holds the interpreter's lock stops the observing thread, too.
            if elapsed >= BLOCKED_TICKS * TICK_S and time.thread_time() - processor >= elapsed / 2:
                self._blocked()

    def observe(self) -> None:
        """Count one observation of the present step. Called by the observing thread."""
        step, count = self._step, self._observed[1]
        if step is None:
            return
        self._observed = (step, count + 1 if step is self._observed[0] else 1)
        if self._observed[1] >= BLOCKED_TICKS:
            self._blocked()

    def _blocked(self) -> None:
        callback, self._on_blocked = self._on_blocked, None
        if callback is not None:
            callback()


async def _as_coroutine(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


class _LoopWatch:
    """The observing thread. It exists only while checks run on an event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._timers: set[StepTimer] = set()
        self._thread: threading.Thread | None = None

    def add(self, timer: StepTimer) -> None:
        with self._lock:
            self._timers.add(timer)
            if self._thread is None or not self._thread.is_alive():  # not alive after a fork
                self._thread = threading.Thread(target=self._observe, name="health loop watch", daemon=True)
                self._thread.start()

    def remove(self, timer: StepTimer) -> None:
        with self._lock:
            self._timers.discard(timer)

    def _observe(self) -> None:
        while True:
            started = time.monotonic()
            time.sleep(TICK_S)
            in_time = time.monotonic() - started < 2 * TICK_S
            with self._lock:
                timers = list(self._timers)
                if not timers:
                    self._thread = None
                    return
            for timer in timers if in_time else ():
                timer.observe()


_WATCH: Final = _LoopWatch()
