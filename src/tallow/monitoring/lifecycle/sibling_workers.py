"""Find other worker processes of the same server, and warn if each of them counts for itself.

A sibling is a process with the same parent that listens on the same address. Linux tells this in ``/proc``;
elsewhere, no sibling is found.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from tallow.monitoring.lifecycle.threads import run_in_thread
from tallow.monitoring.lifecycle.warn_once import warn_once

CHECKS_S: Final = (2.0, 20.0)
"""Seconds after the start of this worker at which it looks for others: they start one after another."""

_PROC: Final = Path("/proc")
_LISTENING_TCP: Final = "0A"
_LISTENING_UNIX: Final = "00010000"


class SiblingCheck:
    """Looks for siblings and warns once. One for each process."""

    def __init__(self) -> None:
        self._process = 0

    def start(self) -> None:
        """Check in a while, in threads. A second call in the same process does nothing."""
        if self._process == os.getpid() or not _PROC.is_dir():
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # another library's event loop
            return
        self._process = os.getpid()
        for seconds in CHECKS_S:
            loop.call_later(seconds, _check_in_thread, loop)


def _check_in_thread(loop: asyncio.AbstractEventLoop) -> None:
    task = loop.create_task(run_in_thread(warn_of_siblings))
    task.add_done_callback(_ignore_failure)


def _ignore_failure(task: asyncio.Task[None]) -> None:
    """Mark an exception as seen. The end of the event loop cancels a check that is under way."""
    if not task.cancelled():
        task.exception()


def warn_of_siblings() -> None:
    """Warn if there are siblings."""
    if siblings():
        warn_once(
            "other workers serve the same address, and /metrics shows the figures of one worker only: "
            "set TALLOW_METRICS_DIR to a folder of their own for all of them"
        )


def siblings() -> list[int]:
    """Return the ids of the processes with the same parent that listen on one of this process's addresses."""
    listening = dict(_listening())
    own = set(_addresses(os.getpid(), listening))
    if not own:
        return []
    parent = os.getppid()
    return [
        process
        for process in _processes()
        if process != os.getpid()
        and _parent(process) == parent
        and not own.isdisjoint(_addresses(process, listening))
    ]


def _listening() -> Iterator[tuple[str, str]]:
    """The inode and the address of each listening socket."""
    for name in ("tcp", "tcp6"):
        for fields in _table(name):
            if len(fields) > 9 and fields[3] == _LISTENING_TCP:
                yield fields[9], fields[1]
    for fields in _table("unix"):
        if len(fields) > 7 and fields[3] == _LISTENING_UNIX:
            yield fields[6], fields[7]


def _table(name: str) -> Iterator[list[str]]:
    with suppress(OSError), (_PROC / "self" / "net" / name).open(encoding="utf-8", errors="replace") as lines:
        yield from map(str.split, lines)


def _addresses(process: int, listening: dict[str, str]) -> Iterator[str]:
    """The addresses that a process listens on."""
    with suppress(OSError):
        for descriptor in (_PROC / str(process) / "fd").iterdir():
            with suppress(OSError):
                inode = str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]")
                if inode in listening:
                    yield listening[inode]


def _processes() -> Iterator[int]:
    with suppress(OSError):
        yield from (int(path.name) for path in _PROC.iterdir() if path.name.isdecimal())


def _parent(process: int) -> int | None:
    """Return the id of a process's parent."""
    with suppress(OSError, ValueError, IndexError):
        # proc(5): the fourth field; the second one may hold blanks.
        return int((_PROC / str(process) / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    return None


CHECK: Final = SiblingCheck()
"""The check of this process."""
