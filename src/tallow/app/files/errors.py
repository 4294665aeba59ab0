"""What goes wrong with a file, in one line for the person in front of it."""

from __future__ import annotations

import errno
import os
from typing import Final

_PLAIN: Final = {
    errno.EACCES: "permission denied",
    errno.EDQUOT: "the disk quota is used up",
    errno.ENOENT: "there is no such file",
    errno.ENOSPC: "the disk is full",
    errno.EPERM: "permission denied",
    errno.EROFS: "the disk is read-only",
}


class FileError(Exception):
    """A file cannot be read or written: one line. It names the file, and stays on this machine."""


class FileHashMismatchError(FileError):
    """A file that came is not the one that was announced: its SHA-256 differs."""


def file_error(doing: str, name: str, error: OSError) -> FileError:
    """``cannot write photo.jpg: the disk is full``"""
    number = error.errno or 0
    return FileError(f"cannot {doing} {printable(name)}: {_PLAIN.get(number, os.strerror(number).lower())}")


def printable(name: str) -> str:
    """A name as it may be printed: on one line, moving no cursor and turning no text round."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
