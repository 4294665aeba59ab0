"""The result of a drill: its state, its times and its problems."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

DrillState = Literal[
    "waiting",
    "starting",
    "quiet",
    "fault on",
    "pending",
    "firing",
    "notified",
    "cleared",
    "passed",
    "failed",
]


@dataclass(slots=True)
class DrillResult:
    """A drill while it runs and afterwards. Times are seconds since the epoch; None: not known yet.

    Attributes:
        alert: the name of the drill: that of its alert, except for the drills of a server that hangs.
        profile: the name of its stack.
        min_latency: the shortest possible time in seconds from the fault to the notification: scrape
            interval, ``for`` and group wait, scaled.
        scaled_parts: the scaled parts of the rule, shipped value to scaled value.
        started_at: when the fault was injected.
        notified_at: when every destination had a notification.
        cleared_at: when the fault was removed.
        resolved_at: when every destination had the notification of the end.
        destinations: those that got a notification.
        problems: what was wrong, one line each.
    """

    alert: str
    fault: str
    profile: str
    scale: float
    min_latency: float
    scaled_parts: dict[str, str] = field(default_factory=dict)
    state: DrillState = "waiting"
    started_at: float | None = None
    pending_at: float | None = None
    firing_at: float | None = None
    notified_at: float | None = None
    cleared_at: float | None = None
    resolved_at: float | None = None
    destinations: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)

    @property
    def is_finished(self) -> bool:
        """Whether the drill has passed or failed."""
        return self.state in {"passed", "failed"}

    @property
    def resolve_latency(self) -> float | None:
        """Seconds from the removal of the fault to the last notification of the end."""
        if self.resolved_at is None or self.cleared_at is None:
            return None
        return self.resolved_at - self.cleared_at

    @property
    def overhead(self) -> float | None:
        """Seconds that the notification took beyond :attr:`min_latency` after the condition held."""
        if self.notified_at is None or self.pending_at is None:
            return None
        return self.notified_at - self.pending_at - self.min_latency

    def since_fault(self, moment: float | None) -> float | None:
        """Seconds from the fault to a time; None while one of them is not known."""
        return None if moment is None or self.started_at is None else moment - self.started_at

    def finish(self) -> None:
        """Set the final state: failed if there are problems."""
        self.state = "failed" if self.problems else "passed"

    def to_json(self) -> dict[str, Any]:
        """The result as JSON. Times are seconds after the fault; ``resolved`` is :attr:`resolve_latency`."""
        return {
            "alert": self.alert,
            "passed": self.state == "passed",
            "fault": self.fault,
            "stack": self.profile,
            "scale": self.scale,
            "scaled": self.scaled_parts,
            "pending": _rounded(self.since_fault(self.pending_at)),
            "firing": _rounded(self.since_fault(self.firing_at)),
            "page": _rounded(self.since_fault(self.notified_at)),
            "resolved": _rounded(self.resolve_latency),
            "minimum": _rounded(self.min_latency),
            "places": list(self.destinations),
            "problems": self.problems,
        }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)
