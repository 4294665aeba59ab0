"""A session: the steps of one visit, one event for each and one for its end, without an identifier."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

from tallow.monitoring.analytics import categories

MAX_STEPS: Final = 1_000


class Session:
    """Sends an event for each step of one visit, and one at its end. Use it as a context manager.

    The state is in this object only: nothing in an event connects it with another one.

    Args:
        send: sends an event, given its name and properties.
        kind: what the visit is for, one short word.

    Example::

        >>> events = []
        >>> with Session(lambda name, props: events.append((name, props)), kind="send") as session:
        ...     session.step("file_chosen")
        >>> [name for name, _ in events], events[-1][1]["last_step"]
        (['Session step', 'Session'], 'file_chosen')
    """

    __slots__ = ("_ended", "_kind", "_last_step", "_send_event", "_started", "_steps")

    def __init__(self, send: Callable[[str, Mapping[str, Any]], None], kind: str) -> None:
        self._send_event = send
        self._kind = kind
        self._started = time.monotonic()
        self._steps = 0
        self._last_step = "none"
        self._ended = False

    def step(self, name: str) -> None:
        """Count a step of the visit, and send it. Beyond :data:`MAX_STEPS` none is sent."""
        if self._ended or self._steps >= MAX_STEPS:
            return
        self._steps += 1
        self._last_step = name
        self._send_event("Session step", {"kind": self._kind, "step": name})

    def end(self, result: str = "completed") -> None:
        """End the visit and send its last event. A second call has no effect."""
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
