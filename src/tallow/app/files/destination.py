"""The folder that received files are written to. No name and no other program can lead outside of it."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

from tallow.app.files.descriptor import Descriptor
from tallow.app.files.errors import FileError, file_error, printable
from tallow.app.files.names import numbered_path, safe_path
from tallow.app.files.partial_file import PartialFile, partial_name

MAX_TRIES: Final = 10_000


class DestinationFolder:
    """A folder that receives files; it is made if it is missing.

    Every folder below it is opened relative to its parent and without following symbolic links. A link in
    place of a folder or file counts as a taken name; its target is neither read nor written.

    Attributes:
        created_folders: folders that were made below it, parents first.

    Raises:
        FileError: the folder cannot be made or written to.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.created_folders: list[Path] = []
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            root = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise file_error("write to", str(folder), error) from None
        self._root = Descriptor(root)
        if not os.access(".", os.W_OK | os.X_OK, dir_fd=root):
            self.close()
            raise FileError(f"cannot write to {printable(str(folder))}: permission denied")

    def open_partial(
        self,
        name: str,
        size: int,
        sha256: bytes,
        resume_key: bytes,
        stopped: Callable[[], bool] = lambda: False,
    ) -> PartialFile:
        """Start to receive a file, or continue one that was kept. Blocks: kept bytes are hashed again.

        Args:
            name: file name from the other side.
            size: announced size in bytes.
            sha256: announced hash.
            resume_key: secret of the link, from which the temporary name is derived.
            stopped: asked while kept bytes are hashed; true ends that with ``StoppedError``.

        Raises:
            FileError: it cannot be written, the disk has too little free space, or another process receives
                it.
            StoppedError: ``stopped`` returned true.
        """
        path = safe_path(name)
        parent, folder, made = self._make_folders(path)
        try:
            return PartialFile(
                parent,
                self.folder / folder,
                path.name,
                partial_name(path.name, size, sha256, resume_key),
                size,
                sha256,
                lambda: self._remove_folders(folder, made),
                stopped,
            )
        except BaseException:
            self._remove_folders(folder, made)
            raise

    def find_complete(self, name: str, size: int, sha256: bytes) -> Path | None:
        """The path of the announced file, if the folder already has it under its name. Blocks.

        Only for transfers that had started before: the answer tells the other side whether the file is here.
        """
        path = safe_path(name)
        with suppress(OSError):
            here = self._open_root()
            try:
                for part in path.parts[:-1]:
                    here = _descend(here, part)
                file = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
            finally:
                os.close(here)
            with os.fdopen(file, "rb") as opened:
                found = os.fstat(file)
                if stat.S_ISREG(found.st_mode) and found.st_size == size:
                    same = hashlib.file_digest(opened, "sha256").digest() == sha256
                    return self.folder / path if same else None
        return None

    def check_free_space(self, size: int) -> None:
        """Check that ``size`` bytes fit on the disk.

        Raises:
            FileError: they do not.
        """
        with self._root.use() as root:
            disk = os.fstatvfs(root)
        free = disk.f_bavail * disk.f_frsize
        if size > free:
            raise FileError(f"{size / 1e6:,.1f} MB are needed, the disk has {free / 1e6:,.1f} MB free")

    def remove_partial(self, name: str, size: int, sha256: bytes, resume_key: bytes) -> None:
        """Remove the partial file of a transfer that is over. Does nothing if there is none."""
        path = safe_path(name)
        with suppress(OSError):
            here = self._open_root()
            try:
                for part in path.parts[:-1]:
                    here = _descend(here, part)
                os.unlink(partial_name(path.name, size, sha256, resume_key), dir_fd=here)
            finally:
                os.close(here)

    def close(self) -> None:
        """Close the folder, as soon as no thread uses it."""
        self._root.close()

    def __enter__(self) -> DestinationFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_root(self) -> int:
        with self._root.use() as root:
            return os.dup(root)

    def _make_folders(self, path: PurePosixPath) -> tuple[int, PurePosixPath, int]:
        """Open the folder of ``path`` and make missing parts: its descriptor, its path, and the number of
        new folders."""
        folder, made = PurePosixPath(), 0
        try:
            here = self._open_root()
        except OSError as error:
            raise file_error("make the folder of", str(path), error) from None
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

    def _remove_folders(self, folder: PurePosixPath, made: int) -> None:
        """Remove folders that were made for a file that did not arrive, if they are empty."""
        with suppress(OSError):
            for _ in range(made):
                here = self._open_root()
                try:
                    for part in folder.parts[:-1]:
                        here = _descend(here, part)
                    os.rmdir(folder.name, dir_fd=here)
                finally:
                    os.close(here)
                folder = folder.parent


def _enter_folder(here: int, part: str) -> tuple[int, str, int]:
    """Open or make a subfolder: its descriptor, its name (numbered if that is taken), and 1 if it is new,
    else 0."""
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
    """Open a subfolder and close its parent. If it cannot be opened, the parent stays open."""
    below = _open_folder(here, name)
    os.close(here)
    return below


def _open_folder(here: int, name: str) -> int:
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
