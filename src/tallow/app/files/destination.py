"""Where files arrive: a folder that nothing leaves, whatever a name says and whoever else writes into it."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

from tallow.app.files.errors import FileError, file_error, printable
from tallow.app.files.names import numbered_path, safe_path
from tallow.app.files.partial_file import PartialFile, partial_name

MAX_TRIES: Final = 10_000


class Destination:
    """A folder that receives files; it is made if it is not there.

    Every step below it is taken from one open folder to the next and follows no symbolic link: a link in the
    place of a folder or a file is a taken name, nothing behind it is read or written.

    Attributes:
        made: folders that were made below it, each after the one that it is in.

    Raises:
        FileError: it cannot be made or written to.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.created_folders: list[Path] = []
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._root = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise file_error("write to", str(folder), error) from None
        if not os.access(".", os.W_OK | os.X_OK, dir_fd=self._root):
            self.close()
            raise FileError(f"cannot write to {printable(str(folder))}: permission denied")

    def open_partial(self, name: str, size: int, digest: bytes, resume_key: bytes) -> PartialFile:
        """Begin to receive a file, or go on with one that was kept.

        Args:
            name: as the other side spells it.
            size: bytes that were announced.
            digest: their SHA-256.
            resume_key: a secret of the transfer, the same when it is resumed; a partial file is named by it.

        What was received before is hashed again here, which blocks (a second for some GB).

        Raises:
            FileError: it cannot be written, there is too little room, or somebody else is receiving it.
        """
        path = safe_path(name)
        parent, folder, made = self._enter(path)
        try:
            return PartialFile(
                parent,
                self.folder / folder,
                path.name,
                partial_name(path.name, size, digest, resume_key),
                size,
                digest,
                lambda: self._leave(folder, made),
            )
        except BaseException:
            self._leave(folder, made)
            raise

    def find_complete(self, name: str, size: int, digest: bytes) -> Path | None:
        """The very file that was announced, if the folder has it under its name already. Blocks.

        For who resumes a transfer of several files. Whoever is told the answer learns that the file is here:
        it is for transfers that had begun.
        """
        path = safe_path(name)
        with suppress(OSError):
            here = os.dup(self._root)
            try:
                for part in path.parts[:-1]:
                    here = _descend(here, part)
                file = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
            finally:
                os.close(here)
            with os.fdopen(file, "rb") as opened:
                found = os.fstat(file)
                if stat.S_ISREG(found.st_mode) and found.st_size == size:
                    same = hashlib.file_digest(opened, "sha256").digest() == digest
                    return self.folder / path if same else None
        return None

    def check_free_space(self, size: int) -> None:
        """Whether all that is to come has room, before the first of it does.

        Raises:
            FileError: it has not.
        """
        disk = os.fstatvfs(self._root)
        free = disk.f_bavail * disk.f_frsize
        if size > free:
            raise FileError(f"{size / 1e6:,.1f} MB are to come, the disk has room for {free / 1e6:,.1f} MB")

    def remove_partial(self, name: str, size: int, digest: bytes, resume_key: bytes) -> None:
        """Remove what was kept of a file, if anything was: nobody goes on with it."""
        path = safe_path(name)
        with suppress(OSError):
            here = os.dup(self._root)
            try:
                for part in path.parts[:-1]:
                    here = _descend(here, part)
                os.unlink(partial_name(path.name, size, digest, resume_key), dir_fd=here)
            finally:
                os.close(here)

    def close(self) -> None:
        """Let go of the folder."""
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def __enter__(self) -> Destination:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _enter(self, path: PurePosixPath) -> tuple[int, PurePosixPath, int]:
        """The folder of ``path``, made where it is missing: open, its name, and how many were made."""
        here, folder, made = os.dup(self._root), PurePosixPath(), 0
        try:
            for part in path.parts[:-1]:
                below, name, new = _enter_folder(here, part)
                os.close(here)
                here, folder, made = below, folder / name, made + new
                if new:
                    self.created_folders.append(self.folder / folder)
        except OSError as error:
            os.close(here)
            raise file_error("make the folder of", str(path), error) from None
        return here, folder, made

    def _leave(self, folder: PurePosixPath, made: int) -> None:
        """Remove the folders that were made for a file which did not come, if nothing else is in them."""
        with suppress(OSError):
            for _ in range(made):
                here = os.dup(self._root)
                try:
                    for part in folder.parts[:-1]:
                        here = _descend(here, part)
                    os.rmdir(folder.name, dir_fd=here)
                finally:
                    os.close(here)
                folder = folder.parent


def _enter_folder(here: int, part: str) -> tuple[int, str, int]:
    """One folder down: open, its name (numbered where something else has it), and 1 if it was made."""
    name = part
    for number in range(2, MAX_TRIES):
        new = 0
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=here)
            new = 1
        try:
            return _open_folder(here, name), name, new
        except OSError as error:
            if error.errno not in {errno.ENOTDIR, errno.ELOOP}:
                raise
        name = numbered_path(PurePosixPath(part), number).name
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def _descend(here: int, name: str) -> int:
    """The folder below, in exchange for this one (which is kept if there is none)."""
    below = _open_folder(here, name)
    os.close(here)
    return below


def _open_folder(here: int, name: str) -> int:
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
