"""Watches a track's Prometheus: when each alert became pending, when it fired, and what it said."""

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
    """An alert as it was seen. Times are seconds since the epoch."""

    pending_at: float
    firing_at: float | None = None
    is_present: bool = True
    summary: str = ""
    description: str = ""


@dataclass(slots=True)
class AlertObserver:
    """Sightings since an alert was last absent, by alert and instance (empty where it has none)."""

    timelines: dict[tuple[str, str], AlertTimeline] = field(default_factory=dict)
    fired_alerts: dict[str, set[str]] = field(default_factory=dict)
    """Instance to the alerts that ever fired on it."""

    def record(self, alerts: list[dict[str, Any]]) -> None:
        """Take in what Prometheus says now."""
        present = set()
        for alert in alerts:
            labels, notes = alert["labels"], alert["annotations"]
            key = (labels["alertname"], labels.get("instance", ""))
            present.add(key)
            known = self.timelines.get(key)
            if known is None or not known.is_present:
                known = self.timelines[key] = AlertTimeline(_time(alert["activeAt"]))
            known.summary, known.description = notes.get("summary", ""), notes.get("description", "")
            if alert["state"] == "firing":
                known.firing_at = known.firing_at or time.time()
                self.fired_alerts.setdefault(key[1], set()).add(key[0])
        for key, sighting in self.timelines.items():
            sighting.is_present = key in present

    def current(self, alert: str, instance: str) -> AlertTimeline | None:
        """The alert, if it is pending or firing."""
        known = self.timelines.get((alert, instance))
        return known if known is not None and known.is_present else None


@asynccontextmanager
async def observe_alerts(ground: DrillEnvironment) -> AsyncIterator[AlertObserver]:
    """Watch for as long as the block lasts; a Prometheus that is down is looked at again and again."""
    observer = AlertObserver()

    async def look() -> None:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                observer.record(await ground.alerts())
            await asyncio.sleep(POLL_S)

    task = asyncio.create_task(look(), name="observer")
    try:
        yield observer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _time(text: str) -> float:
    """RFC 3339, whose fraction may have nine digits, as seconds since the epoch."""
    head, dot, rest = text.replace("Z", "+00:00").partition(".")
    if not dot:
        return datetime.fromisoformat(head).timestamp()
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return datetime.fromisoformat(f"{head}.{digits[:6].ljust(6, '0')}{rest[len(digits) :]}").timestamp()
