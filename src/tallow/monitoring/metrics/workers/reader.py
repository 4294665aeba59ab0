"""Read the samples of the other workers of a directory, live and exited.

Reading takes no lock. The sums of an exited worker are moved into the archive once: the archive file,
replaced in one step, also names the workers whose files are still to be removed. If the archive was replaced
during a read, the read is repeated: otherwise a worker could be counted twice or not at all.
"""

from __future__ import annotations

import fcntl
import mmap
import threading
import time
from collections.abc import Mapping
from operator import add
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from tallow.monitoring.catalog import OTHER, Metric
from tallow.monitoring.lifecycle import warn_once
from tallow.monitoring.metrics.storage import Sums
from tallow.monitoring.metrics.workers.definitions import as_metric, parse_definition

CAPACITY: Final = 1 << 17
"""Cells of a row: 1 MiB, more than a hundred times the size of the catalogue."""

ATTEMPTS: Final = 100
"""Reads that are repeated because a worker was archived meanwhile, before the last one is used."""

MAX_ARCHIVED: Final = 5_000
"""Series of one metric in the archive. Further series of exited workers are added to ``other``."""

Stamp = tuple[int, int, int]


class Archive(NamedTuple):
    """The sums of exited workers, and the names of those whose files may not be removed yet."""

    archived_workers: frozenset[str]
    sums: Sums
    definitions: Mapping[str, Metric]
    """Of metrics that no catalogue has, by key."""


class MultiprocessReader:
    """Reads the other workers of a directory. One reader for each process; one read at a time.

    Attributes:
        definitions: the metrics that other workers have described, by key, as of the last read.
    """

    def __init__(self, directory: Path, own: str) -> None:
        self._directory = directory
        self._own = own
        self._open: dict[str, _Worker] = {}
        self._path = directory / "archive.json"
        self._stamp: Stamp | None = None
        self._archive = Archive(frozenset(), {}, {})
        self.definitions: dict[str, Metric] = {}
        self._reading = threading.Lock()

    def read(self) -> list[tuple[bool, Sums]]:
        """Return (True, sums) for each live worker and (False, sums) for exited ones."""
        exited: list[str] = []
        found: list[tuple[bool, Sums]] = []
        with self._reading:
            for _ in range(ATTEMPTS):
                archive = self._load_archive()
                exited, found = self._read(archive)
                if self._current_stamp() == self._stamp:
                    break
            if exited:
                self._archive_exited(exited)
        return found

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()

    def _read(self, archive: Archive) -> tuple[list[str], list[tuple[bool, Sums]]]:
        names = {path.stem for path in self._directory.glob("*.index")} - {self._own}
        for name in self._open.keys() - names:
            self._open.pop(name).close()
        # The files of archived workers remain if the process that archived them was killed.
        exited = sorted(names & archive.archived_workers)
        found = [(False, archive.sums)]
        self.definitions |= archive.definitions
        for name in names - archive.archived_workers:
            try:
                worker = self._open.get(name) or _Worker(self._directory, name)
            except FileNotFoundError:  # archived meanwhile
                continue
            self._open[name] = worker
            alive = worker.alive()
            found.append((alive, worker.sums()))
            self.definitions |= worker.definitions
            if not alive:
                exited.append(name)
        return exited, found

    def _current_stamp(self) -> Stamp | None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _load_archive(self) -> Archive:
        """Return the archive, read again if the file was replaced."""
        stamp = self._current_stamp()
        if stamp != self._stamp:
            self._archive = _parse_archive(self._path)
            self._stamp = stamp
        return self._archive

    def _archive_exited(self, exited: list[str]) -> None:
        """Move exited workers' sums into the archive, unless another process does so.

        Nothing is lost or counted twice if this process is killed meanwhile.
        """
        try:
            with (self._directory / "archive.lock").open("a") as guard:
                fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._move_to_archive([name for name in exited if self._index_path(name).exists()])
        except BlockingIOError:
            pass
        except OSError as error:  # a full disk: their own files are read until it works
            warn_once.warn_once("the metrics of exited workers cannot be archived", self, error)

    def _move_to_archive(self, exited: list[str]) -> None:
        archive = self._load_archive()
        added = [name for name in exited if name not in archive.archived_workers]
        if added:
            remaining = [name for name in archive.archived_workers if self._index_path(name).exists()]
            sums = {metric: dict(series) for metric, series in archive.sums.items()}
            definitions = dict(archive.definitions)
            for name in added:
                add_sums(sums, self._open[name].sums())
                definitions |= self._open[name].definitions
            draft = self._directory / ".archive"
            draft.write_bytes(_archive_content([*remaining, *added], sums, definitions))
            draft.rename(self._path)
        for name in exited:
            self._remove_files(name)

    def _remove_files(self, name: str) -> None:
        for pattern in (f"{name}.*.row", f".{name}.*.row", f"{name}.index"):
            for path in self._directory.glob(pattern):
                path.unlink(missing_ok=True)

    def _index_path(self, name: str) -> Path:
        return self._directory / f"{name}.index"


