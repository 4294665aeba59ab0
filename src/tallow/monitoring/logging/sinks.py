"""Sinks of this machine: a stream (standard output, as a rule) and a file with rotation."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from tallow.monitoring.metrics import METRICS, Metrics

MIB: Final = 1024 * 1024


class StreamSink:
    """Writes to a text stream; ``render`` turns the JSON lines into another form first.

    Args:
        stream: where to write; None: whatever ``sys.stdout`` is at that time.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        render: Callable[[bytes], str] | None = None,
        metrics: Metrics = METRICS,
    ) -> None:
        self._stream = stream
        self._render = render
        self._metrics = metrics

    def write(self, lines: Sequence[bytes]) -> None:
        """Write and flush; a reader that is gone costs the lines, and they are counted."""
        stream = self._stream or sys.stdout
        try:
            if self._render is not None:
                stream.write("".join(map(self._render, lines)))
            else:
                binary: BinaryIO | None = getattr(stream, "buffer", None)
                if binary is not None:
                    binary.write(b"".join(lines))
                else:
                    stream.write(b"".join(lines).decode())
            stream.flush()
        except (OSError, ValueError, AttributeError):  # a closed pipe, a full disk, no standard output at all
            self._metrics.record_dropped("logs", "failed", len(lines))

    def close(self, deadline: float) -> None:
        """The stream is its owner's to close."""


class FileSink:
    """Appends to a file that only this user can read, and rotates it: ``name``, ``name.1``, ``name.2`` ….

    A file that was moved away or deleted (logrotate) is made anew, and several processes may share one.

    Args:
        path: of the file; its folder is made.
        max_bytes: size beyond which it is rotated.
        keep: how many rotated files stay.
    """

    def __init__(
        self, path: Path, *, max_bytes: int = 64 * MIB, keep: int = 5, metrics: Metrics = METRICS
    ) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._backup_count = keep
        self._metrics = metrics
        self._fd = -1
        self._line_cut_short = False

    def write(self, lines: Sequence[bytes]) -> None:
        """Append lines; what the disk does not take is counted."""
        written = 0
        try:
            for chunk, count in _split_lines(lines, self._max_bytes):
                self._append(chunk)
                written += count
        except OSError:
            self._metrics.record_dropped("logs", "failed", len(lines) - written)

    def close(self, deadline: float) -> None:
        """Close the file; a later write opens it again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _append(self, chunk: bytes) -> None:
        self._prepare(len(chunk))
        if self._line_cut_short:  # a full disk cut a line short: begin on one of our own
            chunk = b"\n" + chunk
        view = memoryview(chunk)
        while view:
            count = os.write(self._fd, view)
            view = view[count:]
            self._line_cut_short = bool(view)

    def _prepare(self, incoming: int) -> None:
        """Have the file open that the path names now, with room for ``incoming`` bytes."""
        if not self._is_current():
            self._open()
        if os.fstat(self._fd).st_size and os.fstat(self._fd).st_size + incoming > self._max_bytes:
            with self._rotation_lock():
                if self._is_current():  # else another process has rotated meanwhile
                    self._rotate()
            self._open()

    def _is_current(self) -> bool:
        if self._fd < 0:
            return False
        try:
            return os.path.samestat(os.fstat(self._fd), self._path.stat())
        except FileNotFoundError:
            return False

    def _open(self) -> None:
        self.close(0)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _rotate(self) -> None:
        for number in range(self._backup_count - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                self._backup_path(number).replace(self._backup_path(number + 1))
        if self._backup_count:
            self._path.replace(self._backup_path(1))
        else:
            self._path.unlink()

    def _backup_path(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    @contextlib.contextmanager
    def _rotation_lock(self) -> Iterator[None]:
        """Rotate while no other process does."""
        try:
            import fcntl
        except ImportError:  # no such locks on Windows: there a file has one process
            yield
            return
        lock = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _split_lines(lines: Sequence[bytes], limit: int) -> Iterator[tuple[bytes, int]]:
    """Whole lines, joined up to ``limit`` bytes (more only if one line is longer), and how many."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        if held and size + len(line) > limit:
            yield b"".join(held), len(held)
            held, size = [], 0
        held.append(line)
        size += len(line)
    if held:
        yield b"".join(held), len(held)
