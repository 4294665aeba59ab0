"""Flush telemetry on SIGTERM, on ASGI shutdown and when the interpreter exits.

uvicorn ends by the signal itself after it has stopped, so functions of :mod:`atexit` are not called: without
this module, the telemetry of the last second would be lost. Children of :mod:`multiprocessing` and forked
children, which end by ``os._exit``, are handled in :mod:`tallow.monitoring.lifecycle.child_exit`.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tallow.monitoring.lifecycle import child_exit
from tallow.monitoring.lifecycle.losses import LOSSES

TIMEOUT_S: Final = 4.0
"""Seconds that all pipelines together may delay the end of a process.

The promise is five; the rest is for the interpreter and the server.
"""

LOGS_S: Final = 1.0
"""Seconds of :data:`TIMEOUT_S` that are kept for the logs, which come last."""

NEW_ALLOWANCE_S: Final = 30.0
"""A process that goes on for so many seconds after a flush is not ending: it may wait again."""

Drain = Callable[[float], object]
"""Sends queued telemetry for at most the given number of seconds."""


def _nothing() -> None:
    """A pipeline whose thread needs no signal to begin."""


@dataclass(frozen=True, slots=True)
class _Pipeline:
    flush: Drain
    close: Drain
    hurry: Callable[[], object] = _nothing


class ExitAllowance:
    """The seconds that a process may still wait at its end.

    An uncaught exception, the end of an application, SIGTERM and the exit of the interpreter each flush. They
    share the time: together they delay the end by at most ``total_s`` seconds.

    Args:
        total_s: seconds in sum.
    """

    def __init__(self, total_s: float = TIMEOUT_S) -> None:
        self._total_s = total_s
        self._spent_s = 0.0
        self._last = 0.0

    def remaining(self) -> float:
        """Return the seconds that are left."""
        if time.monotonic() - self._last > NEW_ALLOWANCE_S:
            self._spent_s = 0.0
        return max(0.0, self._total_s - self._spent_s)

    def spend(self, work: Drain, at_most_s: float) -> None:
        """Call ``work`` with the seconds it may take, and count what it took."""
        started = time.monotonic()
        try:
            work(min(at_most_s, self.remaining()))
        finally:
            self._last = time.monotonic()
            self._spent_s += self._last - started


class Pipelines:
    """The pipelines of a process. The functions of this module are the methods of one instance."""

    def __init__(self) -> None:
        self._pipelines: dict[str, _Pipeline] = {}
        self._closes_at_exit = False
        self._allowance = ExitAllowance()

    def register(
        self, name: str, flush: Drain, close: Drain | None = None, hurry: Callable[[], object] = _nothing
    ) -> None:
        """Flush a pipeline at the end of an application and of the process.

        SIGTERM is handled from now on, unless the process has a handler; it ends the process as before. The
        exit of the interpreter closes all pipelines, too.

        Args:
            name: identifies the pipeline; a second registration replaces the first.
            flush: called when an application ends.
            close: called when the process ends; by default ``flush``.
            hurry: called before the first flush, so that all pipelines work at the same time. Must not wait.
        """
        self._pipelines[name] = _Pipeline(flush, close or flush, hurry)
        if not self._closes_at_exit:
            self._closes_at_exit = True
            atexit.register(self.close_all)
            child_exit.register(self.close_all)
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._on_sigterm)

    def unregister(self, name: str) -> None:
        """Stop flushing a pipeline. A name that is not registered is ignored.

        With the last one, SIGTERM is no longer handled.
        """
        self._pipelines.pop(name, None)
        if self._pipelines:
            return
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGTERM) == self._on_sigterm:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def names(self) -> list[str]:
        """Return the names of the registered pipelines."""
        return list(self._pipelines)

    def flush_all(self, timeout_s: float = TIMEOUT_S) -> None:
        """Send the queued telemetry of every pipeline within ``timeout_s`` seconds. Never raises.

        The seconds are those of the process's :class:`ExitAllowance`: a later call has what this one leaves.
        """
        self._run([pipeline.flush for pipeline in self._ordered()], timeout_s)

    def close_all(self, timeout_s: float = TIMEOUT_S) -> None:
        """Send the queued telemetry of every pipeline and store what cannot be sent. Never raises.

        What was lost is written to standard error, in one line.
        """
        self._run([pipeline.close for pipeline in self._ordered()], timeout_s)
        with suppress(Exception):
            LOSSES.write()

    def flush_one(self, flush: Drain, timeout_s: float = TIMEOUT_S) -> None:
        """Call ``flush`` within the process's :class:`ExitAllowance`. Never raises."""
        with suppress(Exception):
            self._allowance.spend(flush, timeout_s)

    def _ordered(self) -> list[_Pipeline]:
        """Return the pipelines, logs last: the others may log warnings."""
        names = sorted(self._pipelines, key=lambda name: name == "logs")
        return [self._pipelines[name] for name in names]

    def _run(self, drains: list[Drain], timeout_s: float) -> None:
        for pipeline in self._ordered():
            with suppress(Exception):
                pipeline.hurry()
        self.flush_one(lambda allowed_s: _run_all(allowed_s, drains), timeout_s)

    def _on_sigterm(self, number: int, _frame: object) -> None:
        self.close_all()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _run_all(timeout_s: float, drains: list[Drain]) -> None:
    deadline = time.monotonic() + timeout_s
    kept_s = min(LOGS_S, timeout_s / 2)
    for number, drain in enumerate(drains, 1):
        last = number == len(drains)
        with suppress(Exception):
            drain(max(0.0, deadline - time.monotonic() - (0 if last else kept_s)))


_PROCESS: Final = Pipelines()
register_pipeline = _PROCESS.register
unregister_pipeline = _PROCESS.unregister
pipeline_names = _PROCESS.names
flush_all = _PROCESS.flush_all
close_all = _PROCESS.close_all
flush_one = _PROCESS.flush_one
