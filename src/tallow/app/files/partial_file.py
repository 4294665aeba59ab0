"""A file that is being received: it has a temporary name until it is complete and verified."""

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

from tallow.app.files.attributes import PRIVATE_FILE, Attributes
from tallow.app.files.descriptor import Descriptor
from tallow.app.files.errors import FileError, FileHashMismatchError, StoppedError, file_error, printable
from tallow.app.files.names import PARTIAL, numbered_path
from tallow.app.files.write_back import WriteBack
from tallow.app.wire import MAX_PAYLOAD_BYTES

BLOCK: Final = 1 << 20
MAX_TRIES: Final = 10_000
NAME_BYTES: Final = 100
"""Bytes of the file's name in its temporary name, so that a person recognises it."""

HOLE: Final = 4096
"""Bytes of the smallest hole."""
_ZEROS: Final = memoryview(bytes(MAX_PAYLOAD_BYTES))
_FLAGS: Final = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# Errors of file systems without hard links: FAT, some network file systems.
_NO_LINKS: Final = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def take_free_name(folder: Path, name: str, numbers: dict[Path, int], link: Callable[[str], None]) -> str:
    """Give a file its name, with a number if the name is taken.

    Args:
        numbers: the next number for each name that is taken, so that equal names cost linear time.
        link: gives a name; raises ``FileExistsError`` if it is taken.

    Raises:
        FileError: all its numbers are taken.
    """
    path, key = PurePosixPath(name), folder / name
    first = numbers.get(key, 1)
    for number in range(first, first + MAX_TRIES):
        final = numbered_path(path, number).name if number > 1 else path.name
        try:
            link(final)
        except FileExistsError:
            numbers[key] = number + 1
        else:
            numbers[key] = number + 1
            return final
    raise FileError(f"{printable(name)}: the name and all its numbered variants are taken")


def partial_name(name: str, size: int, sha256: bytes, resume_key: bytes) -> str:
    """The temporary name of a file. Only a holder of the resume key can compute it."""
    message = b"%d\0" % size + sha256 + name.encode()
    mac = hmac.new(resume_key, message, hashlib.sha256).hexdigest()[:16]
    return f"{name.encode()[:NAME_BYTES].decode(errors='ignore')}.{mac}{PARTIAL}"


