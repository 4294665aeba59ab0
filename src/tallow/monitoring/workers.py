"""Several workers, one scrape: rows in files that outlive the process that wrote them.

Each worker keeps its cells in memory-mapped files in a directory the workers share, and an index that says
which series a cell belongs to. Whoever answers a scrape adds up its own cells, those of the living, and what
the dead left. A worker holds a lock on its index while it lives; the kernel takes it back however the process
ends, so that a killed worker is known for dead at the next scrape and its sums move into the archive, once.

Layout of the directory: ``ID.index`` (a line of JSON a series), ``ID.N.row`` (64-bit floats, sparse, one file
a thread), ``archive.json`` (sums of the dead) and ``archive.lock``.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import secrets
import threading
import time
from operator import add
from pathlib import Path
from typing import Final

import orjson

from tallow.monitoring.cells import Row, Sums

CAPACITY: Final = 1 << 17
"""Cells to a row: a sparse mebibyte, room for some fifty times the catalogue."""

PATIENCE_S: Final = 0.25
"""How long a scrape waits for another one to end."""


class WorkerStorage:
    """This worker's rows, in files of a directory it shares with the others."""

    shared = True

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.lock = threading.RLock()
        self._directory = directory
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._used = 0
        self._rows: list[memoryview[float]] = []
        self._free: list[Row] = []
        # Locked before it bears its name: nobody may ever find the index of a living worker unlocked.
        hidden = directory / f".{self._name}"
        self._index = os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND, 0o600)
        fcntl.flock(self._index, fcntl.LOCK_EX | fcntl.LOCK_NB)
        hidden.rename(directory / f"{self._name}.index")
        self.give_back(self.lend())
        self._others = Others(directory, self._name)

    def lend(self) -> Row:
        with self.lock:
            if self._free:
                return self._free.pop()
            row = _create_row(self._directory / f"{self._name}.{len(self._rows)}.row")
            self._rows.append(row)
            return row

    def give_back(self, row: Row) -> None:
        with self.lock:
            self._free.append(row)

    def allocate(self, metric: str, values: tuple[str, ...], width: int) -> int | None:
        with self.lock:
            if self._used + width > CAPACITY:
                return None
            first = self._used
            self._used += width
            os.write(self._index, orjson.dumps([metric, values, first, width]) + b"\n")
        return first

    def set(self, cell: int, value: float) -> None:
        with self.lock:
            for row in self._rows[1:]:
                row[cell] = 0.0
            self._rows[0][cell] = value

    def read(self) -> list[float]:
        with self.lock:
            return _total(self._rows, self._used)

    def elsewhere(self) -> list[tuple[bool, Sums]]:
        return self._others.read()

    def close(self) -> None:
        """Leave: from now on this worker counts among those that have ended."""
        self._others.close()
        os.close(self._index)


class Others:
    """What the other workers of a directory have counted. One reader a process."""

    def __init__(self, directory: Path, own: str) -> None:
        self._directory = directory
        self._archive = directory / "archive.json"
        self._own = own
        self._open: dict[str, _Worker] = {}
        self._last: list[tuple[bool, Sums]] = []

    def read(self) -> list[tuple[bool, Sums]]:
        """(True, cells) of each other worker that lives, and (False, sums) of all that have ended.

        One reader at a time, or one could move a worker into the archive between another's look at the two.
        Should the lock not come free (its holder is stopped), the last reading serves once more.
        """
        with (self._directory / "archive.lock").open("a") as guard:
            if _locked_within(guard.fileno(), PATIENCE_S):
                self._last = self._read()
        return self._last

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()

    def _read(self) -> list[tuple[bool, Sums]]:
        names = {path.stem for path in self._directory.glob("*.index")} - {self._own}
        for name in names - self._open.keys():
            self._open[name] = _Worker(self._directory, name)
        found: list[tuple[bool, Sums]] = []
        for name, worker in list(self._open.items()):
            if name in names and worker.alive():
                found.append((True, worker.sums()))
                continue
            if name in names:
                self._bury(name, worker)
            self._open.pop(name).close()
        return [*found, (False, self._archived()[1])]

    def _archived(self) -> tuple[list[str], Sums]:
        """The workers whose files may still be there though they are in the archive, and the sums."""
        if not self._archive.exists():
            return [], {}
        document = orjson.loads(self._archive.read_bytes())
        sums = {
            name: {tuple(key): cells for key, cells in series} for name, series in document["sums"].items()
        }
        return document["buried"], sums

    def _bury(self, name: str, worker: _Worker) -> None:
        """Move a dead worker's sums into the archive. To be killed in here loses nothing and counts nothing
        twice: the archive, replaced in one step, names those whose files are still to be removed."""
        buried, sums = self._archived()
        if name not in buried:
            _add(sums, worker.sums())
            left = [other for other in buried if (self._directory / f"{other}.index").exists()]
            plain = {metric: list(series.items()) for metric, series in sums.items()}
            draft = self._archive.with_suffix(".draft")
            draft.write_bytes(orjson.dumps({"buried": [*left, name], "sums": plain}))
            draft.rename(self._archive)
        for path in self._directory.glob(f"{name}.*.row"):
            path.unlink()
        (self._directory / f"{name}.index").unlink()


class _Worker:
    """Another worker's files. The index is read on from where the last reading ended."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = name
        self._index = (directory / f"{name}.index").open("rb")
        self._series: list[tuple[str, tuple[str, ...], int, int]] = []
        self._rows: dict[Path, memoryview[float]] = {}
        self._tail = b""

    def alive(self) -> bool:
        """Whether it still holds the lock on its index, which the kernel takes back from the dead."""
        try:
            fcntl.flock(self._index, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False

    def sums(self) -> Sums:
        """Each series' cells, added up over the worker's rows."""
        *lines, self._tail = (self._tail + self._index.read()).split(b"\n")
        for line in lines:
            metric, values, first, width = orjson.loads(line)
            self._series.append((metric, tuple(values), first, width))
        for path in self._directory.glob(f"{self._name}.*.row"):
            if path not in self._rows:
                with path.open("r+b") as file:
                    self._rows[path] = memoryview(mmap.mmap(file.fileno(), CAPACITY * 8)).cast("d")
        used = max((first + width for _, _, first, width in self._series), default=0)
        total = _total(list(self._rows.values()), used)
        found: Sums = {}
        for metric, values, first, width in self._series:
            found.setdefault(metric, {})[values] = total[first : first + width]
        return found

    def close(self) -> None:
        self._index.close()
        self._rows.clear()


def _total(rows: list[memoryview[float]], used: int) -> list[float]:
    total = [0.0] * used
    for row in rows:
        total = list(map(add, total, row[:used].tolist()))
    return total


def _add(total: Sums, more: Sums) -> None:
    """Add ``more`` into ``total``, in place."""
    for metric, series in more.items():
        known = total.setdefault(metric, {})
        for values, cells in series.items():
            known[values] = list(map(add, known[values], cells)) if values in known else cells


def _create_row(path: Path) -> memoryview[float]:
    """A new row's file, of full size before it bears its name."""
    hidden = path.with_name(f".{path.name}")
    with hidden.open("x+b") as file:
        file.truncate(CAPACITY * 8)
        row = memoryview(mmap.mmap(file.fileno(), CAPACITY * 8)).cast("d")
    hidden.rename(path)
    return row


def _locked_within(descriptor: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        else:
            return True
