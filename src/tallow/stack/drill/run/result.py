"""How a drill went: its times, and everything that was not as it must be."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal[
    "waiting", "starting", "quiet", "fault on", "pending", "firing", "told", "healed", "passed", "failed"
]


@dataclass(slots=True)
class Result:
    """One drill, as it goes and when it is over. Times are seconds since the epoch; None: not yet.

    Attributes:
        floor: the least that the page can take: scrape interval, ``for`` and group wait, scaled, seconds.
        scaled: what was scaled in the rule, shipped to drilled.
        problems: what was not as it must be, one line each.
    """

    alert: str
    fault: str
    track: str
    scale: float
    min_latency: float
    scaled: dict[str, str] = field(default_factory=dict)
    state: State = "waiting"
    started_at: float | None = None
    pending: float | None = None
    firing: float | None = None
    notified_at: float | None = None
    cleared_at: float | None = None
    resolved: float | None = None
    places: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)

    @property
    def over(self) -> bool:
        return self.state in {"passed", "failed"}

    def after(self, moment: float | None) -> float | None:
        """Seconds from the fault to a moment."""
        return None if moment is None or self.started_at is None else moment - self.started_at

    @property
    def healing(self) -> float | None:
        """Seconds from the healing to the last word that it is over."""
        return None if self.resolved is None or self.cleared_at is None else self.resolved - self.cleared_at

    @property
    def overhead(self) -> float | None:
        """Seconds that the page came after the condition held, beyond what had to be waited for."""
        if self.notified_at is None or self.pending is None:
            return None
        return self.notified_at - self.pending - self.min_latency

    def elapsed(self) -> float | None:
        """Seconds since the fault began."""
        return None if self.started_at is None else time.time() - self.started_at

    def facts(self) -> dict[str, Any]:
        """For programs; times are seconds after the fault, ``resolved`` after the healing."""

        def seconds(value: float | None) -> float | None:
            return None if value is None else round(value, 2)

        return {
            "alert": self.alert,
            "passed": self.state == "passed",
            "fault": self.fault,
            "stack": self.track,
            "scale": self.scale,
            "scaled": self.scaled,
            "pending": seconds(self.after(self.pending)),
            "firing": seconds(self.after(self.firing)),
            "page": seconds(self.after(self.notified_at)),
            "resolved": seconds(self.healing),
            "minimum": seconds(self.min_latency),
            "places": list(self.places),
            "problems": self.problems,
        }
