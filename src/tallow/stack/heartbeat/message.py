"""The checker's messages: the heartbeat is missing or back, a channel fails or works again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final, Literal

from tallow.stack.alerts.links import OVERVIEW, Links
from tallow.stack.heartbeat.faults import FaultChange
from tallow.stack.heartbeat.state import HeartbeatState

HEARTBEAT_KEY: Final = "tallow-heartbeat"


@dataclass(frozen=True, slots=True)
class HeartbeatMessage:
    """A message, independent of the channel.

    Attributes:
        key: identifies the incident, so that the resolved message closes it.
    """

    firing: bool
    summary: str
    text: str
    runbook: str
    dashboard: str
    severity: Literal["critical", "warning"] = "critical"
    key: str = HEARTBEAT_KEY

    @property
    def subject(self) -> str:
        return f"[{self.severity.upper() if self.firing else 'RESOLVED'}] {self.summary}"


class MessageComposer:
    """Composes the messages of one stack.

    Args:
        links: the addresses of the runbooks and dashboards of this stack.
        status: the command that shows the state of this stack.
        mark: a prefix of each summary (drills).
        remarks: possible causes, for messages about a channel that fails.
    """

    def __init__(
        self, links: Links, status: str = "tallow status", mark: str = "", remarks: tuple[str, ...] = ()
    ) -> None:
        self._runbook, self._dashboard = f"{links.runbooks}/Watchdog", OVERVIEW.url(links)
        self._status, self._remarks = status, remarks
        self._mark = f"{mark} · " if mark else ""

    def state(self, state: HeartbeatState) -> HeartbeatMessage:
        """The message about a state of the heartbeat."""
        if state.state == "missing":
            return HeartbeatMessage(
                True,
                f"{self._mark}No heartbeat: alerts do not arrive",
                f"{state.reason}\n"
                f"Last heartbeat: {_utc(state.last_beat)}. Missing since {_utc(state.since)}.\n"
                f"Until it is back, other alerts may not arrive. Check with: {self._status}",
                self._runbook,
                self._dashboard,
            )
        return HeartbeatMessage(
            False,
            f"{self._mark}The heartbeat is back: alerts work",
            f"Watchdog has been arriving again since {_utc(state.since)}.",
            self._runbook,
            self._dashboard,
        )

    def fault(self, change: FaultChange) -> HeartbeatMessage:
        """The message about a channel that fails or works again."""
        if change.problem:
            summary = f"The heartbeat checker cannot deliver by {change.source}"
            lines = [
                f"{change.source}: {change.problem}.",
                "The checker keeps trying. Until it succeeds, its messages do not arrive there.",
                *self._remarks,
            ]
        else:
            summary = f"The heartbeat checker delivers by {change.source} again"
            lines = ["Messages of the checker arrive there again."]
        return HeartbeatMessage(
            bool(change.problem),
            f"{self._mark}{summary}",
            "\n".join(lines),
            self._runbook,
            self._dashboard,
            "warning",
            f"{HEARTBEAT_KEY}-{change.source}",
        )


def _utc(at: float | None) -> str:
    return "never" if at is None else time.strftime("%F %T UTC", time.gmtime(at))
