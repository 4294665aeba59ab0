"""Before the process goes: what waits is sent, at a SIGTERM nobody handles and when an application ends.

Servers end by the signal itself once they have stopped (uvicorn does), so that functions of :mod:`atexit` are
not called: telemetry of the last second would be lost, which is the one that says why.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

TIMEOUT_S: Final = 5.0
"""How long leaving may take, all pipelines together."""

Drain = Callable[[float], object]
"""Sends what waits, for at most so many seconds."""


@dataclass(frozen=True, slots=True)
class _Pipeline:
    flush: Drain
    close: Drain


_pipelines: Final[dict[str, _Pipeline]] = {}


def register(name: str, flush: Drain, close: Drain | None = None) -> None:
    """Have a pipeline drained: by ``flush`` when an application's life ends, by ``close`` (else ``flush``)
    when the process's does. The same name again takes the place of what was there.

    A SIGTERM is handled from now on, if nobody else does; it ends the process as it would have.
    """
    _pipelines[name] = _Pipeline(flush, close or flush)
    main = threading.current_thread() is threading.main_thread()
    if main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminated)


def unregister(name: str) -> None:
    """Forget a pipeline; an unknown name is ignored."""
    _pipelines.pop(name, None)


def flush(timeout_s: float = TIMEOUT_S) -> None:
    """Send what waits in every pipeline. Never raises."""
    _each(timeout_s, [pipeline.flush for pipeline in _ordered()])


def close(timeout_s: float = TIMEOUT_S) -> None:
    """Send what waits in every pipeline and keep what cannot be sent. Never raises."""
    _each(timeout_s, [pipeline.close for pipeline in _ordered()])


def _ordered() -> list[_Pipeline]:
    """Logs last: the others may have something to say."""
    return [_pipelines[name] for name in sorted(_pipelines, key=lambda name: name == "logs")]


def _each(timeout_s: float, drains: list[Drain]) -> None:
    deadline = time.monotonic() + timeout_s
    for drain in drains:
        with suppress(Exception):
            drain(max(0.0, deadline - time.monotonic()))


def _terminated(number: int, _frame: object) -> None:
    close()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
