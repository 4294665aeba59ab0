"""How many items of telemetry this process has lost, for one line on standard error at its end."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tallow.monitoring.lifecycle import fork, standard_error

_NAMES: Final = {"logs": "log lines", "sentry": "Sentry items", "analytics": "analytics events"}


class LossReport:
    """Counts lost items by pipeline. A forked child counts its own."""

    def __init__(self) -> None:
        self._lost: Counter[str] = Counter()
        fork.register(self)

    def add(self, pipeline: str, count: int) -> None:
        """Count lost items of a pipeline. Pipelines that do not end with the process are left out."""
        if pipeline in _NAMES:
            self._lost[pipeline] += count

    def write(self) -> None:
        """Write what was lost since the last call to standard error, if anything was."""
        lost, self._lost = self._lost, Counter()
        parts = [f"{count} {_NAMES[pipeline]}" for pipeline, count in sorted(lost.items()) if count]
        if parts:
            standard_error.write_line(f"tallow: telemetry was lost: {', '.join(parts)}")

    def after_fork(self) -> None:
        """Forget the parent's losses."""
        self._lost = Counter()


LOSSES: Final = LossReport()
"""The losses of this process."""
