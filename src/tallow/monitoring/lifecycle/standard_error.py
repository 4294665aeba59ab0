"""Write one line to standard error without waiting for its reader."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from typing import Final

MAX_BYTES: Final = 512
"""POSIX's smallest PIPE_BUF: a pipe that is reported as writable takes so many bytes without waiting."""


def write_line(text: str) -> bool:
    """Write a line. False if nobody reads standard error, or if there is none.

    Args:
        text: the line without its newline. What exceeds :data:`MAX_BYTES` is cut off.
    """
    line = text.encode("utf-8", "backslashreplace")[: MAX_BYTES - 1] + b"\n"
    with suppress(OSError, ValueError, AttributeError):
        if sys.stderr is not sys.__stderr__:  # replaced by the host or by a test
            sys.stderr.write(line.decode("utf-8", "replace"))
            return True
        if sys.stderr is None:  # a daemon has closed it
            return False
        descriptor = sys.stderr.fileno()
        if wait_writable(descriptor, 0):
            return os.write(descriptor, line) == len(line)
    return False


def wait_writable(descriptor: int, timeout_s: float) -> bool:
    """Wait until a descriptor takes data, an error included: whether it does within ``timeout_s`` seconds."""
    if not hasattr(select, "poll"):  # Windows has no poll(): a write may wait there
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(timeout_s * 1000))
