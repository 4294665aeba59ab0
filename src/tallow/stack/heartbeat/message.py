"""The checker's messages: that the heartbeat is missing or back, that a channel fails or works again."""

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
    """A message for every channel.

    Attributes:
        key: ties the end of an incident to its beginning.
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
    """Makes the messages of one stack.

    Args:
        links: where the runbooks and dashboards of this stack are.
        status: the command that shows the state of this stack.
        mark: put before each summary (drills).
        remarks: lines for messages about a channel that fails: what may be the cause.
    """

    def __init__(
        self, links: Links, status: str = "tallow status", mark: str = "", remarks: tuple[str, ...] = ()
    ) -> None:
        self._runbook, self._dashboard = f"{links.runbooks}/Watchdog", OVERVIEW.url(links)
        self._status, self._remarks = status, remarks
        self._mark = f"{mark} · " if mark else ""

    def state(self, record: HeartbeatState) -> HeartbeatMessage:
        """The message about a state."""
        if record.state == "missing":
            return HeartbeatMessage(
                True,
                f"{self._mark}No heartbeat: alerts reach nobody",
                f"{record.reason}\n"
                f"Last heard of: {_clock(record.last_beat)}. Missing since {_clock(record.since)}.\n"
                f"Until it is back no other alert can be relied on. Look with: {self._status}",
                self._runbook,
                self._dashboard,
            )
        return HeartbeatMessage(
            False,
            f"{self._mark}The heartbeat is back: alerts work",
            f"Watchdog arrives again since {_clock(record.since)}.",
            self._runbook,
            self._dashboard,
        )

    def fault(self, news: FaultChange) -> HeartbeatMessage:
        """The message about a channel that fails, or works again."""
        if news.problem:
            summary = f"The heartbeat checker cannot deliver by {news.source}"
            lines = [
                f"{news.source}: {news.problem}.",
                "The checker goes on trying. Until it succeeds, its messages do not arrive there.",
                *self._remarks,
            ]
        else:
            summary = f"The heartbeat checker delivers by {news.source} again"
            lines = ["Messages of the checker arrive there again."]
        return HeartbeatMessage(
            bool(news.problem),
            f"{self._mark}{summary}",
            "\n".join(lines),
            self._runbook,
            self._dashboard,
            "warning",
            f"{HEARTBEAT_KEY}-{news.source}",
        )


def _clock(at: float | None) -> str:
    return "never" if at is None else time.strftime("%F %T UTC", time.gmtime(at))
