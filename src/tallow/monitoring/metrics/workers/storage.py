"""Storage of samples in files that several workers share, so that one scrape covers all of them.

Each worker keeps its cells in memory-mapped files in a directory that the workers share, and an index that
names the series of each cell. The process that is scraped sums its own cells, those of live workers, and the
archive of exited ones (:mod:`tallow.monitoring.metrics.workers.reader`). A live worker holds a lock on
its index; the kernel releases the lock however the process ends.

Layout of the directory: ``ID.index`` (one line of JSON for each series, and for
each definition of a metric that no catalogue has), ``ID.N.row`` (64-bit floats, one
file for each thread), ``archive.json`` (sums of exited workers) and ``archive.lock``. The name of an
incomplete file begins with a dot.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import orjson

from tallow.monitoring.catalog import Metric
from tallow.monitoring.lifecycle import warn_once
from tallow.monitoring.metrics.storage import Row, Sums
from tallow.monitoring.metrics.workers.definitions import definition_line
from tallow.monitoring.metrics.workers.reader import CAPACITY, MultiprocessReader, total

CELLS_PER_STEP: Final = 1 << 13
"""Cells that get their disk blocks at a time. On a full disk, writing to a mapped page without a block ends
the process by SIGBUS."""

SPARE_CELLS: Final = 1024
"""The first cells of each row, from :data:`SPARE` on: for a metric of which not even one series has room. A
series has fewer (:data:`tallow.monitoring.catalog.validation.MAX_BUCKETS`)."""

RETRY_S: Final = 5.0
"""Seconds after a failed write in which no other series is tried: each would write to the full disk again."""

LEFTOVER_S: Final = 60
"""Seconds after which an incomplete file is removed: writing one takes milliseconds."""
_INCOMPLETE: Final = re.compile(r"\.\d+-[0-9a-f]{8}(\.\d+\.row)?")
"""Names of an incomplete index and an incomplete row."""


class WorkerStorage:
    """This worker's rows, one file for each thread that runs at the same time.

    Args:
        directory: the folder that the workers share; created if it does not exist.
        max_cells: cells of a row, without spare ones.
        write: writes to a file descriptor; raises OSError if the disk is full.

    Raises:
        OSError: the directory cannot be written to.
    """

    shared = True

    def __init__(
        self,
        directory: Path,
        max_cells: int = CAPACITY - SPARE_CELLS,
        write: Callable[[int, bytes], None] | None = None,
    ) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self._directory = directory
        self._used = SPARE_CELLS
        self._max_cells = max_cells + SPARE_CELLS
        self._capacity = min(CELLS_PER_STEP, self._max_cells)
        self._retry_at = 0.0
        self._write = write or write_completely
        _clear_leftovers(directory)
        self._create_files(b"")

    def _create_files(self, layout: bytes) -> None:
        """Create files under a new name. ``layout`` is the content of the index."""
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._rows: list[memoryview[float]] = []
        self._free: list[Row] = []
        # Locked before it gets its name: a reader takes an unlocked index for that of an exited worker.
        hidden = self._directory / f".{self._name}"
        self._index = os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND, 0o600)
        fcntl.flock(self._index, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._write(self._index, layout)
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
                # No room for another file. Two threads that share a row may lose an increment, which is
                # better than a thread that cannot record.
                warn_once.warn_once("threads share one row of samples", self, error)
                return self._rows[0]

    def release(self, row: Row) -> None:
        with self.lock:
            if any(row is known for known in self._rows):  # else it is from before a fork
                self._free.append(row)

    def describe(self, metric: Metric) -> None:
        with self.lock:
            try:
                self._write(self._index, b"\n" + definition_line(metric) + b"\n")
            except OSError as error:
                warn_once.warn_once("a metric cannot be described to the other workers", self, error)

    def allocate(self, metric: str, values: tuple[str, ...], width: int) -> int | None:
        with self.lock:
            first = self._used
            if time.monotonic() < self._retry_at:
                return None
            try:
                while first + width > self._capacity:
                    self._extend_rows()
                # A full disk may have cut the previous line short: begin a new one.
                self._write(self._index, b"\n" + orjson.dumps([metric, values, first, width]) + b"\n")
            except OSError as error:
                warn_once.warn_once("further series cannot be shared with the other workers", self, error)
                self._retry_at = time.monotonic() + RETRY_S
                return None
            self._used += width
        return first

    def allocate_unshared(self, width: int) -> int | None:
        with self.lock:
            first = self._used
            if first + width > self._capacity:
                return None
            self._used += width
        return first

    def set(self, cell: int, value: float) -> None:
        with self.lock:
            for row in self._rows[1:]:
                row[cell] = 0.0
            self._rows[0][cell] = value

    def stepper(self, cell: int) -> None:
        """Return None: every sample is in the files, so that none is lost with the process."""

    def read(self) -> list[float]:
        with self.lock:
            rows, used = list(self._rows), self._used
        return total(rows, used)

    def other_processes(self) -> list[tuple[bool, Sums]]:
        return self._others.read()

    def other_definitions(self) -> Mapping[str, Metric]:
        return dict(self._others.definitions)  # another thread may read the files meanwhile

    def after_fork(self) -> None:
        if self._index < 0:  # closed, or without files already
            return
        layout = os.pread(self._index, os.fstat(self._index).st_size, 0)
        os.close(self._index)  # the parent has the file open and keeps the lock
        self._others.close()
        try:
            self._create_files(layout)
        except OSError as error:  # memory that is not shared, instead of the parent's row
            warn_once.warn_once("only a forked process itself exposes its metrics", self, error)
            self._index = -1
            self._rows = [memoryview(bytearray(self._max_cells * 8)).cast("d")]
            self._free = list[Row](self._rows)

    def close(self) -> None:
        """Release the index: this worker counts as exited from now on. Closing twice is allowed."""
        self._others.close()
        if self._index >= 0:
            os.close(self._index)
            self._index = -1

    def _path(self, row: int) -> Path:
        return self._directory / f"{self._name}.{row}.row"

    def _create_row(self) -> memoryview[float]:
        path = self._path(len(self._rows))
        hidden = path.with_name(f".{path.name}")
        with hidden.open("x+b", buffering=0) as file:
            self._write(file.fileno(), bytes(self._capacity * 8))
            file.truncate(self._max_cells * 8)
            row = memoryview(mmap.mmap(file.fileno(), self._max_cells * 8)).cast("d")
        hidden.rename(path)
        self._rows.append(row)
        return row

    def _extend_rows(self) -> None:
        """Allocate disk blocks for more cells of each row.

        Raises:
            OSError: the rows or the disk are full.
        """
        if self._capacity + CELLS_PER_STEP > self._max_cells:
            raise OSError("all cells are in use")
        for number in range(len(self._rows)):
            with self._path(number).open("r+b", buffering=0) as file:
                file.seek(self._capacity * 8)
                self._write(file.fileno(), bytes(CELLS_PER_STEP * 8))
        self._capacity += CELLS_PER_STEP


def write_completely(descriptor: int, content: bytes) -> None:
    """Write all of ``content``.

    Raises:
        OSError: the disk is full.
    """
    if os.write(descriptor, content) != len(content):
        raise OSError("the disk is full")


def _clear_leftovers(directory: Path) -> None:
    """Remove old incomplete files. Other hidden files of the directory are kept."""
    for path in (path for path in directory.iterdir() if _INCOMPLETE.fullmatch(path.name)):
        try:
            if path.stat().st_mtime < time.time() - LEFTOVER_S:
                path.unlink()
        except OSError:  # another worker has removed it
            continue
