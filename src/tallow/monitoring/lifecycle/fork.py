"""A process that forks: no lock may be held in the copy for ever, and no two may write to one row.

A server that loads the application before it forks its workers does so, and so does multiprocessing.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol


class ForkAware(Protocol):
    """What must know of a fork."""

    lock: threading.RLock

    def after_fork(self) -> None:
        """This process is the copy."""


_watched: weakref.WeakSet[ForkAware] = weakref.WeakSet()
_held: list[ForkAware] = []
_forking = threading.RLock()


def watch(survivor: ForkAware) -> None:
    """Hold its lock across each fork, and tell its copy."""
    _watched.add(survivor)


def _before() -> None:
    _forking.acquire()
    _held[:] = list(_watched)
    for survivor in _held:
        survivor.lock.acquire()


def _release() -> None:
    while _held:
        _held.pop().lock.release()
    _forking.release()


def _copied() -> None:
    copies = list(_held)
    _release()
    for survivor in copies:
        survivor.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_before, after_in_parent=_release, after_in_child=_copied)
