"""The checker's messages: that the heartbeat is missing, and that it is back."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tallow.stack.alerts.links import OVERVIEW, Links
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


def notice(record: Record, links: Links, status: str = "tallow status", mark: str = "") -> Notice:
    """The message about a state.

    Args:
        record: the state.
        links: where the runbooks and dashboards of this stack are.
        status: the command that shows the state of this stack.
        mark: put before the summary (drills).
    """
    runbook, dashboard = f"{links.runbooks}/Watchdog", OVERVIEW.url(links)
    mark = f"{mark} · " if mark else ""
    if record.state == "missing":
        return Notice(
            True,
            f"{mark}No heartbeat: alerts reach nobody",
            f"{record.reason}\n"
            f"Last heard of: {_clock(record.last_beat)}. Missing since {_clock(record.since)}.\n"
            f"Until it is back no other alert can be relied on. Look with: {status}",
            runbook,
            dashboard,
        )
    return Notice(
        False,
        f"{mark}The heartbeat is back: alerts work",
        f"Watchdog arrives again since {_clock(record.since)}.",
        runbook,
        dashboard,
    )


def _clock(at: float | None) -> str:
    return "never" if at is None else time.strftime("%F %T UTC", time.gmtime(at))