class _Worker:
    """Another worker's files. Each read of the index continues where the last one ended."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = name
        self._index = (directory / f"{name}.index").open("rb")
        self._series: list[tuple[str, tuple[str, ...], int, int]] = []
        self._rows: dict[Path, memoryview[float]] = {}
        self._tail = b""
        self.definitions: dict[str, Metric] = {}

    def alive(self) -> bool:
        """Whether the worker holds the lock on its index; the kernel releases it when the process ends."""
        try:
            fcntl.flock(self._index, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._index, fcntl.LOCK_UN)
        return False

    def sums(self) -> Sums:
        """Return the cells of each series, added up over the worker's rows."""
        self._read_index()
        self._map_rows()
        used = max((first + width for _, _, first, width in self._series), default=0)
        cells = total(list(self._rows.values()), used)
        found: Sums = {}
        for metric, values, first, width in self._series:
            found.setdefault(metric, {})[values] = cells[first : first + width]
        return found

    def _read_index(self) -> None:
        """Read the series and definitions that were added since the last call."""
        *lines, self._tail = (self._tail + self._index.read()).split(b"\n")
        self._series += [series for line in lines if line and (series := _parse_series(line))]
        described = [one for line in lines if (one := parse_definition(line)) is not None]
        self.definitions |= {metric.key: metric for metric in described}

    def _map_rows(self) -> None:
        """Map the rows of threads that were added since the last call."""
        for path in self._directory.glob(f"{self._name}.*.row"):
            if path not in self._rows:
                try:
                    self._rows[path] = _map(path)
                except FileNotFoundError:  # archived meanwhile
                    continue

    def close(self) -> None:
        self._index.close()
        self._rows.clear()


def total(rows: list[memoryview[float]], used: int) -> list[float]:
    """Return the first ``used`` cells, added up over all rows."""
    sums = [0.0] * used
    for row in rows:
        sums = list(map(add, sums, row[:used].tolist()))
        time.sleep(0)  # as in LocalStorage.read
    return sums


def _map(path: Path) -> memoryview[float]:
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)).cast("d")


def _parse_series(line: bytes) -> tuple[str, tuple[str, ...], int, int] | None:
    """Parse a line of an index; None if it was cut short."""
    try:
        metric, values, first, width = orjson.loads(line)
        return (metric, tuple(values), first, width) if 0 <= first <= CAPACITY - width else None
    except (ValueError, TypeError):
        return None


def _archive_content(archived: list[str], sums: Sums, definitions: Mapping[str, Metric]) -> bytes:
    plain = {metric: list(series.items()) for metric, series in sums.items()}
    return orjson.dumps({"archived": archived, "sums": plain, "definitions": list(definitions.values())})


def _parse_archive(path: Path) -> Archive:
    try:
        document = orjson.loads(path.read_bytes())
        sums = {
            name: {tuple(key): list(map(float, cells)) for key, cells in series}
            for name, series in document["sums"].items()
        }
        # Archives of earlier versions have no definitions.
        defined = [as_metric(one) for one in document.get("definitions", ())]
        return Archive(frozenset(document["archived"]), sums, {metric.key: metric for metric in defined})
    except FileNotFoundError:
        return Archive(frozenset(), {}, {})
    except (ValueError, TypeError, KeyError, AttributeError) as error:  # the machine crashed during the write
        warn_once.warn_once("the archive of exited workers cannot be read and is replaced", path, error)
        return Archive(frozenset(), {}, {})


def add_sums(sums: Sums, more: Sums) -> None:
    """Add ``more`` to ``sums``, in place."""
    for metric, series in more.items():
        known = sums.setdefault(metric, {})
        for values, cells in series.items():
            key = values if values in known or len(known) < MAX_ARCHIVED else (OTHER,) * len(values)
            before = known.get(key, [])
            known[key] = list(map(add, before, cells)) if len(before) == len(cells) else cells
