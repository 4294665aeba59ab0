"""Number lines, so that those of one millisecond differ in nanoseconds.

A line's time has milliseconds. Loki stores lines of a stream with equal time and text once, and does not keep
the order of lines with equal times. The line's number is therefore added to its time in nanoseconds.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Final

NUMBERS_PER_PROCESS: Final = 1_000
"""Lines of one millisecond that a process can number before it reaches the range of another process."""
RANGES: Final = 1_000_000 // NUMBERS_PER_PROCESS

_TIME: Final = re.compile(rb'"timestamp": ?"([^"]+)"')


class LineNumbers:
    """The numbers of a process's lines. They start again with each millisecond at one of :data:`RANGES`.

    Processes of one service share a stream: without ranges, equal lines of several workers, or of a process
    and its successor, would be stored once. Not safe to use from several threads.

    Args:
        start: the first number of each millisecond; by default that of a random range.

    Example:
        >>> numbers = LineNumbers(start=0)
        >>> line = b'{"timestamp": "2026-01-02T03:04:05.678Z"}'
        >>> numbers.take([line, line]), numbers.take([line])
        (0, 2)
        >>> numbers.take([line.replace(b"678", b"679")])
        0
    """

    def __init__(self, start: int | None = None) -> None:
        # random, not secrets: only equal numbers of two processes matter.
        chosen = random.randrange(RANGES) * NUMBERS_PER_PROCESS  # noqa: S311
        self._start = chosen if start is None else start
        self._next = self._start
        self._newest = b""

    def take(self, lines: Sequence[bytes]) -> int:
        """Return the number of the first line of a batch. Those of the others follow it."""
        times = [found[1] for found in map(_TIME.search, lines) if found]
        if times and min(times) > self._newest:  # RFC 3339 in UTC sorts as text
            self._next = self._start
        self._newest = max([self._newest, *times])
        first = self._next
        self._next += len(lines)
        return first
