"""A session: the steps of one visit, sent as one event at its end, without an identifier."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

from tallow.monitoring.analytics import categories

MAX_STEPS: Final = 1_000


class Session:
    """Counts the steps of one visit. The state is in this object only. Use it as a context manager.

    Args:
        send: sends an event, given its name and properties.
        kind: what the visit is for, one short word.

    Example::

        >>> events = []
        >>> with Session(lambda name, props: events.append((name, props)), kind="send") as session:
        ...     session.step("file_chosen")
        >>> events[0][1]["result"], events[0][1]["last_step"]
        ('completed', 'file_chosen')
    """

    def __init__(self, send: Callable[[str, Mapping[str, Any]], None], kind: str) -> None:
        self._send_event = send
        self._kind = kind
        self._started = time.monotonic()
        self._steps = 0
        self._last_step = "none"
        self._ended = False

    def step(self, name: str) -> None:
        """Count a step of the visit."""
        self._steps = min(self._steps + 1, MAX_STEPS)
        self._last_step = name

    def end(self, result: str = "completed") -> None:
        """End the visit and send the event. A second call has no effect."""
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
