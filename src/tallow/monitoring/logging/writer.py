"""Queue log lines and write them to the sinks from a background thread.

A caller appends to a bounded queue and never waits for a disk, a terminal or a pipe. Lines that arrive within
:data:`GATHER_S` are written together, so that a burst costs few system calls.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from tallow.monitoring.lifecycle.background_sender import BackgroundSender
from tallow.monitoring.metrics import METRICS, Metrics

GATHER_S: Final = 0.02
MAX_LINES: Final = 200_000
MAX_BYTES: Final = 32 * 1024 * 1024
CLOSE_S: Final = 5.0
"""Seconds that closing waits for slow sinks."""


class Sink(Protocol):
    """Receives scrubbed lines."""

    def write(self, lines: Sequence[bytes]) -> None:
        """Write lines, each with its newline. Lines that cannot be kept are counted; nothing is raised."""

    def close(self, deadline: float) -> None:
        """Send what is held and free resources, by ``deadline`` on the monotonic clock."""


class Writer:
    """A bounded queue in front of the sinks.

    Args:
        sinks: receive the lines.
        metrics: counts dropped lines.
        max_lines, max_bytes: how much may be queued; further lines are dropped and counted as ``queue_full``.

    Attributes:
        put: queues one line with its newline. After :meth:`close`, and when the interpreter ends and starts
            no more threads, the line is written at once on the caller's thread.
    """

    put: Callable[[bytes], object]

    def __init__(
        self,
        sinks: Sequence[Sink],
        *,
        metrics: Metrics = METRICS,
        max_lines: int = MAX_LINES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.sinks = tuple(sinks)
        self._count_dropped = functools.partial(metrics.record_dropped, "logs")
        self._writing = threading.RLock()
        self._sender: BackgroundSender[bytes] = BackgroundSender(
            "tallow-logs",
            self.flush,
            on_drop=self._count_dropped,
            max_items=max_lines,
            max_size=max_bytes,
            size=len,
            gather_s=GATHER_S,
            on_no_thread=self.flush,
            on_fork=self._after_fork,
        )
        self.put = self._sender.put

    def _after_fork(self) -> None:
        self._writing = threading.RLock()  # another thread of the parent may have held it

    def flush(self) -> None:
        """Write on the caller's thread what was queued before this call."""
        with self._writing:
            lines = self._sender.take()
            if lines:
                self._write(lines)

    def drain(self, timeout_s: float) -> None:
        """Write what is queued and have remote sinks send it, for at most ``timeout_s`` seconds."""
        deadline = time.monotonic() + timeout_s
        self.flush()
        for sink in self.sinks:
            drain = getattr(sink, "drain", None)
            if drain is not None:
                drain(deadline)

    def close(self, timeout_s: float = CLOSE_S) -> None:
        """Write what is queued, close the sinks and end the thread, within ``timeout_s`` seconds."""
        deadline = time.monotonic() + timeout_s
        self._sender.close(timeout_s)
        if self._writing.acquire(timeout=max(0.0, deadline - time.monotonic())):
            try:
                self.flush()
            finally:
                self._writing.release()
        for sink in self.sinks:
            sink.close(deadline)

    def _write(self, lines: list[bytes]) -> None:
        for sink in self.sinks:
            try:
                sink.write(lines)
            except Exception:  # noqa: BLE001 - a failing sink must not affect the other sinks or the host
                self._count_dropped("failed", len(lines))
