"""Private temporary folders.

A folder is removed at the end of its block. If its process is killed, a later start removes it: the folder
has a marker file with a lock that the kernel releases when the process ends.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

PREFIX: Final = "tallow-"
MARKER: Final = ".tallow-temporary"
ATTEMPTS: Final = 10


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder of mode 0700 below TMPDIR, removed at the end of the block.

    Raises:
        OSError: it cannot be made.
    """
    folder, lock = _make()
    try:
        yield folder
    finally:
        _remove(folder)
        os.close(lock)


def remove_abandoned() -> None:
    """Remove this user's temporary folders whose processes have ended. Never raises."""
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX):
                with suppress(OSError):
                    _remove_if_abandoned(Path(entry.path))


def _make() -> tuple[Path, int]:
    """A new folder, and the descriptor that holds its lock."""
    for _ in range(ATTEMPTS):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        with suppress(FileNotFoundError, BlockingIOError):  # another process removed it before it was locked
            return folder, _lock(folder, os.O_CREAT | os.O_EXCL)
    raise FileNotFoundError(f"temporary folders in {tempfile.gettempdir()} disappear as they are made")


def _lock(folder: Path, flags: int = 0) -> int:
    """Take the lock of a folder and return the descriptor that holds it.

    Raises:
        BlockingIOError: another process holds it.
        FileNotFoundError: the folder has no marker.
    """
    marker = folder / MARKER
    descriptor = os.open(marker, os.O_RDWR | os.O_NOFOLLOW | flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        marker.stat()  # another process may have removed it between the two calls
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove_if_abandoned(folder: Path) -> None:
    found = folder.lstat()
    if found.st_uid != os.geteuid() or not folder.is_dir() or folder.is_symlink():
        return
    lock = _lock(folder)  # raises if there is no marker: another program's folder
    try:
        _remove(folder)
    finally:
        os.close(lock)


def _remove(folder: Path) -> None:
    """Remove a folder, also while a thread still writes into it. Never raises.

    The folder is renamed first, so that the thread no longer finds it. The marker is removed last: if this
    process is killed before, the next start removes the rest.
    """
    with suppress(OSError):
        folder = folder.rename(folder.with_name(f"{PREFIX}removed-{secrets.token_hex(8)}"))
    with suppress(OSError):
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != MARKER:
                entry.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
