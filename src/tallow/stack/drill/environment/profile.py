"""Tracks: stacks whose times are scaled by one factor, on which drills run side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tallow.stack.prometheus import SCRAPE_INTERVAL_S

SHORTEST_SCRAPE_S: Final = 0.5
"""Scrapes and evaluations are scaled no further: the machine has other things to do."""


@dataclass(frozen=True, slots=True)
class DrillProfile:
    """A stack of its own: Prometheus, Alertmanager, receivers.

    Attributes:
        scale: multiplies every window, ``for``, guard, offset and wait.
        in_turn: whether its drills run one after the other, since their alerts look at all instances.
        objectives: whether the alerts on objectives are loaded. They add up all instances of the job: on a
            track of many faults they would rightly fire all the time.
    """

    name: str
    scale: float
    sequential: bool = False
    objectives: bool = False

    @property
    def interval(self) -> float:
        """Seconds from scrape to scrape, and from evaluation to evaluation."""
        return max(SHORTEST_SCRAPE_S, SCRAPE_INTERVAL_S * self.scale)


SHARED: Final = DrillProfile("crowd", 1 / 15)
"""Most drills, each on an instance of its own, since rules look at instances."""
NOTIFY: Final = DrillProfile("notify", 1 / 15)
"""Alertmanager itself is broken here."""
RULES: Final = DrillProfile("rules", 1 / 15)
"""Prometheus's own rules are broken here; with little else to do it misses no evaluation by itself."""
RELOADS: Final = DrillProfile("reloads", 1 / 15, sequential=True)
"""Configuration is changed here, for Prometheus and Alertmanager as a whole."""
WATCHDOG: Final = DrillProfile("watchdog", 1 / 15)
"""Prometheus and Alertmanager die here."""
BUDGET: Final = DrillProfile("budget", 1 / 60, sequential=True, objectives=True)
"""Alerts that look at six hours, and at the job as a whole."""
DIGEST: Final = DrillProfile("digest", 1 / 720)
"""What is told once a day."""
