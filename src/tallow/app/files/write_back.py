"""Has the kernel write a large file while it arrives, and keeps the file from filling the memory."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

MIB: Final = 1 << 20
WINDOW: Final = 8 * MIB
"""Bytes after which the kernel is told to write them."""
UNDER_WAY: Final = 4 * WINDOW
"""Bytes that may be on their way to the disk; those before them have probably arrived there."""
KEPT: Final = 64 * MIB
"""Bytes at the beginning of a file that stay in memory: most files can be opened without reading the disk."""


class WriteBack:
    """Follows a file that is written from its beginning to its end.

    Without it the kernel keeps a whole file in memory and writes most of it when the file is synced: other
    files lose their cache, and the end of a transfer waits for the disk. Memory that a virtual machine has
    not used before costs its host four times as long as writing the file.

    ``POSIX_FADV_DONTNEED`` begins to write what is only in memory and drops the rest (Linux,
    ``mm/fadvise.c``), so each window is named twice: to be written, and later to be dropped. Other systems do
    nothing.

    Args:
        position: bytes that the file has already.

    Example::

        >>> import tempfile
        >>> with tempfile.TemporaryFile() as file:
        ...     written = file.write(bytes(1000))
        ...     WriteBack().advance(file.fileno(), written)
    """

    def __init__(self, position: int = 0) -> None:
        self._begun = position

    def advance(self, file: int, position: int) -> None:
        """Report that a descriptor's file is written up to ``position``. Never raises."""
        while position - self._begun >= WINDOW:
            begin_writing(file, self._begun, WINDOW)
            self._begun += WINDOW
            arrived = self._begun - UNDER_WAY - WINDOW
            if arrived >= KEPT:
                begin_writing(file, arrived, WINDOW)  # it is on the disk by now, and dropped


def begin_writing(file: int, start: int = 0, size: int = 0) -> None:
    """Have the kernel write a part of a descriptor's file, by default all of it. Does not wait; never raises.

    Files that are synced one after the other take one turn of the journal each. If all are being written
    before the first is synced, they share one.
    """
    if hasattr(os, "posix_fadvise"):  # macOS has none
        with suppress(OSError):
            os.posix_fadvise(file, start, size, os.POSIX_FADV_DONTNEED)
