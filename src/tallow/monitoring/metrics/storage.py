"""Storage of samples: rows of floating-point cells, one row for each thread.

A counter or gauge takes one cell. A histogram takes one for each bucket (the bucket's own count, not the
running total), one for values above the last edge, and one for the sum. All rows have the same layout; a
sample is the sum of its cell over all rows. Each thread writes only to its own row, so recording takes no
lock and does not depend on the interpreter's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from itertools import count
from operator import add
from typing import Final, Protocol

from tallow.monitoring.catalog import Metric

MAX_FREE_ROWS: Final = 16
"""Rows of ended threads that are kept for new threads. Further rows are added to one list and freed."""

SPARE: Final = 0
"""The first of the cells whose samples are exposed nowhere, in a storage that may have no room."""

Sums = dict[str, dict[tuple[str, ...], list[float]]]
"""Maps metric names to label values to the cells of that series."""


class Row(Protocol):
    """Numbered cells of 64-bit floats."""

    def __getitem__(self, index: int, /) -> float: ...

    def __setitem__(self, index: int, value: float, /) -> None: ...


class Storage(Protocol):
    """Allocates cells, and a row of them for each thread."""

    lock: threading.RLock
    """Guards the layout and the list of rows.

    Re-entrant: a garbage collection while it is held is recorded.
    """

    shared: bool
    """Whether other processes read the rows, so that gauges must be updated without a scrape."""

    def acquire(self) -> Row:
        """Return a row for the calling thread to write to."""

    def release(self, row: Row) -> None:
        """Take back the row of an ended thread. Its values stay; a new thread may get it."""

    def describe(self, metric: Metric) -> None:
        """Tell other processes the definition of a metric that no catalogue has."""

    def allocate(self, metric: str, values: tuple[str, ...], width: int) -> int | None:
        """Return the first of ``width`` new cells, all 0, for a series; None if there is no room."""

    def allocate_unshared(self, width: int) -> int | None:
        """Return the first of ``width`` new cells that no other process reads; None if there is no room."""

    def set(self, cell: int, value: float) -> None:
        """Make ``value`` the sum of a cell over all rows."""

    def stepper(self, cell: int) -> Callable[[], int] | None:
        """Return a function that adds 1 to a cell, faster than a row does; None if there is none."""

    def read(self) -> list[float]:
        """Return the sum of each cell over all rows."""

    def other_processes(self) -> list[tuple[bool, Sums]]:
        """Return the values of other processes, each with whether the process is alive."""

    def other_definitions(self) -> Mapping[str, Metric]:
        """Return the metrics that other processes have described, by key."""

    def after_fork(self) -> None:
        """Stop sharing rows with the parent process, in a forked child."""

    def close(self) -> None:
        """Release files. Closing twice is allowed."""


class ThreadSlot(threading.local):
    """``row`` is the calling thread's own: acquired at its first use, released when the thread ends."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.replace_row()

    def replace_row(self) -> None:
        """Acquire another row, in a forked child: the one held belongs to the parent."""
        self.row = self._storage.acquire()
        self._lease = SlotLease(self._storage, self.row)


class SlotLease:
    """Releases the row when the thread's locals are freed; Python has no hook for the end of a thread."""

    __slots__ = ("_row", "_storage")

    def __init__(self, storage: Storage, row: Row) -> None:
        self._storage = storage
        self._row = row

    def __del__(self) -> None:
        self._storage.release(self._row)


class LocalStorage:
    """Rows in this process's memory. The rows of ended threads are added to one list."""

    shared = False

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._ended: list[float] = []
        self._rows: dict[int, list[float]] = {}
        self._free: list[list[float]] = []
        self._steps: dict[int, count[int]] = {}

    @property
    def row_count(self) -> int:
        """The number of rows in memory, of running and of ended threads."""
        return len(self._rows)

    def acquire(self) -> Row:
        with self.lock:
            if self._free:
                return self._free.pop()
            row = [0.0] * len(self._ended)
            self._rows[id(row)] = row
            return row

    def release(self, row: Row) -> None:
        with self.lock:
            released = self._rows[id(row)]
            if len(self._free) < MAX_FREE_ROWS:
                self._free.append(released)
                return
            # A new list: a reader may be adding up the old list and this row.
            self._ended = list(map(add, self._ended, released))
            del self._rows[id(row)]

    def describe(self, metric: Metric) -> None:
        """Do nothing: no other process reads the samples."""

    def allocate(self, metric: str, values: tuple[str, ...], width: int) -> int:
        with self.lock:
            first = len(self._ended)
            for row in (self._ended, *self._rows.values()):
                row.extend([0.0] * width)
        return first

    def allocate_unshared(self, width: int) -> int:
        return self.allocate("", (), width)

    def set(self, cell: int, value: float) -> None:
        with self.lock:
            for row in self._rows.values():
                row[cell] = 0.0
            self._ended[cell] = value

    def stepper(self, cell: int) -> Callable[[], int]:
        # One call of C code: neither a lock nor a look-up of the thread's row is needed.
        with self.lock:
            return self._steps.setdefault(cell, count()).__next__

    def read(self) -> list[float]:
        with self.lock:
            total, rows = self._ended.copy(), list(self._rows.values())
            steps = list(self._steps.items())
        # Without the lock, so that recording does not wait for a scrape.
        for row in rows:
            total = list(map(add, total, row))
            time.sleep(0)  # lets another thread take the interpreter's lock, such as the event loop's
        for cell, counted in steps:
            total[cell] += _steps_of(counted)
        return total

    def other_processes(self) -> list[tuple[bool, Sums]]:
        return []

    def other_definitions(self) -> Mapping[str, Metric]:
        return {}

    def after_fork(self) -> None:
        """Do nothing: memory is not shared."""

    def close(self) -> None:
        """Do nothing: there are no files."""


def _steps_of(counted: count[int]) -> int:
    """Return how often ``next()`` was called: only the repr tells it without a call, as in ``count(5)``."""
    return int(repr(counted)[len("count(") : -1])
