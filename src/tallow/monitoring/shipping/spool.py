"""Store batches on disk while the endpoint fails: a bounded folder of files that several processes share.

A file is written under a temporary name, synced and renamed, so it is never incomplete. Only this user can
read it. Its name holds its time, number of lines, batch id and the number of its first line. A process locks
the file that it sends, so that no other process sends it at the same time.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tallow.monitoring.shipping.batch import MAX_BATCH_BYTES, Batch

_FILE_NAME: Final = re.compile(r"(\d{20})-(\d{1,7})-([0-9a-f]{32})(?:-(\d{1,10}))?\.jsonl")
UNFINISHED_MAX_AGE_S: Final = 3600
"""Seconds after which an unfinished file is removed: its process has crashed."""


class Spool:
    """The folder of batches.

    Args:
        folder: created if it does not exist.
        max_bytes: the size of all files in bytes, above which the oldest batches are removed.
        on_drop: called with the number of lines of a removed batch.
    """

    def __init__(self, folder: Path, max_bytes: int, on_drop: Callable[[int], None]) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._on_drop = on_drop

    def put(self, batch: Batch) -> bool:
        """Store a batch. False if the disk does not accept it."""
        name = f"{time.time_ns():020}-{len(batch.lines)}-{batch.id}-{batch.first_number}.jsonl"
        unfinished = self._folder / f".{name}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(batch.as_json_lines())
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(self._folder / name)
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            return False
        self._trim()
        return True

    @contextlib.contextmanager
    def oldest(self) -> Iterator[Batch | None]:
        """Lock the oldest batch that no other process sends, for the block. None if there is none."""
        for path in self._files():
            try:
                file = path.open("rb")
            except OSError:
                continue
            with file:
                if _try_lock(file.fileno()) and os.fstat(file.fileno()).st_nlink:
                    content = file.read(4 * MAX_BATCH_BYTES)
                    yield Batch(content.splitlines(keepends=True), _batch_id(path), _first_number(path))
                    return
        yield None

    def remove(self, batch: Batch) -> None:
        """Remove a batch that was sent or rejected."""
        for path in self._files():
            if _batch_id(path) == batch.id:
                path.unlink(missing_ok=True)

    def line_count(self) -> int:
        """Return the number of lines on disk."""
        return sum(_line_count(path) for path in self._files())

    def _files(self) -> list[Path]:
        try:
            return sorted(path for path in self._folder.iterdir() if _FILE_NAME.fullmatch(path.name))
        except OSError:
            return []

    def _trim(self) -> None:
        """Remove the oldest batches above the size limit, and unfinished files of crashed processes."""
        sizes = {path: _size(path) for path in self._files()}
        total = sum(sizes.values())
        for path, size in sizes.items():
            if total <= self._max_bytes:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                self._on_drop(_line_count(path))
            total -= size
        for path in self._unfinished():
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > UNFINISHED_MAX_AGE_S:
                    path.unlink()

    def _unfinished(self) -> list[Path]:
        """Temporary files of batches, by their names: the folder may hold hidden files of others."""
        try:
            return [
                path
                for path in self._folder.iterdir()
                if path.name[:1] == "." and _FILE_NAME.fullmatch(path.name[1:])
            ]
        except OSError:
            return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # another process has sent it
        return 0


def _line_count(path: Path) -> int:
    return int(path.name.split("-")[1])


def _batch_id(path: Path) -> str:
    return path.name.removesuffix(".jsonl").split("-")[2]


def _first_number(path: Path) -> int:
    """The number of the first line; 0 for a file of an earlier version, whose name does not hold it."""
    match = _FILE_NAME.fullmatch(path.name)
    return int(match[4] or 0) if match else 0


def _try_lock(descriptor: int) -> bool:
    """Lock a file until it is closed. False if another process holds the lock."""
    try:
        import fcntl
    except ImportError:  # Windows: only one process uses the folder
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
