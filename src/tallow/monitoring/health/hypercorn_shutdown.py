"""Delay the shutdown of hypercorn's workers.

Its supervisor handles SIGTERM. A worker polls a ``multiprocessing.Event`` ten times a second, and gets a
signal only if it does not end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

ARGUMENT = "shutdown_event"
"""The keyword argument with the event of hypercorn's worker functions, checked with 0.16 and 0.18."""


class ShutdownEventFilter:
    """Stands before the shutdown event of this worker.

    Args:
        event: the event; a worker has its own object for it.
        may_stop: called at each poll once the event is set; whether the worker sees it.
    """

    def __init__(self, event: Any, may_stop: Callable[[], bool]) -> None:
        self._event = event
        is_set = event.is_set
        event.is_set = lambda: is_set() and may_stop()

    @classmethod
    def install(cls, may_stop: Callable[[], bool]) -> ShutdownEventFilter | None:
        """Return the filter of this process's event, None if it is no worker of hypercorn."""
        multiprocessing: Any = sys.modules.get("multiprocessing.process")
        if "hypercorn" not in sys.modules or multiprocessing is None:
            return None
        # multiprocessing has no public name for the arguments of the present process.
        arguments = getattr(multiprocessing.current_process(), "_kwargs", {})
        event = arguments.get(ARGUMENT) if isinstance(arguments, dict) else None
        return None if event is None else cls(event, may_stop)

    def remove(self) -> None:
        """Show the event as it is."""
        self._event.__dict__.pop("is_set", None)
