"""A file on its way in: it has a name of its own until all of it is there and has been verified."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import hmac
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

from tallow.app.files.errors import FileError, FileHashMismatchError, file_error, printable
from tallow.app.files.names import PARTIAL, numbered_path

BLOCK: Final = 1 << 20
MAX_TRIES: Final = 10_000
KEPT: Final = 100
"""Bytes of the file's name that its partial one shows, for whoever finds it."""

_FLAGS: Final = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# Of file systems without hard links: FAT, some network ones.
_NO_LINKS: Final = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def partial_name(name: str, size: int, digest: bytes, resume_key: bytes) -> str:
    """The partial file's name: found again by who resumes this transfer, guessed by nobody else."""
    mark = hmac.new(resume_key, b"%d\0" % size + digest + name.encode(), hashlib.sha256).hexdigest()[:16]
    return f"{name.encode()[:KEPT].decode(errors='ignore')}.{mark}{PARTIAL}"


class PartialFile:
    """A file that is being received. All of it blocks on the disk.

    Attributes:
        path: where it is until it gets its name.

    Args:
        parent: its open folder, which is closed with it.
        folder: the same as a path, for the result.
        name: the name it gets.
        partial: the name it has until then.
        discarded: called after :meth:`discard`.

    Raises:
        FileError: it cannot be opened, or there is too little room.
    """

    def __init__(
        self,
        parent: int,
        folder: Path,
        name: str,
        partial: str,
        size: int,
        digest: bytes,
        discarded: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.path = folder / partial
        self.size = size
        self.received = 0
        self._parent, self._folder, self._partial = parent, folder, partial
        self._digest = digest
        self._discarded = discarded
        self._hash = hashlib.sha256()
        self._file = -1
        try:
            self._file = self._open()
            self._resume()
            self._check_free_space()
        except BaseException as error:
            empty = self._file >= 0 and not self.received
            if empty:
                self._unlink()
            self.close()
            if isinstance(error, OSError):
                raise file_error("write", name, error) from None
            raise

    def write(self, data: bytes) -> None:
        """Append what came next.

        Raises:
            FileError: it cannot be written (what was written stays), or is more than was announced.
        """
        if self.received + len(data) > self.size:
            raise FileError(f"{printable(self.name)}: more came than was announced")
        view = memoryview(data)
        try:
            while view:
                written = os.write(self._file, view)
                self._hash.update(view[:written])
                self.received += written
                view = view[written:]
        except OSError as error:
            raise file_error("write", self.name, error) from None

    def finish(self) -> Path:
        """Verify the file and give it its name, numbered if that is taken; what is there is left alone.

        A file that is not what was announced is removed: nothing of it can be trusted.

        Raises:
            MismatchError: it is not what was announced.
            FileError: it is incomplete (and kept), or cannot be written.
        """
        if self.received < self.size:
            raise FileError(
                f"{printable(self.name)} is incomplete: {self.received} of {self.size} bytes came"
            )
        if not hmac.compare_digest(self._hash.digest(), self._digest):
            self.discard()
            raise FileHashMismatchError(
                f"{printable(self.name)} is not what was announced: its hash differs; removed"
            )
        try:
            os.fsync(self._file)
            final = self._assign_name()
            os.fsync(self._parent)
        except OSError as error:
            raise file_error("write", self.name, error) from None
        self.close()
        return self._folder / final

    def close(self) -> None:
        """Close it and leave it where it is: to go on another time, or because it has its name."""
        for descriptor in (self._file, self._parent):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._parent = -1

    def discard(self) -> None:
        """Remove it, and the folders that were made for it."""
        if self._file >= 0:
            self._unlink()
        self.close()
        self._discarded()

    def _open(self) -> int:
        file = self._open_or_create()
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise FileError(f"{printable(self.name)} is being received by another process") from None
        return file

    def _open_or_create(self) -> int:
        """The partial file that was kept, or a new one. A link in its place, or a file that has another name
        too or another owner, is not it: the name is freed, whatever it led to is left alone."""
        with suppress(OSError):
            file = os.open(self._partial, _FLAGS, dir_fd=self._parent)
            found = os.fstat(file)
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == os.geteuid():
                return file
            os.close(file)
        with suppress(FileNotFoundError):
            os.unlink(self._partial, dir_fd=self._parent)
        return os.open(self._partial, _FLAGS | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=self._parent)

    def _resume(self) -> None:
        """Hash what is there, unless it is more than can belong to the file."""
        if os.fstat(self._file).st_size > self.size:
            os.ftruncate(self._file, 0)
        while block := os.read(self._file, BLOCK):
            self._hash.update(block)
            self.received += len(block)

    def _check_free_space(self) -> None:
        disk = os.fstatvfs(self._file)
        free, missing = disk.f_bavail * disk.f_frsize, self.size - self.received
        if missing > free:
            raise FileError(
                f"cannot write {printable(self.name)}: {missing / 1e6:,.1f} MB are to come, "
                f"the disk has room for {free / 1e6:,.1f} MB"
            )

    def _assign_name(self) -> str:
        """Link it to the first free name; no other program's file can be overwritten by that."""
        path = PurePosixPath(self.name)
        for number in range(1, MAX_TRIES):
            final = numbered_path(path, number).name if number > 1 else path.name
            with suppress(FileExistsError):
                self._link(final)
                break
        else:
            raise FileError(f"{printable(self.name)}: every name like it is taken")
        mine, named = os.fstat(self._file), os.stat(final, dir_fd=self._parent, follow_symlinks=False)
        if (mine.st_dev, mine.st_ino) != (named.st_dev, named.st_ino):
            raise FileError(f"{printable(self.name)} was replaced while it was being received")
        return final

    def _link(self, final: str) -> None:
        parent = self._parent
        try:
            os.link(self._partial, final, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            os.close(os.open(final, _FLAGS | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=parent))  # hold the name
            os.rename(self._partial, final, src_dir_fd=parent, dst_dir_fd=parent)
        else:
            self._unlink()

    def _unlink(self) -> None:
        with suppress(OSError):
            os.unlink(self._partial, dir_fd=self._parent)
