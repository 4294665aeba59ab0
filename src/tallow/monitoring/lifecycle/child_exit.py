"""Run a function when a child process ends by ``os._exit``, which calls no function of :mod:`atexit`.

Two kinds of children end that way:

- Those of :mod:`multiprocessing` (fork, forkserver) run the finalizers of :mod:`multiprocessing.util` first.
- A child of ``os.fork`` has no such hook. ``os._exit`` is its normal end, as Python's documentation says, so
  it is replaced by a function that calls the real one last. This is done in forked children only: in a
  process that was not forked, ``os._exit`` ends it at once, as before.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

from tallow.monitoring.lifecycle import fork

PRIORITY: Final = -100
"""Of the finalizer: after those of queues and pools, and after the child's own children were joined."""

PF_FORKNOEXEC: Final = 0x40
"""The kernel's flag of a process that was forked and has not called exec: ``include/linux/sched.h``."""

_exit: Final = os._exit


class ChildExit:
    """Calls a function once, before a child process ends.

    Args:
        function: called without arguments. Must not raise and must not wait for long.
    """

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function
        self._finalizer: Any = None
        fork.register(self)
        if _is_forked():
            os._exit = self._finish
        self._follow_multiprocessing()

    def after_fork(self) -> None:
        """Replace ``os._exit`` in the forked child."""
        self._finalizer = None
        os._exit = self._finish
        self._follow_multiprocessing()

    def _follow_multiprocessing(self) -> None:
        """Register a finalizer where multiprocessing is loaded, which it is in each of its children."""
        util: Any = sys.modules.get("multiprocessing.util")
        process: Any = sys.modules.get("multiprocessing.process")
        if util is None or process is None:
            return
        # A child that begins removes all finalizers, and then calls these functions.
        util.register_after_fork(self, ChildExit._add_finalizer)
        if process.parent_process() is not None:
            self._add_finalizer()

    def _add_finalizer(self) -> None:
        if self._finalizer is None or not self._finalizer.still_active():
            from multiprocessing.util import Finalize

            self._finalizer = Finalize(None, self._function, exitpriority=PRIORITY)

    def _finish(self, status: int) -> NoReturn:
        with suppress(BaseException):
            self._function()
        _exit(status)


def _is_forked() -> bool:
    """Whether this process was forked and runs its parent's program. Only Linux tells."""
    with suppress(OSError, ValueError, IndexError):
        # proc(5): the ninth field of the line is the kernel's flags; the second one may hold blanks.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        return bool(int(fields[6]) & PF_FORKNOEXEC)
    return False


_registered: Final[list[ChildExit]] = []


def register(function: Callable[[], object]) -> None:
    """Call ``function`` before this process ends as a child, and before its forked children end.

    Args:
        function: called without arguments. Must not raise and must not wait for long.
    """
    _registered.append(ChildExit(function))
