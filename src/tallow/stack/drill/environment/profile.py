"""Drill profiles: the stacks that drills run on, each with its own time scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tallow.stack.prometheus import SCRAPE_INTERVAL_S

MIN_SCRAPE_INTERVAL_S: Final = 0.5
"""Scrape and evaluation intervals are not scaled below this: each scrape costs CPU time."""


@dataclass(frozen=True, slots=True)
class DrillProfile:
    """A stack for drills: Prometheus, Alertmanager and receivers.

    Attributes:
        name: also the name of its folder.
        scale: multiplies every window, ``for``, startup grace, offset and wait.
        sequential: whether its drills run one after the other, because their alerts look at all instances.
        objectives: whether the alerts on objectives are loaded. They add up all instances of the job and
            would fire constantly on a stack with many faults.
    """

    name: str
    scale: float
    sequential: bool = False
    objectives: bool = False

    @property
    def interval(self) -> float:
        """Seconds between two scrapes and between two evaluations."""
        return max(MIN_SCRAPE_INTERVAL_S, SCRAPE_INTERVAL_S * self.scale)


SHARED: Final = DrillProfile("shared", 1 / 15)
"""For most drills. Each has its own server, and their rules look at single instances."""
NOTIFY: Final = DrillProfile("notify", 1 / 15)
"""For faults of Alertmanager itself."""
RULES: Final = DrillProfile("rules", 1 / 15)
"""For faults of Prometheus's rules. It runs nothing else, so that it misses no evaluation because of load."""
RELOADS: Final = DrillProfile("reloads", 1 / 15, sequential=True)
"""For faults in the configuration of Prometheus and Alertmanager as a whole."""
WATCHDOG: Final = DrillProfile("watchdog", 1 / 15)
"""For the end of Prometheus and Alertmanager."""
BUDGET: Final = DrillProfile("budget", 1 / 60, sequential=True, objectives=True)
"""For alerts that look at six hours and at the job as a whole."""
DIGEST: Final = DrillProfile("digest", 1 / 720)
"""For alerts that are sent once a day."""
