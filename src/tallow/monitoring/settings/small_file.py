"""Read a small text file without waiting for a writer of a FIFO."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)
"""Without it, opening a FIFO that has no writer blocks. Windows has neither."""


class UnreadableFileError(Exception):
    """A file that cannot be read; the text is the reason, without the path."""


def read_small_file(path: Path, max_bytes: int) -> str:
    """Return the text of a regular file, without a byte order mark.

    Args:
        path: the file; symbolic links are followed.
        max_bytes: a larger file is an error.

    Raises:
        FileNotFoundError: the path does not exist.
        UnreadableFileError: the file is not regular, not readable, too large, or not UTF-8 text.
    """
    try:
        content = _read(path, max_bytes + 1)
    except FileNotFoundError:
        if path.is_symlink():
            raise UnreadableFileError("it is a broken symbolic link") from None
        raise
    except OSError as error:
        raise UnreadableFileError(error.strerror or "it cannot be opened") from None
    except ValueError:
        raise UnreadableFileError("it is not a path") from None
    if len(content) > max_bytes:
        raise UnreadableFileError(f"it is larger than {max_bytes // 1024} KiB")
    if b"\0" in content:
        raise UnreadableFileError("it is not a text file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFileError("it is not UTF-8") from None


def _read(path: Path, size: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | _NO_WAIT)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise UnreadableFileError("it is a folder" if stat.S_ISDIR(mode) else "it is not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(size)
    finally:
        os.close(descriptor)
