"""Local sinks: a stream, usually standard output, and a file with rotation."""

from __future__ import annotations

import contextlib
import io
import math
import os
import select
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from tallow.monitoring.lifecycle import standard_error
from tallow.monitoring.lifecycle.standard_error import wait_writable
from tallow.monitoring.logging.record import TimestampFormatter, encode
from tallow.monitoring.logging.writer import Sink, Writer
from tallow.monitoring.metrics import METRICS, Metrics

MIB: Final = 1024 * 1024

PIPE_BYTES: Final = getattr(select, "PIPE_BUF", 512)
"""Bytes that a pipe which is reported as writable takes without waiting, all of them or none."""

FILE_BYTES: Final = 256 * 1024
"""Bytes of one write to a regular file."""

WAIT_S: Final = 0.05
"""Seconds after which a write that waits for a reader looks at its deadline again."""


class _Thread(threading.local):
    writing = False
    interrupted = False


_thread: Final = _Thread()


def interrupts_write() -> bool:
    """Whether this thread is writing lines to a stream object: a record created now is the object's own."""
    if _thread.writing:
        _thread.interrupted = True
    return _thread.writing


class StreamSink:
    """Writes to a text stream.

    A stream of the operating system is written to through its descriptor, without Python's buffer: a reader
    that does not read cannot stop the interpreter, which flushes that buffer when it ends.

    Args:
        stream: None writes to the current ``sys.stdout`` at each call.
        render: converts a JSON line to the text that is written.
        metrics: counts dropped lines.
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
        self._give_up_at = math.inf
        self._logging_stream: TextIO | None = None

    def write(self, lines: Sequence[bytes]) -> None:
        """Write lines. If the reader is gone or the disk is full, they are dropped and counted."""
        stream = self._stream or sys.stdout
        if stream is self._logging_stream:
            stream = sys.__stdout__ or stream
        written = 0
        try:
            descriptor = _descriptor(stream)
            if descriptor is None:
                if self._is_logging_stream(stream, lines):
                    self._logging_stream = stream
                    self.write(lines)
                return
            rendered = lines if self._render is None else [self._encode(line, stream) for line in lines]
            for chunk, count in _split_lines(rendered, _chunk_bytes(descriptor)):
                self._write_to_descriptor(descriptor, chunk)
                written += count
        except (OSError, ValueError, AttributeError):  # a closed pipe, a full disk, no standard output
            self._metrics.record_dropped("logs", "failed", len(lines) - written)

    def give_up_at(self, deadline: float) -> None:
        """Wait for the reader no longer than until ``deadline`` on the monotonic clock."""
        self._give_up_at = deadline

    def close(self, deadline: float) -> None:
        """Do nothing: the stream belongs to its owner."""

    def _encode(self, line: bytes, stream: TextIO) -> bytes:
        assert self._render is not None
        return self._render(line).encode(stream.encoding, "backslashreplace")

    def _is_logging_stream(self, stream: TextIO, lines: Sequence[bytes]) -> bool:
        """Write lines to an object. True if it does not write but log them, as Celery's standard output."""
        _thread.writing, _thread.interrupted = True, False
        try:
            self._write_to_object(stream, lines)
        finally:
            _thread.writing = False
        return _thread.interrupted and stream is not sys.__stdout__ and stream is not self._logging_stream

    def _write_to_object(self, stream: TextIO, lines: Sequence[bytes]) -> None:
        binary: BinaryIO | None = getattr(stream, "buffer", None)
        if self._render is not None:
            stream.write("".join(map(self._render, lines)))
        elif binary is not None:
            binary.write(b"".join(lines))
        else:
            stream.write(b"".join(lines).decode())
        stream.flush()

    def _write_to_descriptor(self, descriptor: int, chunk: bytes) -> None:
        """Write all of ``chunk``.

        Raises:
            OSError: the reader is gone, the disk is full, or nobody read until the deadline.
        """
        view = memoryview(chunk)
        limit = _chunk_bytes(descriptor)
        while view:
            self._wait(descriptor)
            with contextlib.suppress(BlockingIOError):  # another process has filled the pipe
                view = view[os.write(descriptor, view[:limit]) :]

    def _wait(self, descriptor: int) -> None:
        """Wait until the descriptor takes data. The deadline may be set meanwhile, by another thread."""
        timeout_s = 0.0
        while not wait_writable(descriptor, timeout_s):
            left_s = self._give_up_at - time.monotonic()
            if left_s <= 0:
                raise TimeoutError("nobody reads")
            timeout_s = min(left_s, WAIT_S)


def _descriptor(stream: TextIO) -> int | None:
    """Return the descriptor that a stream writes to, None for one that does more than write to it.

    Those of notebooks and of test runners have a descriptor, too, but show their text elsewhere.
    """
    if type(stream) is not io.TextIOWrapper:
        return None
    raw = getattr(stream.buffer, "raw", stream.buffer)
    return stream.fileno() if type(raw) is io.FileIO else None


