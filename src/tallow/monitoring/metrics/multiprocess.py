"""Several workers, one scrape: rows in files that outlive the process that wrote them.

Each worker keeps its cells in memory-mapped files in a directory that the workers share, and an index that
names the series of each cell. The process that is scraped sums its own cells, those of live workers, and the
archive of exited ones (:mod:`tallow.monitoring.metrics.multiprocess_reader`). A live worker holds a lock on
its index; the kernel releases the lock however the process ends.

Layout of the directory: ``ID.index`` (a line of JSON a series), ``ID.N.row`` (64-bit floats, one file a
thread), ``archive.json`` (sums of the dead) and ``archive.lock``. A file is hidden until it is whole.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import re
import secrets
import threading
import time
from pathlib import Path
from typing import Final

import orjson

from tallow.monitoring.lifecycle import warn_once
from tallow.monitoring.metrics.multiprocess_reader import CAPACITY, MultiprocessReader, total
from tallow.monitoring.metrics.storage import Row, Sums

STEP: Final = 1 << 13
"""Cells that get their disk blocks at a time. A page written without, on a full disk, ends the process."""

LEFTOVER_S: Final = 60
"""A draft of this age is one whose maker was killed: it takes milliseconds to make one."""
_DRAFT: Final = re.compile(r"\.\d+-[0-9a-f]{8}(\.\d+\.row)?")
"""The names of drafts: of an index and of a row."""


class WorkerStorage:
    """This worker's rows, in files of a directory it shares with the others: as many as threads ran at once.

    Raises:
        OSError: the directory cannot be written to.
    """

    shared = True

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self._directory = directory
        self._used = 0
        self._room = STEP
        _clear_leftovers(directory)
        self._begin(b"")

    def _begin(self, layout: bytes) -> None:
        """Take a name, and files of that name, for cells laid out as ``layout`` says."""
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._rows: list[memoryview[float]] = []
        self._free: list[Row] = []
        # Locked before it bears its name: nobody may ever find the index of a living worker unlocked.
        hidden = self._directory / f".{self._name}"
        self._index = os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND, 0o600)
        fcntl.flock(self._index, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _write(self._index, layout)
        hidden.rename(self._directory / f"{self._name}.index")
        self._create_row()
        self._free.append(self._rows[0])
        self._others = MultiprocessReader(self._directory, self._name)

    def acquire(self) -> Row:
        with self.lock:
            if self._free:
                return self._free.pop()
            try:
                return self._create_row()
            except OSError as error:
                # No room for another file. Without the interpreter's lock, two threads on one row may lose an
                # increment: less than a thread that cannot count at all.
                warn_once.warn_once("threads share one row of figures", self, error)
                return self._rows[0]

    def release(self, row: Row) -> None:
        with self.lock:
            if any(row is known for known in self._rows):  # else it is from before a fork
                self._free.append(row)

    def allocate(self, metric: str, values: tuple[str, ...], width: int) -> int | None:
        with self.lock:
            first = self._used
            try:
                while first + width > self._room:
                    self._make_room()
                # A line may have been cut short by a full disk: each begins on a line of its own.
                _write(self._index, b"\n" + orjson.dumps([metric, values, first, width]) + b"\n")
            except OSError as error:
                warn_once.warn_once("no further series can be shared with the other workers", self, error)
                return None
            self._used += width
        return first

    def set(self, cell: int, value: float) -> None:
        with self.lock:
            for row in self._rows[1:]:
                row[cell] = 0.0
            self._rows[0][cell] = value

    def read(self) -> list[float]:
        with self.lock:
            rows, used = list(self._rows), self._used
        return total(rows, used)

    def other_processes(self) -> list[tuple[bool, Sums]]:
        return self._others.read()

    def after_fork(self) -> None:
        layout = os.pread(self._index, os.fstat(self._index).st_size, 0)
        os.close(self._index)  # the lock stays with the process that was copied: it has the file open still
        self._others.close()
        try:
            self._begin(layout)
        except OSError as error:  # memory of its own, which nobody else sees: better than the parent's row
            warn_once.warn_once("a forked process's figures are seen by itself alone", self, error)
            self._index = -1
            self._rows = [memoryview(bytearray(CAPACITY * 8)).cast("d")]
            self._free = list[Row](self._rows)

    def close(self) -> None:
        """Leave: from now on this worker counts among those that have ended."""
        self._others.close()
        os.close(self._index)

    def _path(self, row: int) -> Path:
        return self._directory / f"{self._name}.{row}.row"

    def _create_row(self) -> memoryview[float]:
        path = self._path(len(self._rows))
        hidden = path.with_name(f".{path.name}")
        with hidden.open("x+b", buffering=0) as file:
            _write(file.fileno(), bytes(self._room * 8))
            file.truncate(CAPACITY * 8)
            row = memoryview(mmap.mmap(file.fileno(), CAPACITY * 8)).cast("d")
        hidden.rename(path)
        self._rows.append(row)
        return row

    def _make_room(self) -> None:
        """Give each row blocks for more cells.

        Raises:
            OSError: the rows are full, or the disk is.
        """
        if self._room + STEP > CAPACITY:
            raise OSError("all cells are in use")
        for number in range(len(self._rows)):
            with self._path(number).open("r+b", buffering=0) as file:
                file.seek(self._room * 8)
                _write(file.fileno(), bytes(STEP * 8))
        self._room += STEP


def _write(descriptor: int, content: bytes) -> None:
    """Write all of it.

    Raises:
        OSError: there is no room.
    """
    if os.write(descriptor, content) != len(content):
        raise OSError("the disk is full")


def _clear_leftovers(directory: Path) -> None:
    """Remove old drafts by their names: the directory may hold hidden files of others."""
    for path in (path for path in directory.iterdir() if _DRAFT.fullmatch(path.name)):
        try:
            if path.stat().st_mtime < time.time() - LEFTOVER_S:
                path.unlink()
        except OSError:  # another worker was quicker
            continue
