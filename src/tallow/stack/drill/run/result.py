"""How a drill went: its times, and everything that was not as it must be."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal

DrillState = Literal[
    "waiting", "starting", "quiet", "fault on", "pending", "firing", "told", "healed", "passed", "failed"
]


@dataclass(slots=True)
class DrillResult:
    """One drill, as it goes and when it is over. Times are seconds since the epoch; None: not yet.

    Attributes:
        floor: the least that the page can take: scrape interval, ``for`` and group wait, scaled, seconds.
        scaled: what was scaled in the rule, shipped to drilled.
        problems: what was not as it must be, one line each.
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
        return self.state in {"passed", "failed"}

    def since_fault(self, moment: float | None) -> float | None:
        """Seconds from the fault to a moment."""
        return None if moment is None or self.started_at is None else moment - self.started_at

    @property
    def resolve_latency(self) -> float | None:
        """Seconds from the healing to the last word that it is over."""
        return (
            None
            if self.resolved_at is None or self.cleared_at is None
            else self.resolved_at - self.cleared_at
        )

    @property
    def overhead(self) -> float | None:
        """Seconds that the page came after the condition held, beyond what had to be waited for."""
        if self.notified_at is None or self.pending_at is None:
            return None
        return self.notified_at - self.pending_at - self.min_latency

    def elapsed(self) -> float | None:
        """Seconds since the fault began."""
        return None if self.started_at is None else time.time() - self.started_at

    def to_json(self) -> dict[str, Any]:
        """For programs; times are seconds after the fault, ``resolved`` after the healing."""

        def seconds(value: float | None) -> float | None:
            return None if value is None else round(value, 2)

        return {
            "alert": self.alert,
            "passed": self.state == "passed",
            "fault": self.fault,
            "stack": self.profile,
            "scale": self.scale,
            "scaled": self.scaled_parts,
            "pending": seconds(self.since_fault(self.pending_at)),
            "firing": seconds(self.since_fault(self.firing_at)),
            "page": seconds(self.since_fault(self.notified_at)),
            "resolved": seconds(self.resolve_latency),
            "minimum": seconds(self.min_latency),
            "places": list(self.destinations),
            "problems": self.problems,
        }
