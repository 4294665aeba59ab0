"""What is sent: files, and the files of folders, on this machine."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

from tallow.app.files.errors import FileError, file_error, printable
from tallow.app.files.names import numbered_path

BLOCK: Final = 1 << 20
_KINDS: Final = {
    stat.S_IFSOCK: "a socket",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
    stat.S_IFLNK: "a symbolic link",
}


class FileChangedError(FileError):
    """A file is not what it was when it was chosen."""


@dataclass(frozen=True)
class SourceFile:
    """A file to send.

    Attributes:
        path: where it is.
        name: what the other side is told: relative, with ``/``.
        size: bytes.
        mark: what the file system said of it when it was chosen (device, inode, size, time of change in ns).
        origin: what this is a cleaned copy of.
    """

    path: Path
    name: str
    size: int
    identity: tuple[int, int, int, int]
    origin: SourceFile | None = None
    _open: list[int] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def mime_type(self) -> str | None:
        """By its name's extension, e.g. ``image/jpeg``; None if that says nothing."""
        return mimetypes.guess_type(self.name)[0]

    def fingerprint(self) -> str:
        """A cheap mark of this very file in this very state, 64 hexadecimal digits: it changes whenever the
        file is written to or replaced, and is compared before a transfer is resumed. A copy has its origin's.

        Raises:
            FileError: the file is gone or cannot be read.
        """
        if self.origin is not None:
            return self.origin.fingerprint()
        try:
            mark = _identity(self.path.stat())
        except OSError as error:
            raise file_error("read", self.name, error) from None
        return hashlib.sha256(repr(mark).encode()).hexdigest()

    @cached_property
    def _digest(self) -> bytes:
        hashed = hashlib.sha256()
        for offset in range(0, self.size, BLOCK):
            hashed.update(self.read(offset, min(BLOCK, self.size - offset)))
        self.read(self.size, 0)
        return hashed.digest()

    def digest(self) -> bytes:
        """SHA-256 of the content (32 bytes), read once. Blocks: call it from a thread.

        Raises:
            FileError: it cannot be read.
            SourceChangedError: it is not the file that was chosen.
        """
        return self._digest

    def read(self, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset``, fewer only at the end. The file stays open until :meth:`close`.

        Raises:
            FileError: it cannot be read.
            SourceChangedError: it is not the file that was chosen.
        """
        try:
            if not self._open:
                self._open.append(_open_regular_file(self.path))
            if _identity(os.fstat(self._open[0])) != self.identity:
                raise FileChangedError(f"{printable(self.name)} was changed while it was being sent")
            wanted = max(0, min(length, self.size - offset))
            data = os.pread(self._open[0], wanted, offset)
        except OSError as error:
            raise file_error("read", self.name, error) from None
        if len(data) < wanted:
            raise FileChangedError(f"{printable(self.name)} became shorter while it was being sent")
        return data

    def close(self) -> None:
        """Let go of the file; reading opens it again."""
        while self._open:
            os.close(self._open.pop())

    def __del__(self) -> None:
        self.close()


def source_file(path: Path, name: str, origin: SourceFile | None = None) -> SourceFile:
    """One regular file, which is opened once to see that it can be read.

    Raises:
        FileError: it is anything else, or cannot be read.
    """
    try:
        found = path.stat()
        kind = _KINDS.get(stat.S_IFMT(found.st_mode))
        if kind is not None:
            raise FileError(f"{printable(str(path))} is {kind}; accepted: files and folders")
        os.close(_open_regular_file(path))
    except OSError as error:
        raise file_error("read", str(path), error) from None
    return SourceFile(path, name, found.st_size, _identity(found), origin)


def collect_files(
    paths: Sequence[Path | str], skip: Callable[[str], None] = lambda _: None
) -> list[SourceFile]:
    """The files that ``paths`` stand for, in a fixed order; a folder stands for all files below it.

    A symbolic link that was named is followed. One inside a folder is not: it could lead to what nobody
    meant to send. Such links, and sockets, pipes and devices inside a folder, are left out, and ``skip`` is
    given a line about each. Two files of one name get different ones.

    Raises:
        FileError: a path is missing, unreadable or no file or folder, or holds no files.
    """
    found: list[SourceFile] = []
    taken: set[str] = set()
    for given in paths:
        path = Path(given)
        if not path.is_dir():
            inside = [source_file(path, _decoded_name(path.name))]
        else:
            inside = list(_walk(path, PurePosixPath(_decoded_name(path.resolve().name) or "files"), skip))
        if not inside:
            raise FileError(f"{printable(str(path))} holds no files")
        found += [_with_unique_name(one, taken) for one in inside]
    return found


def _with_unique_name(one: SourceFile, taken: set[str]) -> SourceFile:
    name, number = one.name, 2
    while name in taken:
        name = str(numbered_path(PurePosixPath(one.name), number))
        number += 1
    taken.add(name)
    return SourceFile(one.path, name, one.size, one.identity)


def _walk(folder: Path, name: PurePosixPath, skip: Callable[[str], None]) -> Iterator[SourceFile]:
    try:
        with os.scandir(folder) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise file_error("read", str(folder), error) from None
    for entry in ordered:
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(path, name / _decoded_name(entry.name), skip)
        elif entry.is_file(follow_symlinks=False):
            yield source_file(path, str(name / _decoded_name(entry.name)))
        else:
            kind = _KINDS.get(stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode), "no file")
            skip(f"{printable(str(path))} is {kind}; left out")


def _decoded_name(name: str) -> str:
    """A name as text that can be sent: bytes that are no UTF-8 are replaced."""
    return os.fsencode(name).decode("utf-8", "replace")


def _open_regular_file(path: Path) -> int:
    # A pipe put in the file's place must not make us wait for whoever writes into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileError(f"{printable(str(path))} is no regular file")
    return descriptor


def _identity(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
