"""What people are told: words of the page, and of the word that it is over."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tallow.stack.heartbeat.record import Record


@dataclass(frozen=True, slots=True)
class Notice:
    """A message for every channel; ``mark`` is put before it (drills)."""

    firing: bool
    summary: str
    text: str
    runbook: str
    dashboard: str

    @property
    def subject(self) -> str:
        return f"[{'CRITICAL' if self.firing else 'RESOLVED'}] {self.summary}"


def notice(record: Record, base: str, dashboard: str, mark: str = "") -> Notice:
    """The message about a state; ``base`` is the checker's own address."""
    mark = f"{mark} · " if mark else ""
    if record.state == "missing":
        return Notice(
            True,
            f"{mark}No heartbeat: alerts reach nobody",
            f"{record.reason}\n"
            f"Last heard of: {_clock(record.last_beat)}. Missing since {_clock(record.since)}.\n"
            "Until it is back no other alert can be relied on. Look with: tallow status",
            f"{base}/runbooks/Watchdog",
            dashboard,
        )
    return Notice(
        False,
        f"{mark}The heartbeat is back: alerts work",
        f"Watchdog arrives again since {_clock(record.since)}.",
        f"{base}/runbooks/Watchdog",
        dashboard,
    )


def _clock(at: float | None) -> str:
    return "never" if at is None else time.strftime("%F %T UTC", time.gmtime(at))
