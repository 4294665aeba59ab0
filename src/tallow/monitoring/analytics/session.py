"""A journey: what one visit went through, told in one event when it is over, with nothing to know it by."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

from tallow.monitoring.analytics import categories

MAX_STEPS: Final = 1_000


class Session:
    """A context manager; the journey lives in this object alone.

    ::

        with analytics.session("send") as journey:
            journey.step("file_chosen")
    """

    def __init__(self, send: Callable[[str, Mapping[str, Any]], None], kind: str) -> None:
        self._send_event = send
        self._kind = kind
        self._started = time.monotonic()
        self._steps = 0
        self._last_step = "none"
        self._ended = False

    def step(self, name: str) -> None:
        """The visit came to a step."""
        self._steps = min(self._steps + 1, MAX_STEPS)
        self._last_step = name

    def end(self, result: str = "completed") -> None:
        """The visit is over; told once."""
        if self._ended:
            return
        self._ended = True
        self._send_event(
            "Session",
            {
                "kind": self._kind,
                "result": result,
                "steps": self._steps,
                "last_step": self._last_step,
                "duration": categories.duration_category(time.monotonic() - self._started),
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.end("completed" if kind is None else "abandoned")
