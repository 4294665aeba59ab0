"""Whether the heart beats: decided from beats and time alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from tallow.stack.durations import HOUR, MINUTE
from tallow.stack.heartbeat.state import HeartbeatState

WAIT_S: Final = 5 * MINUTE
"""Alertmanager sends Watchdog every other minute: one that is lost on the way pages nobody, two do."""
REPEAT_S: Final = 1 * HOUR

NO_WATCHDOG: Final = (
    "Alertmanager has sent no Watchdog: it is down, cannot reach this checker, or is itself told nothing."
)
WATCHDOG_RESOLVED: Final = (
    "Alertmanager works and says that Watchdog has ended: Prometheus is down, or evaluates no rules."
)


class HeartbeatMonitor:
    """Counts from its own start: what it missed while it was down itself is no evidence.

    Args:
        channels: who is to be told.
        record: what was known before a restart.
        scale: multiplies its times (drills).
        clock: monotonic seconds; they stand still while the machine sleeps.
        wall: seconds since the epoch.
    """

    def __init__(
        self,
        channels: Iterable[str],
        record: HeartbeatState | None = None,
        *,
        scale: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._channels = tuple(channels)
        self._wait, self._repeat = WAIT_S * scale, REPEAT_S * scale
        self._clock, self._wall = clock, wall
        known = record or HeartbeatState(since=wall())
        to_notify = tuple(name for name in known.to_notify if name in self._channels)
        self.current = replace(known, to_notify=to_notify)
        self._due = clock() + self._wait
        self._again = clock() + self._repeat

    def record_beat(self) -> None:
        """Watchdog came."""
        self._due = self._clock() + self._wait
        now = self._wall()
        if self.current.state == "missing":
            self.current = HeartbeatState("beating", now, now, to_notify=self._channels)
        elif self.current.state == "waiting":
            self.current = HeartbeatState("beating", now, now)
        else:
            self.current = replace(self.current, last_beat=now)

    def record_resolved(self) -> None:
        """Alertmanager said that Watchdog is over."""
        if self.current.state != "missing":
            self._set_missing(WATCHDOG_RESOLVED)

    def check_deadline(self) -> None:
        """Time went by."""
        if self.current.state != "missing":
            if self._clock() >= self._due:
                self._set_missing(NO_WATCHDOG)
        elif self._clock() >= self._again:
            self._again = self._clock() + self._repeat
            self.current = replace(self.current, to_notify=self._channels)

    def mark_notified(self, channel: str) -> None:
        """A channel took the news."""
        left = tuple(name for name in self.current.to_notify if name != channel)
        self.current = replace(self.current, to_notify=left)

    def _set_missing(self, reason: str) -> None:
        self._again = self._clock() + self._repeat
        self.current = HeartbeatState("missing", self._wall(), self.current.last_beat, reason, self._channels)
