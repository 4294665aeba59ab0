"""A lock between the programs of one user. The kernel releases it however its process ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from tallow.monitoring.lifecycle.private_files import FILE_MODE, private_folder


class FileLock:
    """A held lock. Made by :meth:`acquire`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, path: Path) -> FileLock | None:
        """Take the lock; None if another program holds it, or the file cannot be made.

        Args:
            path: of the lock's file, which exists as long as the lock is held.
        """
        with suppress(OSError):
            private_folder(path.parent)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(descriptor), path.stat()):  # else its holder has just removed it
                    return cls(path, descriptor)
            except OSError:
                os.close(descriptor)
                raise
            os.close(descriptor)
        return None

    def release(self) -> None:
        """Release the lock and remove its file. A second call does nothing."""
        if self._descriptor >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1