def _chunk_bytes(descriptor: int) -> int:
    """Return how much to write at a time: to a pipe so little that lines of several processes do not mix."""
    return FILE_BYTES if stat.S_ISREG(os.fstat(descriptor).st_mode) else PIPE_BYTES


class FileSink:
    """Appends to a file that only this user can read, and rotates it: ``name``, ``name.1``, ``name.2`` ….

    A file that was moved or deleted (logrotate) is created again. Several processes may share one file.

    Args:
        path: of the file; its folder is created.
        max_bytes: the size in bytes above which the file is rotated.
        backup_count: how many rotated files are kept.
        metrics: counts dropped lines.
    """

    def __init__(
        self, path: Path, *, max_bytes: int = 64 * MIB, backup_count: int = 5, metrics: Metrics = METRICS
    ) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._backup_count = backup_count
        self._metrics = metrics
        self._fd = -1
        self._line_cut_short = False
        self._unopened_reported = False

    def write(self, lines: Sequence[bytes]) -> None:
        """Append lines. Lines that the disk does not accept are counted."""
        written = 0
        try:
            for chunk, count in _split_lines(lines, self._max_bytes):
                self._append(chunk)
                written += count
        except OSError as error:
            self._metrics.record_dropped("logs", "failed", len(lines) - written)
            if self._fd < 0:
                self._report_unopened(error)

    def _report_unopened(self, error: OSError) -> None:
        """Write one record to standard error, until the file is opened again: the log itself has no place."""
        if not self._unopened_reported:
            self._unopened_reported = True
            problem = f"the log file {self._path} cannot be opened ({error.strerror}); log lines are lost"
            record = {"timestamp": TimestampFormatter().format(time.time_ns()), "level": "fatal"}
            line = encode(record | {"logger": __name__, "message": problem})
            standard_error.write_line(line.decode().rstrip())

    def close(self, deadline: float) -> None:
        """Close the file. A later write opens it again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _append(self, chunk: bytes) -> None:
        self._prepare(len(chunk))
        if self._line_cut_short:  # a full disk cut the last line: start a new one
            chunk = b"\n" + chunk
        view = memoryview(chunk)
        while view:
            count = os.write(self._fd, view)
            view = view[count:]
            self._line_cut_short = bool(view)

    def _prepare(self, incoming: int) -> None:
        """Open the file that the path names now, and rotate it if ``incoming`` bytes do not fit."""
        if not self._is_current():
            self._open()
        if os.fstat(self._fd).st_size and os.fstat(self._fd).st_size + incoming > self._max_bytes:
            with self._rotation_lock():
                if self._is_current():  # otherwise another process has rotated it
                    self._rotate()
            self._open()

    def _is_current(self) -> bool:
        if self._fd < 0:
            return False
        try:
            return os.path.samestat(os.fstat(self._fd), self._path.stat())
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _open(self) -> None:
        self.close(0)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._unopened_reported = False

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
        """Keep other processes from rotating."""
        try:
            import fcntl
        except ImportError:  # Windows has no such locks: there a file belongs to one process
            yield
            return
        lock = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _split_lines(lines: Sequence[bytes], limit: int) -> Iterator[tuple[bytes, int]]:
    """Yield whole lines, joined up to ``limit`` bytes (more only if one line is longer), and their number."""
    pending: list[bytes] = []
    size = 0
    for line in lines:
        if pending and size + len(line) > limit:
            yield b"".join(pending), len(pending)
            pending, size = [], 0
        pending.append(line)
        size += len(line)
    if pending:
        yield b"".join(pending), len(pending)


class AdditionalSinks:
    """Sinks that each configuration of the logs gets, such as that of OTLP.

    A writer closes its sinks when another replaces it, so each writer gets new ones.
    """

    def __init__(self) -> None:
        self._factories: dict[str, Callable[[], Sink]] = {}
        self._made: dict[str, Sink] = {}

    def add(self, name: str, make: Callable[[], Sink], writer: Writer | None) -> None:
        """Add a sink.

        Args:
            name: identifies it.
            make: makes it for one writer.
            writer: that of the current configuration, which gets the sink now; None if there is none.
        """
        self._factories[name] = make
        if writer is not None:
            self._made[name] = make()
            writer.add(self._made[name])

    def remove(self, name: str, writer: Writer, deadline: float) -> None:
        """Take a sink from the writer and close it, by ``deadline`` on the monotonic clock."""
        self._factories.pop(name, None)
        sink = self._made.pop(name, None)
        if sink is not None:
            writer.remove(sink, deadline)

    def make_all(self) -> list[Sink]:
        """Return new sinks for another writer."""
        self._made = {name: make() for name, make in self._factories.items()}
        return list(self._made.values())


ADDITIONAL_SINKS: Final = AdditionalSinks()
"""The additional sinks of the process's logs."""
