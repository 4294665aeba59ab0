"""Standard output and error of a command whose reader may exit before the command does, such as ``head``."""

from __future__ import annotations

import functools
import io
import os
import select
import signal
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

_reader_exited = threading.Event()


class _Output(io.FileIO):
    """A standard stream that drops its output once the reader has exited.

    Otherwise every write, and the interpreter's last flush, could raise BrokenPipeError. Another error, such
    as a full disk, is raised once, so that the command fails with one line.
    """

    _failed = False

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return len(data)
        except OSError:
            if self._failed:
                return len(data)
            self._failed = True
            raise


def ignore_closed_reader(stream: Any) -> Any:
    """The stream on an :class:`_Output`; streams other than the process's own are returned unchanged."""
    if stream is None or stream not in (sys.__stdout__, sys.__stderr__):
        return stream
    with suppress(OSError):
        stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Output(stream.fileno(), "wb", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
    )


def interrupt_when_reader_closes(callback: Callable[..., Any], option: str | None) -> Callable[..., Any]:
    """Wrap a command so that it is interrupted, as by Ctrl-C, when the reader of its output exits.

    Args:
        callback: the command's function.
        option: interrupt it only if this option is given; None: always.
    """

    @functools.wraps(callback)
    def wrapped(*args: Any, **options: Any) -> Any:
        try:
            if (option is None or options[option]) and _is_pipe(sys.stdout):
                reader = (sys.stdout.fileno(),)
                threading.Thread(target=_interrupt_without_reader, args=reader, daemon=True).start()
            return callback(*args, **options)
        except KeyboardInterrupt:
            if _reader_exited.is_set():
                return None
            raise

    return wrapped


def _is_pipe(stream: TextIO | None) -> bool:
    """Whether a stream is a pipe or a socket that can be polled; False on Windows."""
    if stream is None or not hasattr(select, "poll"):
        return False
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _interrupt_without_reader(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, 0)  # POLLERR and POLLHUP are always reported
    poll.poll()
    _reader_exited.set()
    os.kill(os.getpid(), signal.SIGINT)
