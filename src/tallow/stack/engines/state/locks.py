"""File locks of a stack, in its ``run`` folder. The kernel releases them when their holder exits."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, get_args

from tallow.monitoring.lifecycle.private_files import append_private
from tallow.stack.engines.state.state_dir import StateDir

Lock = Literal["up", "plan", "supervisor"]
"""``up``: start, stop or purge. ``plan``: change of the plan. ``supervisor``: held while one runs."""
LOCK_FILES: Final = tuple(f"{name}.lock" for name in get_args(Lock))


@contextlib.contextmanager
def locked(home: StateDir, name: Lock, *, wait: bool = True) -> Iterator[bool]:
    """Hold a lock of the stack while the block runs; yield whether it was acquired.

    Args:
        wait: wait for another holder; without it the lock may not be acquired.

    Raises:
        OSError: the lock's file cannot be made.
    """
    path = home.run / f"{name}.lock"
    while True:
        with os.fdopen(append_private(path), "a") as file:
            acquired = _flock(file.fileno(), wait=wait)
            if not acquired or _is_at(file.fileno(), path):  # a purge may have removed the file meanwhile
                yield acquired
                return


def _flock(descriptor: int, *, wait: bool) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows, where the stack runs with the Docker engine
        return _lock_on_windows(descriptor, wait=wait)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _lock_on_windows(descriptor: int, *, wait: bool) -> bool:
    msvcrt: Any = importlib.import_module("msvcrt")
    while True:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:  # LK_LOCK gives up after ten seconds
            if wait:
                continue
            return False
        return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file is still the file at a path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
