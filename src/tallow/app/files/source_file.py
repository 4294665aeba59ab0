"""A file to send."""

from __future__ import annotations

import mimetypes
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tallow.app.files.attributes import PLAIN, Attributes
from tallow.app.files.descriptor import Descriptor
from tallow.app.files.errors import FileError, file_error, printable

_KINDS: Final = {
    stat.S_IFSOCK: "a socket",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
    stat.S_IFLNK: "a symbolic link",
}


class FileChangedError(FileError):
    """A file was changed after it was chosen."""


@dataclass(frozen=True)
class SourceFile:
    """A file to send.

    Attributes:
        path: its path on this machine.
        name: relative name for the other side, with ``/``.
        size: bytes.
        identity: device, inode, size and modification time (ns) when it was chosen.
        attributes: what the other side gets of it besides its content.
    """

    path: Path
    name: str
    size: int
    identity: tuple[int, int, int, int]
    attributes: Attributes = PLAIN
    _open: list[Descriptor] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def mime_type(self) -> str | None:
        """MIME type by extension, such as ``image/jpeg``; None if unknown."""
        return mimetypes.guess_type(self.name)[0]

    def read(self, offset: int, length: int) -> bytes:
        """Read ``length`` bytes from ``offset``; fewer only at the end. The file stays open until
        :meth:`close`.

        Raises:
            FileError: it cannot be read.
            FileChangedError: it is not the file that was chosen.
        """
        try:
            with self._descriptor().use() as file:
                if _identity(os.fstat(file)) != self.identity:
                    raise FileChangedError(f"{printable(self.name)} was changed while it was being sent")
                wanted = max(0, min(length, self.size - offset))
                data = os.pread(file, wanted, offset)
        except OSError as error:
            raise file_error("read", self.name, error) from None
        if len(data) < wanted:
            raise FileChangedError(f"{printable(self.name)} became shorter while it was being sent")
        return data

    def close(self) -> None:
        """Close the file, as soon as no thread reads it. The next read opens it again."""
        while self._open:
            self._open.pop().close()

    def _descriptor(self) -> Descriptor:
        with suppress(IndexError):  # another thread may close it
            return self._open[0]
        opened = Descriptor(_open_regular_file(self.path))
        self._open.append(opened)
        return opened

    def __del__(self) -> None:
        self.close()


def source_file(path: Path, name: str) -> SourceFile:
    """A regular file. It is opened once to check that it can be read.

    Raises:
        FileError: it is not a regular file, or cannot be read.
    """
    try:
        found = path.stat()
        kind = special_kind(found)
        if kind is not None:
            raise FileError(f"{printable(str(path))} is {kind}; accepted: files and folders")
        os.close(_open_regular_file(path))
    except OSError as error:
        raise file_error("read", str(path), error) from None
    return SourceFile(path, name, found.st_size, _identity(found), Attributes.of(found))


def special_kind(found: os.stat_result) -> str | None:
    """What a path is if it is neither a file nor a folder, such as ``a socket``."""
    return _KINDS.get(stat.S_IFMT(found.st_mode))


def _open_regular_file(path: Path) -> int:
    # O_NONBLOCK: opening a named pipe in the file's place would wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileError(f"{printable(str(path))} is not a regular file")
    return descriptor


def _identity(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
