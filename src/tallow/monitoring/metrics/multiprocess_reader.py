"""What the other workers of a directory have counted: the living, and those that ended.

Reading takes no lock and waits for nobody. A dead worker's sums move into the archive, once: the archive,
replaced in one step, names those whose files are still to be removed. A reader that finds another archive
after its reading than before it reads again, as it may have seen a worker in both places, or in neither.
"""

from __future__ import annotations

import fcntl
import mmap
import threading
import time
from operator import add
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from tallow.monitoring.catalog import OTHER
from tallow.monitoring.lifecycle import warn_once
from tallow.monitoring.metrics.storage import Sums

CAPACITY: Final = 1 << 17
"""Cells to a row: a mebibyte, room for more than a hundred times the catalogue."""

ATTEMPTS: Final = 100
"""Readings that a worker's burial may spoil, one a burial, before one is taken as it is."""

MAX_ARCHIVED: Final = 5_000
"""Series of one metric in the archive. What more the dead had, over generations, is summed up as other."""

Stamp = tuple[int, int, int]


class Archive(NamedTuple):
    """The dead: those whose files may still be there though they are in the sums, and the sums."""

    archived_workers: frozenset[str]
    sums: Sums


class MultiprocessReader:
    """The other workers of a directory. One reader a process, and one reading at a time."""

    def __init__(self, directory: Path, own: str) -> None:
        self._directory = directory
        self._own = own
        self._open: dict[str, _Worker] = {}
        self._path = directory / "archive.json"
        self._stamp: Stamp | None = None
        self._archive = Archive(frozenset(), {})
        self._reading = threading.Lock()

    def read(self) -> list[tuple[bool, Sums]]:
        """(True, cells) of each other worker that lives, and (False, sums) of those that have ended."""
        dead: list[str] = []
        found: list[tuple[bool, Sums]] = []
        with self._reading:
            for _ in range(ATTEMPTS):
                archive = self._archived()
                dead, found = self._read(archive)
                if self._seen() == self._stamp:
                    break
            if dead:
                self._archive_exited(dead)
        return found

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()

    def _read(self, archive: Archive) -> tuple[list[str], list[tuple[bool, Sums]]]:
        names = {path.stem for path in self._directory.glob("*.index")} - {self._own}
        for name in self._open.keys() - names:
            self._open.pop(name).close()
        dead = sorted(names & archive.archived_workers)  # whose burier was killed before it removed the files
        found = [(False, archive.sums)]
        for name in names - archive.archived_workers:
            try:
                worker = self._open.get(name) or _Worker(self._directory, name)
            except FileNotFoundError:  # buried just now
                continue
            self._open[name] = worker
            alive = worker.alive()
            found.append((alive, worker.sums()))
            if not alive:
                dead.append(name)
        return dead, found

    def _seen(self) -> Stamp | None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _archived(self) -> Archive:
        """The archive, read again if it is another one than before."""
        stamp = self._seen()
        if stamp != self._stamp:
            self._archive = _parse(self._path)
            self._stamp = stamp
        return self._archive

    def _archive_exited(self, dead: list[str]) -> None:
        """Move dead workers' sums into the archive, unless somebody else is about it. To be killed in here
        loses nothing and counts nothing twice."""
        try:
            with (self._directory / "archive.lock").open("a") as guard:
                fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._move([name for name in dead if (self._directory / f"{name}.index").exists()])
        except BlockingIOError:
            pass
        except OSError as error:  # a full disk: they are read from their own files as long as need be
            warn_once.warn_once("ended workers' figures cannot be archived", self, error)

    def _move(self, dead: list[str]) -> None:
        archive = self._archived()
        fresh = [name for name in dead if name not in archive.archived_workers]
        if fresh:
            sums = {metric: dict(series) for metric, series in archive.sums.items()}
            for name in fresh:
                _add(sums, self._open[name].sums())
            left = [name for name in archive.archived_workers if (self._directory / f"{name}.index").exists()]
            plain = {metric: list(series.items()) for metric, series in sums.items()}
            draft = self._directory / ".archive"
            draft.write_bytes(orjson.dumps({"buried": [*left, *fresh], "sums": plain}))
            draft.rename(self._path)
        for name in dead:
            for pattern in (f"{name}.*.row", f".{name}.*.row", f"{name}.index"):
                for path in self._directory.glob(pattern):
                    path.unlink(missing_ok=True)


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
        fcntl.flock(self._index, fcntl.LOCK_UN)
        return False

    def sums(self) -> Sums:
        """Each series' cells, added up over the worker's rows."""
        *lines, self._tail = (self._tail + self._index.read()).split(b"\n")
        self._series += [series for line in lines if line and (series := _series(line))]
        for path in self._directory.glob(f"{self._name}.*.row"):
            if path not in self._rows:
                try:
                    self._rows[path] = _map(path)
                except FileNotFoundError:  # buried just now
                    continue
        used = max((first + width for _, _, first, width in self._series), default=0)
        cells = total(list(self._rows.values()), used)
        found: Sums = {}
        for metric, values, first, width in self._series:
            found.setdefault(metric, {})[values] = cells[first : first + width]
        return found

    def close(self) -> None:
        self._index.close()
        self._rows.clear()


def total(rows: list[memoryview[float]], used: int) -> list[float]:
    """The first ``used`` cells, added up over rows."""
    sums = [0.0] * used
    for row in rows:
        sums = list(map(add, sums, row[:used].tolist()))
        time.sleep(0)  # as in LocalStorage.read
    return sums


def _map(path: Path) -> memoryview[float]:
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)).cast("d")


def _series(line: bytes) -> tuple[str, tuple[str, ...], int, int] | None:
    """A line of an index; None if it was cut short."""
    try:
        metric, values, first, width = orjson.loads(line)
        return (metric, tuple(values), first, width) if 0 <= first <= CAPACITY - width else None
    except (ValueError, TypeError):
        return None


def _parse(path: Path) -> Archive:
    try:
        document = orjson.loads(path.read_bytes())
        sums = {
            name: {tuple(key): list(map(float, cells)) for key, cells in series}
            for name, series in document["sums"].items()
        }
        return Archive(frozenset(document["buried"]), sums)
    except FileNotFoundError:
        return Archive(frozenset(), {})
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
    ) as error:  # the machine went down as it was written
        warn_once.warn_once("the archive of ended workers cannot be read, and is begun anew", path, error)
        return Archive(frozenset(), {})


def _add(sums: Sums, more: Sums) -> None:
    """Add ``more`` into ``sums``, in place."""
    for metric, series in more.items():
        known = sums.setdefault(metric, {})
        for values, cells in series.items():
            key = values if values in known or len(known) < MAX_ARCHIVED else (OTHER,) * len(values)
            before = known.get(key, [])
            known[key] = list(map(add, before, cells)) if len(before) == len(cells) else cells
