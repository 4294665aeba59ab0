"""Output that never blocks its caller: a thread writes it, and what waits for a slow reader is limited."""

from __future__ import annotations

import errno
import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import IO, Any, Final

LIMIT: Final = 4 << 20
"""Bytes that may wait for a reader. About 40,000 events of small files."""
PATIENCE_S: Final = 10.0
"""Seconds without a byte read after which a reader counts as stopped, once there is nothing else to do."""
REPORT_S: Final = 0.5
"""Seconds in which standard error must take the line about standard output."""
_GONE: Final = {errno.EIO, errno.EPIPE}
"""Errors of a closed terminal, and of a pipe without a reader."""
_NO_DESCRIPTOR: Final = -1
_PIECE: Final = 1 << 16
"""Bytes written at a time: a pipe takes a larger write only as a whole, which would look like no progress."""


class BackgroundWriter:
    """Writes bytes to a descriptor in a daemon thread, in the order of the calls.

    A pipe that nobody reads, or a terminal that was stopped, holds up the thread and nothing else. The
    descriptor keeps its flags: other programs may share them. Any thread may call any method.

    Args:
        stream: standard output or error; its buffer is not used. One without a descriptor, which a program
            has put in the place of standard output, is written to as text.
        limit: bytes that may wait before :attr:`is_full`.
    """

    def __init__(self, stream: IO[Any] | None, limit: int = LIMIT) -> None:
        self._descriptor = _descriptor_of(stream)
        self._stream = stream
        self._limit = limit
        self._waiting: deque[bytes] = deque()
        self._bytes = self._writes = 0
        self._error: OSError | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def is_full(self) -> bool:
        """Whether more than the limit waits. The caller then drops what it can do without."""
        with self._changed:
            return self._bytes >= self._limit

    @property
    def failed(self) -> bool:
        """Whether something could not be written, other than because its reader has gone."""
        return self._error is not None and self._error.errno not in _GONE

    @property
    def problem(self) -> str:
        """Why not everything was written, for the user; empty if it was, or if the reader has gone."""
        with self._changed:
            if self._error is not None:
                return f"cannot be written: {self._error.strerror}" if self.failed else ""
            return f"is not read; lines lost at its end: {len(self._waiting):,}" if self._bytes else ""

    def write(self, data: bytes) -> None:
        """Have ``data`` written, full or not. Does nothing after an error."""
        with self._changed:
            if self._error is not None or not data:
                return
            self._waiting.append(data)
            self._bytes += len(data)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="tallow-output", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self, patience: float | None = None, limit: float | None = None) -> bool:
        """Wait until everything is written, or an error says that nothing will be.

        Args:
            patience: seconds without progress after which the wait ends; None: no limit.
            limit: seconds after which it ends in any case; None: no limit.

        Returns:
            Whether everything was written.
        """
        end = None if limit is None else time.monotonic() + limit
        with self._changed:
            while self._bytes:
                before = self._writes
                left = None if end is None else max(0.0, end - time.monotonic())
                wait = min((seconds for seconds in (patience, left) if seconds is not None), default=None)
                if not self._changed.wait(wait) and self._writes == before:
                    return False
            return self._error is None

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                piece = self._waiting[0]
            try:
                self._write_all(piece)
            except Exception as error:  # noqa: BLE001 - the stream of a program may raise anything
                with self._changed:
                    self._error = error if isinstance(error, OSError) else OSError(errno.EBADF, str(error))
                    self._waiting.clear()
                    self._bytes = 0
                    self._changed.notify_all()
                return
            with self._changed:
                self._waiting.popleft()
                self._bytes -= len(piece)
                self._changed.notify_all()

    def _write_all(self, data: bytes) -> None:
        if self._descriptor == _NO_DESCRIPTOR and self._stream is not None:
            encoding = getattr(self._stream, "encoding", None) or "utf-8"
            self._stream.write(data.decode(encoding, "replace"))
            return
        view = memoryview(data)
        while view:
            try:
                written = os.write(self._descriptor, view[:_PIECE])
            except BlockingIOError:  # a program that shares the descriptor has made it non-blocking
                select.select([], [self._descriptor], [])
                continue
            view = view[written:]
            with self._changed:
                self._writes += 1
                self._changed.notify_all()


def _descriptor_of(stream: IO[Any] | None) -> int:
    """The descriptor of a stream, if it has one."""
    try:
        return _NO_DESCRIPTOR if stream is None else stream.fileno()
    except (OSError, ValueError, AttributeError):  # a stream in memory, or a closed one
        return _NO_DESCRIPTOR


class LineWriter:
    """Writes lines in the background, and says in their place how many were dropped.

    Args:
        stream: standard output or error.
        dropped: the line that says how many lines are missing.
        limit: see :class:`BackgroundWriter`.
    """

    def __init__(self, stream: IO[Any] | None, dropped: Callable[[int], bytes], limit: int = LIMIT) -> None:
        self.output = BackgroundWriter(stream, limit)
        self._describe = dropped
        self._dropped = 0

    def write(self, line: bytes, *, droppable: bool = False) -> None:
        """Have a line written; one that is ``droppable`` only if the reader keeps up."""
        if droppable and self.output.is_full:
            self._dropped += 1
            return
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self.output.write(self._describe(dropped) + b"\n")
        self.output.write(line + b"\n")


def end_output(output: BackgroundWriter, errors: BackgroundWriter, limit: float | None = None) -> bool:
    """Wait for the readers at the end of a command, and say on standard error what is lost.

    A reader that reads has as long as it needs, one that has stopped has ``PATIENCE_S``.

    Args:
        output: standard output.
        errors: standard error; may be the same.
        limit: seconds for everything; None: no limit.

    Returns:
        Whether standard output cannot be written, other than because its reader has gone.

    Raises:
        KeyboardInterrupt: a signal ended the wait; what is lost is reported all the same.
    """
    try:
        output.flush(PATIENCE_S, limit)
    finally:
        if output.problem and errors is not output:
            errors.write(f"tallow: standard output {output.problem}\n".encode())
        errors.flush(PATIENCE_S, REPORT_S if output.problem else limit)
    return output.failed


def same_output() -> bool:
    """Whether standard output and error are the same terminal, file or pipe: one writer keeps the order."""
    try:
        return os.path.samestat(os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno()))
    except (OSError, AttributeError, ValueError):  # one of them is closed
        return False
