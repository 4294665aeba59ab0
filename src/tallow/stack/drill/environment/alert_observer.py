"""Observe the alerts of a drill's Prometheus: when each was pending, when it fired, and its annotations."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx

from tallow.stack.drill.environment.stack import DrillEnvironment

POLL_S: Final = 0.2


@dataclass(slots=True)
class AlertTimeline:
    """An alert since it became pending. Times are seconds since the epoch.

    Attributes:
        is_present: whether Prometheus still lists it.
    """

    pending_at: float
    firing_at: float | None = None
    is_present: bool = True
    summary: str = ""
    description: str = ""


@dataclass(slots=True)
class AlertObserver:
    """What Prometheus has reported about alerts.

    Attributes:
        timelines: the last timeline by alert and instance; the instance is empty if the alert has none.
        fired_alerts: every alert that ever fired, by instance.
    """

    timelines: dict[tuple[str, str], AlertTimeline] = field(default_factory=dict)
    fired_alerts: dict[str, set[str]] = field(default_factory=dict)

    def record(self, alerts: list[dict[str, Any]]) -> None:
        """Update the timelines from an answer of Prometheus's ``/api/v1/alerts``."""
        present = set()
        for alert in alerts:
            labels, annotations = alert["labels"], alert["annotations"]
            key = (labels["alertname"], labels.get("instance", ""))
            present.add(key)
            timeline = self.timelines.get(key)
            if timeline is None or not timeline.is_present:
                timeline = self.timelines[key] = AlertTimeline(_parse_time(alert["activeAt"]))
            timeline.summary = annotations.get("summary", "")
            timeline.description = annotations.get("description", "")
            if alert["state"] == "firing":
                timeline.firing_at = timeline.firing_at or time.time()
                self.fired_alerts.setdefault(key[1], set()).add(key[0])
        for key, timeline in self.timelines.items():
            timeline.is_present = key in present

    def current(self, alert: str, instance: str) -> AlertTimeline | None:
        """The alert's timeline while it is pending or firing."""
        timeline = self.timelines.get((alert, instance))
        return timeline if timeline is not None and timeline.is_present else None


@asynccontextmanager
async def observe_alerts(environment: DrillEnvironment) -> AsyncIterator[AlertObserver]:
    """Poll Prometheus until the block ends, also while it does not answer."""
    observer = AlertObserver()

    async def poll() -> None:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                observer.record(await environment.alerts())
            await asyncio.sleep(POLL_S)

    task = asyncio.create_task(poll(), name="observer")
    try:
        yield observer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _parse_time(text: str) -> float:
    """An RFC 3339 time, whose fraction may have nine digits, as seconds since the epoch."""
    head, dot, rest = text.replace("Z", "+00:00").partition(".")
    if not dot:
        return datetime.fromisoformat(head).timestamp()
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return datetime.fromisoformat(f"{head}.{digits[:6].ljust(6, '0')}{rest[len(digits) :]}").timestamp()
