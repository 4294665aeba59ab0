"""Small files that are complete in memory: they are written together, since each wait for the disk is long.

They have no temporary name. A file without a name vanishes with its process: a killed program leaves
nothing, and none of these files is ever here in part.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tallow.app.files.attributes import PRIVATE_FILE, Attributes
from tallow.app.files.destination import DestinationFolder
from tallow.app.files.errors import FileError, FileHashMismatchError, file_error, printable
from tallow.app.files.names import safe_path
from tallow.app.files.write_back import begin_writing

MAX_SMALL_BYTES: Final = 64 * 1024
_FLAGS: Final = getattr(os, "O_TMPFILE", 0) | os.O_RDWR | os.O_CLOEXEC
# Errors of systems that have no files without names, or cannot give them one (without /proc).
_NOT_SUPPORTED: Final = {
    errno.EOPNOTSUPP,
    errno.ENOTSUP,
    errno.EISDIR,
    errno.EINVAL,
    errno.ENOENT,
    errno.EPERM,
    errno.EXDEV,
}


@dataclass(frozen=True)
class SmallFile:
    """A received file: what the manifest says of it, and its content."""

    name: str
    sha256: bytes
    attributes: Attributes
    content: bytes


@dataclass
class WrittenFiles:
    """What became of a batch.

    Attributes:
        paths: final paths of the first files of the batch; the others were not written.
        attributes_kept: whether the file system took all permissions and times.
        error: why the next file was not written; None if the batch is complete or was stopped.
    """

    paths: list[Path] = field(default_factory=list)
    attributes_kept: bool = True
    error: Exception | None = None


def write_small_files(
    destination: DestinationFolder,
    files: Sequence[SmallFile],
    resume_key: bytes,
    stopped: Callable[[], bool] = lambda: False,
) -> WrittenFiles:
    """Verify files, write them to the disk, and then give them their names, in their order. Blocks.

    A file has its name only when its content is on the disk, and when this returns, the names are there, too.
    All contents are written before the first is waited for: a journal takes them in one turn.

    Args:
        resume_key: see :meth:`DestinationFolder.open_partial`.
        stopped: asked before each step; once it is true, no further file gets a name.
    """
    done = WrittenFiles()
    wanted = _verified(files, done)
    try:
        with ExitStack() as opened:
            batch = _Batch(destination, opened, stopped, done)
            if hasattr(os, "O_TMPFILE"):
                wanted = batch.write(wanted)
                batch.give_names()
        while len(done.paths) < len(wanted) and not stopped():
            done.paths.append(_write_named(destination, wanted[len(done.paths)], resume_key, done))
    except (OSError, FileError) as error:
        name = wanted[len(done.paths)].name
        done.error = file_error("write", name, error) if isinstance(error, OSError) else error
    return done


def _verified(files: Sequence[SmallFile], done: WrittenFiles) -> Sequence[SmallFile]:
    """The files before the first one with a wrong hash, which is the error."""
    for number, file in enumerate(files):
        if not hmac.compare_digest(hashlib.sha256(file.content).digest(), file.sha256):
            text = f"{printable(file.name)} is not the announced file: its hash differs; removed"
            done.error = FileHashMismatchError(text)
            return files[:number]
    return files


class _Batch:
    """Files without names."""

    def __init__(
        self,
        destination: DestinationFolder,
        opened: ExitStack,
        stopped: Callable[[], bool],
        done: WrittenFiles,
    ) -> None:
        self._destination = destination
        self._opened = opened
        self._stopped = stopped
        self._done = done
        self._folders: dict[str, tuple[int, Path]] = {}
        self._files: list[tuple[str, int, int, Path]] = []

    def write(self, files: Sequence[SmallFile]) -> Sequence[SmallFile]:
        """Write files; returns those before the first one that cannot be written, which is the error.

        If the system has no files without names, all are returned; those not written here need a temporary
        name.
        """
        for number, file in enumerate(files):
            try:
                self._write(file)
            except (OSError, FileError) as error:
                if isinstance(error, FileError):
                    self._done.error = error
                elif error.errno in _NOT_SUPPORTED:
                    return files
                else:
                    self._done.error = file_error("write", file.name, error)
                return files[:number]
        return files

    def give_names(self) -> None:
        """Wait for the disk, and give each file its name."""
        for _, descriptor, _, _ in self._files:
            begin_writing(descriptor)
        for _, descriptor, _, _ in self._files:
            if self._stopped():
                return
            os.fsync(descriptor)
        try:
            for name, descriptor, parent, folder in self._files:
                if self._stopped():
                    break
                self._done.paths.append(self._link(name, descriptor, parent, folder))
        except OSError as error:
            if error.errno not in _NOT_SUPPORTED:
                raise
        finally:
            for parent, _ in self._folders.values():
                os.fsync(parent)

    def _write(self, file: SmallFile) -> None:
        path = safe_path(file.name)
        parent, folder = self._folder(str(path.parent), file.name)
        descriptor = os.open(".", _FLAGS, PRIVATE_FILE, dir_fd=parent)
        self._opened.callback(os.close, descriptor)
        view = memoryview(file.content)
        while view:
            view = view[os.write(descriptor, view) :]
        self._done.attributes_kept &= file.attributes.apply(descriptor)
        self._files.append((path.name, descriptor, parent, folder))

    def _folder(self, key: str, name: str) -> tuple[int, Path]:
        """The open folder of a file, and its path."""
        if key not in self._folders:
            self._folders[key] = self._destination.open_folder_of(name)
            self._opened.callback(os.close, self._folders[key][0])
        return self._folders[key]

    def _link(self, name: str, descriptor: int, parent: int, folder: Path) -> Path:
        def link(final: str) -> None:
            os.link(f"/proc/self/fd/{descriptor}", final, dst_dir_fd=parent, follow_symlinks=True)

        return folder / self._destination.take_free_name(folder, name, link)


def _write_named(
    destination: DestinationFolder, file: SmallFile, resume_key: bytes, done: WrittenFiles
) -> Path:
    """Write a file under a temporary name."""
    arguments = (file.name, len(file.content), file.sha256, resume_key)
    partial = destination.open_partial(*arguments, attributes=file.attributes)
    if partial.received:  # of an earlier run
        partial.discard()
        partial = destination.open_partial(*arguments, attributes=file.attributes)
    try:
        partial.write(file.content)
        path = partial.finish()
    except BaseException:
        partial.discard()
        raise
    done.attributes_kept &= partial.attributes_kept
    return path
