"""Where samples live: rows of floating-point cells, one row a thread.

A counter or gauge takes one cell. A histogram takes one per bucket (its own count, not the running total),
one for what lies above the last edge, and one for the sum. Every row has the same layout; a sample is the sum
of its cell over all rows. As each thread writes to its own row alone, recording takes no lock, and no sum
relies on the interpreter's.
"""

from __future__ import annotations

import threading
import time
from operator import add
from typing import Final, Protocol

SPARE: Final = 16
"""Rows of ended threads that wait for new ones. Any further row is folded, and its memory freed."""

Sums = dict[str, dict[tuple[str, ...], list[float]]]
"""Metric name to label values to the cells of that series."""


class Row(Protocol):
    """Numbered cells of 64-bit floats."""

    def __getitem__(self, index: int, /) -> float: ...

    def __setitem__(self, index: int, value: float, /) -> None: ...


class Storage(Protocol):
    """Hands out cells, and a row of them to each thread."""

    lock: threading.RLock
    """Guards the layout and the list of rows. Re-entrant: a garbage collection inside it is recorded too."""

    shared: bool
    """Whether other processes read what stands here, so that gauges must be kept up to date."""

    def acquire(self) -> Row:
        """A row for the calling thread to write to."""

    def release(self, row: Row) -> None:
        """The row's thread has ended. Its sums stay, and the next new thread goes on with it."""

    def allocate(self, metric: str, values: tuple[str, ...], width: int) -> int | None:
        """The first of ``width`` new cells, all 0, for a series; None when there is no room left."""

    def set(self, cell: int, value: float) -> None:
        """Make the sum over all rows ``value``."""

    def read(self) -> list[float]:
        """The sum of each cell over all rows."""

    def other_processes(self) -> list[tuple[bool, Sums]]:
        """What other processes have counted for the same exposition, each with whether it still lives."""

    def after_fork(self) -> None:
        """This process is a copy of the one that began: share nothing with it from now on."""


class ThreadSlot(threading.local):
    """``row`` is the calling thread's own: lent at its first use, given back when the thread ends."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.renew()

    def renew(self) -> None:
        """Take another row: the one held was a different process's."""
        self.row = self._storage.acquire()
        self._loan = SlotLease(self._storage, self.row)


class SlotLease:
    """Ends with the thread whose thread-local data hold it: there is no other call at a thread's end."""

    __slots__ = ("_row", "_storage")

    def __init__(self, storage: Storage, row: Row) -> None:
        self._storage = storage
        self._row = row

    def __del__(self) -> None:
        self._storage.release(self._row)


class LocalStorage:
    """Rows in this process's memory. The sums of threads long gone are folded into one list."""

    shared = False

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._folded: list[float] = []
        self._rows: dict[int, list[float]] = {}
        self._free: list[list[float]] = []

    def acquire(self) -> Row:
        with self.lock:
            if self._free:
                return self._free.pop()
            row = [0.0] * len(self._folded)
            self._rows[id(row)] = row
            return row

    def release(self, row: Row) -> None:
        with self.lock:
            ended = self._rows[id(row)]
            if len(self._free) < SPARE:
                self._free.append(ended)
                return
            # A new list: a reader may be adding up the old one, and this row, at the moment.
            self._folded = list(map(add, self._folded, ended))
            del self._rows[id(row)]

    def allocate(self, metric: str, values: tuple[str, ...], width: int) -> int | None:
        with self.lock:
            first = len(self._folded)
            for row in (self._folded, *self._rows.values()):
                row.extend([0.0] * width)
        return first

    def set(self, cell: int, value: float) -> None:
        with self.lock:
            for row in self._rows.values():
                row[cell] = 0.0
            self._folded[cell] = value

    def read(self) -> list[float]:
        with self.lock:
            total, rows = self._folded.copy(), list(self._rows.values())
        # Without the lock: nobody who records waits for a scrape.
        for row in rows:
            total = list(map(add, total, row))
            time.sleep(0)  # the interpreter's lock goes to whoever waits for it: the event loop, most likely
        return total

    def other_processes(self) -> list[tuple[bool, Sums]]:
        return []

    def after_fork(self) -> None:
        """Memory is a copy already."""
