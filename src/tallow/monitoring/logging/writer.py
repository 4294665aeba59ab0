"""The way out of the process: a bounded queue, and a thread that hands its lines to the sinks.

A caller appends and goes on; it never waits for a disk, a terminal or a pipe. Lines that came within one
:data:`GATHER_S` are handed over together, so that a burst costs few system calls.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from tallow.monitoring.metrics import METRICS, Metrics

GATHER_S: Final = 0.02
MAX_LINES: Final = 200_000
MAX_BYTES: Final = 32 * 1024 * 1024
CLOSE_S: Final = 5.0
"""How long leaving waits for a sink that is slow."""


class Sink(Protocol):
    """Takes scrubbed lines, each with its newline."""

    def write(self, lines: Sequence[bytes]) -> None:
        """Take lines; what cannot be kept is counted, never raised."""

    def close(self, deadline: float) -> None:
        """Give back what is held, by ``deadline`` on the monotonic clock."""


class Writer:
    """A queue of lines before the sinks.

    Args:
        sinks: who takes the lines.
        metrics: where to count what is dropped.
        max_lines, max_bytes: what may wait; beyond it lines are dropped and counted as ``queue_full``.
    """

    def __init__(
        self,
        sinks: Sequence[Sink],
        *,
        metrics: Metrics = METRICS,
        max_lines: int = MAX_LINES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.sinks = tuple(sinks)
        self._metrics = metrics
        self._max_lines, self._max_bytes = max_lines, max_bytes
        self._reset()
        _writers.add(self)

    def _reset(self) -> None:
        """Begin with nothing: at the start, and in a forked child (its parent writes what waited)."""
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        # Guards the queue, for as long as an append takes. A signal handler or a finaliser may log in the
        # middle of it, on the thread that holds it: hence re-entrant.
        self._lock = threading.RLock()
        self._handing = threading.RLock()  # held while lines are on their way to the sinks
        self._wake = threading.Event()
        self._awake = False
        self._thread: threading.Thread | None = None
        self._closed = False

    def put(self, line: bytes) -> None:
        """Queue a line. Never blocks on I/O."""
        with self._lock:
            if len(self._lines) >= self._max_lines or self._bytes + len(line) > self._max_bytes:
                dropped = True
            else:
                dropped = False
                self._lines.append(line)
                self._bytes += len(line)
        if dropped:
            self._metrics.record_dropped("logs", "queue_full")
        elif not self._awake:
            self._rouse()

    def flush(self) -> None:
        """Hand over what was queued before this call, on the caller's own time."""
        with self._handing:
            lines = self._take()
            if lines:
                self._hand(lines)

    def drain(self, timeout_s: float) -> None:
        """Hand over what was queued, and have sinks that send do so now, for ``timeout_s`` at most."""
        deadline = time.monotonic() + timeout_s
        self.flush()
        for sink in self.sinks:
            send = getattr(sink, "drain", None)
            if send is not None:
                send(deadline)

    def close(self, timeout_s: float = CLOSE_S) -> None:
        """Hand everything over and end the thread. What comes later is written at once."""
        deadline = time.monotonic() + timeout_s
        self._closed = True
        self._wake.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)
        if self._handing.acquire(timeout=max(0.0, deadline - time.monotonic())):
            try:
                self.flush()
            finally:
                self._handing.release()
        for sink in self.sinks:
            sink.close(deadline)
        _writers.discard(self)

    def _rouse(self) -> None:
        self._awake = True
        if not self._closed and (self._thread is not None or self._started()):
            self._wake.set()
            return
        self._awake = False
        self.flush()

    def _started(self) -> bool:
        """Start the thread; False if the interpreter is leaving and starts none any more."""
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="tallow-logs", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    self._closed = True
                    return False
                self._thread = thread
        return True

    def _run(self) -> None:
        telemetry.mine = True
        while not self._closed:
            self._wake.wait()
            if not self._closed:
                time.sleep(GATHER_S)
            self._wake.clear()
            self._awake = False
            self.flush()

    def _take(self) -> list[bytes]:
        with self._lock:
            lines, self._lines = self._lines, deque()
            self._bytes = 0
        return list(lines)

    def _hand(self, lines: list[bytes]) -> None:
        for sink in self.sinks:
            try:
                sink.write(lines)
            except Exception:  # noqa: BLE001 - one sink's failure is neither the others' nor the host's
                self._metrics.record_dropped("logs", "failed", len(lines))


class _Telemetry(threading.local):
    mine = False


telemetry: Final = _Telemetry()
"""``mine`` is true on the library's own threads: what they log of their own sending is not sent in turn."""

_writers: Final[weakref.WeakSet[Writer]] = weakref.WeakSet()


def _after_fork() -> None:
    for writer in list(_writers):
        writer._reset()


_register: Callable[..., None] | None = getattr(os, "register_at_fork", None)
if _register is not None:
    _register(after_in_child=_after_fork)
