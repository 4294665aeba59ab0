"""Errors about files, each one line for the user."""

from __future__ import annotations

import errno
import os
from typing import Final

_PLAIN: Final = {
    errno.EACCES: "permission denied",
    errno.EBADF: "the file was closed",
    errno.EDQUOT: "the disk quota is used up",
    errno.ENOENT: "there is no such file",
    errno.ENOSPC: "the disk is full",
    errno.EPERM: "permission denied",
    errno.EROFS: "the disk is read-only",
}


class FileError(Exception):
    """A file cannot be read or written. The text names the file and is never sent to the other side."""


class FileHashMismatchError(FileError):
    """The SHA-256 of a received file is not the announced one."""


class StoppedError(Exception):
    """The caller asked to stop."""


def file_error(doing: str, name: str, error: OSError) -> FileError:
    """A :class:`FileError` for a system error: ``cannot write photo.jpg: the disk is full``.

    Args:
        doing: the failed action, such as ``write``.
    """
    number = error.errno or 0
    return FileError(f"cannot {doing} {printable(name)}: {_PLAIN.get(number, os.strerror(number).lower())}")


def printable(name: str) -> str:
    r"""A name that is safe to print: control and formatting characters become U+FFFD.

    >>> printable("a\nb")
    'a�b'
    """
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
