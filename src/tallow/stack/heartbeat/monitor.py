"""The state of the heartbeat, computed from received beats and the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from tallow.stack.durations import HOUR, MINUTE
from tallow.stack.heartbeat.state import HeartbeatState

WAIT_S: Final = 5 * MINUTE
"""Alertmanager sends Watchdog every two minutes: one lost message does not notify, two do."""
REPEAT_S: Final = 1 * HOUR

NO_WATCHDOG: Final = (
    "Alertmanager has sent no Watchdog: it is down, cannot reach this checker, or receives no alerts."
)
WATCHDOG_RESOLVED: Final = (
    "Alertmanager works and reports that Watchdog is resolved: Prometheus is down or evaluates no rules."
)


class HeartbeatMonitor:
    """Decides when the heartbeat is missing. Time before its own start does not count.

    Args:
        channels: the names of the channels to notify.
        state: the state before a restart.
        scale: multiplies its times (drills).
        clock: monotonic seconds, which do not advance while the machine sleeps.
        wall: seconds since the Unix epoch.
    """

    def __init__(
        self,
        channels: Iterable[str],
        state: HeartbeatState | None = None,
        *,
        scale: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._channels = tuple(channels)
        self._wait, self._repeat = WAIT_S * scale, REPEAT_S * scale
        self._clock, self._wall = clock, wall
        known = state or HeartbeatState(since=wall())
        to_notify = tuple(name for name in known.to_notify if name in self._channels)
        self.current = replace(known, to_notify=to_notify)
        self._due = clock() + self._wait
        self._repeat_at = clock() + self._repeat

    def record_beat(self) -> None:
        """Record that Watchdog arrived."""
        self._due = self._clock() + self._wait
        now = self._wall()
        if self.current.state == "missing":
            self.current = HeartbeatState("beating", now, now, to_notify=self._channels)
        elif self.current.state == "waiting":
            self.current = HeartbeatState("beating", now, now)
        else:
            self.current = replace(self.current, last_beat=now)

    def record_resolved(self) -> None:
        """Record that Alertmanager reported Watchdog as resolved."""
        if self.current.state != "missing":
            self._set_missing(WATCHDOG_RESOLVED)

    def check_deadline(self) -> None:
        """Update the state for the current time."""
        if self.current.state != "missing":
            if self._clock() >= self._due:
                self._set_missing(NO_WATCHDOG)
        elif self._clock() >= self._repeat_at:
            self._repeat_at = self._clock() + self._repeat
            self.current = replace(self.current, to_notify=self._channels)

    def mark_notified(self, channel: str) -> None:
        """Record that a channel delivered the current state."""
        remaining = tuple(name for name in self.current.to_notify if name != channel)
        self.current = replace(self.current, to_notify=remaining)

    def _set_missing(self, reason: str) -> None:
        self._repeat_at = self._clock() + self._repeat
        self.current = HeartbeatState("missing", self._wall(), self.current.last_beat, reason, self._channels)