class PartialFile:
    """A file that is being received. All methods but :meth:`close` block on the disk.

    Any thread may call :meth:`close` while another one writes.

    Args:
        parent: open descriptor of its folder; it is closed with the file.
        folder: path of its folder, for results.
        name: final name.
        partial: temporary name.
        size: announced size in bytes.
        sha256: announced hash.
        attributes: permission bits and modification time, set when the file is complete.
        numbers: the next number for each name that is taken, so that equal names cost linear time.
        on_discard: called after :meth:`discard`.
        stopped: asked while received bytes are hashed; true ends that with ``StoppedError``.

    Attributes:
        path: path under its temporary name.
        received: bytes on the disk so far.
        attributes_kept: whether the file system took permissions and time, once the file is complete.

    Raises:
        FileError: the file cannot be opened, or the disk has too little free space.
        StoppedError: ``stopped`` returned true.
    """

    def __init__(
        self,
        parent: int,
        folder: Path,
        name: str,
        partial: str,
        size: int,
        sha256: bytes,
        attributes: Attributes,
        numbers: dict[Path, int] | None = None,
        on_discard: Callable[[], None] = lambda: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.name = name
        self.path = folder / partial
        self.size = size
        self.received = 0
        self.attributes_kept = True
        self._parent, self._folder, self._partial = Descriptor(parent), folder, partial
        self._sha256 = sha256
        self._attributes = attributes
        self._numbers = {} if numbers is None else numbers
        self._on_discard = on_discard
        self._hash = hashlib.sha256()
        self._file = Descriptor()
        try:
            file = self._open(parent)
            self._file = Descriptor(file)
            self._hash_received(file, stopped)
            self._write_back = WriteBack(self.received)
            self._check_free_space(file)
        except BaseException as error:
            self._remove_if_empty()
            self.close()
            if isinstance(error, OSError):
                raise file_error("write", name, error) from None
            raise

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            FileError: they cannot be written (what was written stays), or exceed the announced size.
        """
        if self.received + len(data) > self.size:
            raise FileError(f"{printable(self.name)}: more bytes came than announced")
        view = memoryview(data)
        try:
            with self._file.use() as file:
                while view:
                    written = self._write_some(file, view)
                    self._hash.update(view[:written])
                    self.received += written
                    view = view[written:]
                self._write_back.advance(file, self.received)
        except OSError as error:
            raise file_error("write", self.name, error) from None

    def finish(self) -> Path:
        """Verify the file and give it its final name, with a number if the name is taken.

        No other file is overwritten. A file with a wrong hash is removed.

        Returns:
            Its final path.

        Raises:
            FileHashMismatchError: its SHA-256 is not the announced one.
            FileError: it is incomplete (and kept), or cannot be written.
        """
        if self.received < self.size:
            raise FileError(
                f"{printable(self.name)} is incomplete: {self.received} of {self.size} bytes received"
            )
        if not hmac.compare_digest(self._hash.digest(), self._sha256):
            self.discard()
            raise FileHashMismatchError(
                f"{printable(self.name)} is not the announced file: its hash differs; removed"
            )
        try:
            with self._parent.use() as parent, self._file.use() as file:
                self.attributes_kept = self._attributes.apply(file)
                os.fsync(file)
                final = self._assign_name(parent, file)
                os.fsync(parent)
        except OSError as error:
            raise file_error("write", self.name, error) from None
        self.close()
        return self._folder / final

    def close(self) -> None:
        """Close it and leave it on the disk. Never blocks."""
        self._file.close()
        self._parent.close()

    def discard(self) -> None:
        """Remove it, and the folders that were made for it."""
        with suppress(OSError), self._parent.use() as parent:
            self._unlink(parent)
        self.close()
        self._on_discard()

    def _write_some(self, file: int, data: memoryview) -> int:
        """Write the beginning of ``data``; a block of zeros of a sparse file becomes a hole."""
        hole = self._attributes.sparse and len(data) >= HOLE and data == _ZEROS[: len(data)]
        if not hole:
            return os.write(file, data)
        os.ftruncate(file, self.received + len(data))
        os.lseek(file, len(data), os.SEEK_CUR)
        return len(data)

    def _open(self, parent: int) -> int:
        file = self._open_or_create(parent)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise FileError(f"{printable(self.name)} is being received by another process") from None
        return file

    def _open_or_create(self, parent: int) -> int:
        """Open the partial file of an earlier run, or a new one.

        A symbolic link, a file with another link or another owner is unlinked and not opened: another user
        may have put it there.
        """
        with suppress(OSError):
            file = os.open(self._partial, _FLAGS, dir_fd=parent)
            found = os.fstat(file)
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == os.geteuid():
                return file
            os.close(file)
        with suppress(FileNotFoundError):
            os.unlink(self._partial, dir_fd=parent)
        return os.open(self._partial, _FLAGS | os.O_CREAT | os.O_EXCL, PRIVATE_FILE, dir_fd=parent)

    def _hash_received(self, file: int, stopped: Callable[[], bool]) -> None:
        """Hash the bytes of an earlier run; empty a file that is larger than announced."""
        if os.fstat(file).st_size > self.size:
            os.ftruncate(file, 0)
        while block := os.read(file, BLOCK):
            self._hash.update(block)
            self.received += len(block)
            if stopped():
                raise StoppedError

    def _check_free_space(self, file: int) -> None:
        disk = os.fstatvfs(file)
        free, missing = disk.f_bavail * disk.f_frsize, self.size - self.received
        if missing > free:
            raise FileError(
                f"cannot write {printable(self.name)}: {missing / 1e6:,.1f} MB are needed, "
                f"the disk has {free / 1e6:,.1f} MB free"
            )

    def _assign_name(self, parent: int, file: int) -> str:
        """Link the file to the first free name: a link never overwrites another file."""
        final = take_free_name(self._folder, self.name, self._numbers, lambda name: self._link(parent, name))
        own, named = os.fstat(file), os.stat(final, dir_fd=parent, follow_symlinks=False)
        if (own.st_dev, own.st_ino) != (named.st_dev, named.st_ino):
            raise FileError(f"{printable(self.name)} was replaced while it was being received")
        return final

    def _link(self, parent: int, final: str) -> None:
        try:
            os.link(self._partial, final, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # Create the name exclusively, then replace our own empty file.
            os.close(os.open(final, _FLAGS | os.O_CREAT | os.O_EXCL, PRIVATE_FILE, dir_fd=parent))
            os.rename(self._partial, final, src_dir_fd=parent, dst_dir_fd=parent)
        else:
            self._unlink(parent)

    def _remove_if_empty(self) -> None:
        with suppress(OSError), self._parent.use() as parent, self._file.use() as file:
            if not os.fstat(file).st_size:
                self._unlink(parent)

    def _unlink(self, parent: int) -> None:
        with suppress(OSError):
            os.unlink(self._partial, dir_fd=parent)
