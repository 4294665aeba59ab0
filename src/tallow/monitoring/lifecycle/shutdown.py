"""Flush telemetry on SIGTERM, on ASGI shutdown and when the interpreter exits.

uvicorn ends by the signal itself after it has stopped, so functions of :mod:`atexit` are not called: without
this module, the telemetry of the last second would be lost.
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

TIMEOUT_S: Final = 5.0
"""Seconds that all pipelines together may take."""

Drain = Callable[[float], object]
"""Sends queued telemetry for at most the given number of seconds."""


@dataclass(frozen=True, slots=True)
class _Pipeline:
    flush: Drain
    close: Drain


class Pipelines:
    """The pipelines of a process. The functions of this module are the methods of one instance."""

    def __init__(self) -> None:
        self._pipelines: dict[str, _Pipeline] = {}
        self._closes_at_exit = False

    def register(self, name: str, flush: Drain, close: Drain | None = None) -> None:
        """Flush a pipeline at the end of an application and of the process.

        SIGTERM is handled from now on, unless the process has a handler; it ends the process as before. The
        exit of the interpreter closes all pipelines, too.

        Args:
            name: identifies the pipeline; a second registration replaces the first.
            flush: called when an application ends.
            close: called when the process ends; by default ``flush``.
        """
        self._pipelines[name] = _Pipeline(flush, close or flush)
        if not self._closes_at_exit:
            self._closes_at_exit = True
            atexit.register(self.close_all)
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._on_sigterm)

    def unregister(self, name: str) -> None:
        """Stop flushing a pipeline. A name that is not registered is ignored."""
        self._pipelines.pop(name, None)

    def names(self) -> list[str]:
        """Return the names of the registered pipelines."""
        return list(self._pipelines)

    def flush_all(self, timeout_s: float = TIMEOUT_S) -> None:
        """Send the queued telemetry of every pipeline within ``timeout_s`` seconds. Never raises."""
        _run_all(timeout_s, [pipeline.flush for pipeline in self._ordered()])

    def close_all(self, timeout_s: float = TIMEOUT_S) -> None:
        """Send the queued telemetry of every pipeline and store what cannot be sent. Never raises."""
        _run_all(timeout_s, [pipeline.close for pipeline in self._ordered()])

    def _ordered(self) -> list[_Pipeline]:
        """Return the pipelines, logs last: the others may log warnings."""
        names = sorted(self._pipelines, key=lambda name: name == "logs")
        return [self._pipelines[name] for name in names]

    def _on_sigterm(self, number: int, _frame: object) -> None:
        self.close_all()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _run_all(timeout_s: float, drains: list[Drain]) -> None:
    deadline = time.monotonic() + timeout_s
    for drain in drains:
        with suppress(Exception):
            drain(max(0.0, deadline - time.monotonic()))


_PROCESS: Final = Pipelines()
register_pipeline = _PROCESS.register
unregister_pipeline = _PROCESS.unregister
pipeline_names = _PROCESS.names
flush_all = _PROCESS.flush_all
close_all = _PROCESS.close_all
