"""The throughput of a process over the last ten seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

WINDOW_SECONDS: Final = 10


class ThroughputWindow:
    """A ring of one-second sums. Not thread-safe: the caller holds a lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sums = [0] * WINDOW_SECONDS
        self._second = int(clock())

    def add(self, size_bytes: int) -> None:
        """Add bytes that were just sent or received."""
        self._advance()
        self._sums[self._second % WINDOW_SECONDS] += size_bytes

    def mbps(self) -> float:
        """Return the mean over the window in 10^6 bits a second."""
        self._advance()
        return sum(self._sums) * 8 / WINDOW_SECONDS / 1e6

    def _advance(self) -> None:
        now = int(self._clock())
        if now <= self._second:  # as in most calls
            return
        for second in range(max(self._second + 1, now - WINDOW_SECONDS + 1), now + 1):
            self._sums[second % WINDOW_SECONDS] = 0
        self._second = now
