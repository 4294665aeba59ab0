"""Fork safety: hold registered locks across ``fork()``, then reset each registered object in the child.

Servers that load the application before they fork their workers need this, and so does multiprocessing. The
library's only call of ``os.register_at_fork`` is here.
"""

from __future__ import annotations

# Imported before register_at_fork below: functions for the time before a fork run in reverse order, so that
# ours run before those of logging. While a fork holds the lock of logging, a thread that configures logging
# under one of our locks would never release it.
import logging  # noqa: F401
import os
import threading
import weakref
from typing import Final, Protocol


class ForkAware(Protocol):
    """An object with state that a forked child must not share with its parent."""

    def after_fork(self) -> None:
        """Reset the copy. Called in the child, after the locks are released."""


lock: Final = threading.RLock()
"""Held during each fork. Hold it to keep other threads from forking, while a shared object is created."""

_registered: Final[weakref.WeakKeyDictionary[ForkAware, threading.RLock | None]] = weakref.WeakKeyDictionary()
_held: Final[list[tuple[ForkAware, threading.RLock | None]]] = []


def register(participant: ForkAware, hold: threading.RLock | None = None) -> None:
    """Reset ``participant`` in every forked child, for as long as it is referenced elsewhere.

    Call it without holding ``hold``: a fork in another thread may hold :data:`lock` and wait for ``hold``.

    Args:
        participant: a hashable object that supports weak references.
        hold: a lock that is held during the fork, so that the child does not get it locked by a thread that
            does not exist there. Not needed if ``after_fork`` replaces the lock.
    """
    with lock:
        _registered[participant] = hold


def unregister(participant: ForkAware) -> None:
    """Stop resetting ``participant``. An object that is not registered is ignored."""
    with lock:
        _registered.pop(participant, None)


def _before() -> None:
    """Acquire :data:`lock` and the lock of every participant.

    A thread that holds one of them may wait for another: the first record configures logging under the
    pipeline's lock and registers further participants. So one lock at most is waited for, and all are
    released if a further one is taken.
    """
    blocking: threading.RLock = lock
    while True:
        with blocking:
            missing = _try_all()
        if missing is None:
            return
        blocking = missing


def _try_all() -> threading.RLock | None:
    """Acquire all locks without waiting. Otherwise acquire none, and return one that is taken."""
    if not lock.acquire(blocking=False):
        return lock
    for participant, hold in list(_registered.items()):
        if hold is not None and not hold.acquire(blocking=False):
            _after_in_parent()
            return hold
        _held.append((participant, hold))
    return None


def _after_in_parent() -> None:
    while _held:
        _, hold = _held.pop()
        if hold is not None:
            hold.release()
    lock.release()


def _after_in_child() -> None:
    participants = [participant for participant, _ in _held]
    _after_in_parent()
    for participant in participants:
        participant.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
