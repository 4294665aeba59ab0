"""Standard output and error of a command whose reader may leave before it is done (``| head``)."""

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

_reader_left = threading.Event()


class _Output(io.FileIO):
    """A standard stream whose reader may leave: what is written after that is dropped.

    Without it every write would have to expect BrokenPipeError, the interpreter's last flush included. An
    error other than that (a full disk) is raised once, so that the command fails with one line.
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
    """The same stream on an :class:`_Output`; one that is not the process's own stays as it is."""
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
    """A command that is interrupted, as by Ctrl-C, when nobody reads its standard output any more.

    Args:
        callback: the command's function.
        option: only where this option is given; None: always.
    """

    @functools.wraps(callback)
    def watched(*args: Any, **given: Any) -> Any:
        try:
            if (option is None or given[option]) and _is_pipe(sys.stdout):
                reader = (sys.stdout.fileno(),)
                threading.Thread(target=_interrupt_without_reader, args=reader, daemon=True).start()
            return callback(*args, **given)
        except KeyboardInterrupt:
            if _reader_left.is_set():
                return None
            raise

    return watched


def _is_pipe(stream: TextIO | None) -> bool:
    """Whether a stream is a pipe or socket of this process that can be polled (not on Windows)."""
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
    _reader_left.set()
    os.kill(os.getpid(), signal.SIGINT)
