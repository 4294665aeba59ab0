"""The folder that received files are written to. No name and no other program can lead outside of it."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Set
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

from tallow.app.files.attributes import NOT_SUPPORTED, PLAIN, PRIVATE_FOLDER, Attributes
from tallow.app.files.descriptor import Descriptor
from tallow.app.files.errors import FileError, file_error, printable
from tallow.app.files.links import safe_target
from tallow.app.files.names import numbered_path, safe_path
from tallow.app.files.partial_file import PartialFile, partial_name, take_free_name

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
        self._numbers: dict[Path, int] = {}
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
        attributes: Attributes = PLAIN,
    ) -> PartialFile:
        """Start to receive a file, or continue one that was kept. Blocks: kept bytes are hashed again.

        Args:
            name: file name from the other side.
            size: announced size in bytes.
            sha256: announced hash.
            resume_key: secret of the link, from which the temporary name is derived.
            stopped: asked while kept bytes are hashed; true ends that with ``StoppedError``.
            attributes: set when the file is complete.

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
                attributes,
                self._numbers,
                lambda: self._remove_folders(folder, made),
                stopped,
            )
        except BaseException:
            self._remove_folders(folder, made)
            raise

    def open_folder_of(self, name: str) -> tuple[int, Path]:
        """Open the folder of a file, which is made if it is missing: its descriptor and its path. Blocks.

        Raises:
            FileError: it cannot be made.
        """
        here, folder, _ = self._make_folders(safe_path(name))
        return here, self.folder / folder

    def take_free_name(self, folder: Path, name: str, link: Callable[[str], None]) -> str:
        """See :func:`partial_file.take_free_name`."""
        return take_free_name(folder, name, self._numbers, link)

    def make_folder(self, name: str) -> None:
        """Make a folder that may stay empty. Does nothing if there is one. Blocks.

        Raises:
            FileError: it cannot be made.
        """
        here, _, _ = self._make_folders(safe_path(f"{name}/x"))
        os.close(here)

    def make_link(self, name: str, target: str) -> bool:
        """Make a symbolic link that leads to something in its top folder. Blocks.

        Call it after all files: no file is then received through a link.

        Returns:
            False if the link would lead out of its top folder, or the file system has no links.

        Raises:
            FileError: it cannot be made.
        """
        text = safe_target(name, target)
        if text is None:
            return False
        path = safe_path(name)
        here, _, _ = self._make_folders(path)
        try:
            _link_or_number(here, path, text)
        except OSError as error:
            if error.errno in NOT_SUPPORTED:
                return False
            raise file_error("write", name, error) from None
        finally:
            os.close(here)
        return True

    def finish_folder(self, name: str, attributes: Attributes, made: Set[Path]) -> bool:
        """Set the attributes of a folder that this transfer made; others stay as they are. Blocks.

        Call it after all that is in the folder, the innermost folder first: a folder may become read-only.

        Args:
            made: absolute paths of the folders that this transfer made, in this run or an earlier one.

        Returns:
            False if the file system cannot keep the attributes.

        Raises:
            FileError: the disk failed.
        """
        try:
            here, folder = self._open_root(), PurePosixPath()
            try:
                for part in safe_path(f"{name}/x").parts[:-1]:
                    below, actual, _ = _enter_folder(here, part)
                    os.close(here)
                    here, folder = below, folder / actual
                ours = (self.folder / folder).absolute() in made
                return attributes.apply(here) if ours else True
            finally:
                os.close(here)
        except OSError as error:
            raise file_error("write", name, error) from None

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
            os.mkdir(name, PRIVATE_FOLDER, dir_fd=here)
            new = 1
        try:
            return _open_folder(here, name), name, new
        except OSError as error:
            if error.errno not in {errno.ENOTDIR, errno.ELOOP}:
                raise
        name = numbered_path(PurePosixPath(part), number).name
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def _link_or_number(here: int, path: PurePosixPath, text: str) -> None:
    """Make a link; with a number if its name is taken by something else."""
    for number in range(1, MAX_TRIES):
        name = numbered_path(path, number).name if number > 1 else path.name
        try:
            os.symlink(text, name, dir_fd=here)
        except FileExistsError:
            with suppress(OSError):
                if os.readlink(name, dir_fd=here) == text:
                    return
        else:
            return
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def _descend(here: int, name: str) -> int:
    """Open a subfolder and close its parent. If it cannot be opened, the parent stays open."""
    below = _open_folder(here, name)
    os.close(here)
    return below


def _open_folder(here: int, name: str) -> int:
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
