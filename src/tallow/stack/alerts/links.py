"""Where a person on call reads on: the runbook of an alert and the panel that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PANEL_IDS: Mapping[tuple[str, str], int] = MappingProxyType(
    {
        ("tallow-errors", "API errors by endpoint"): 9,
        ("tallow-errors", "Connection failures"): 7,
        ("tallow-errors", "Critical errors, last hour"): 1,
        ("tallow-errors", "Error rate by type"): 4,
        ("tallow-errors", "PQC operation failures"): 8,
        ("tallow-errors", "Transfer failures"): 6,
        ("tallow-overview", "Active connections"): 2,
        ("tallow-overview", "Transfer success rate"): 1,
        ("tallow-performance", "CPU usage"): 9,
        ("tallow-performance", "Cache hit rate"): 10,
        ("tallow-performance", "Database operation latency p50, p95, p99"): 2,
        ("tallow-performance", "Memory: RSS and heap"): 7,
        ("tallow-performance", "PQC operation duration p95 by operation"): 4,
        ("tallow-performance", "WebRTC connection time p95, p99"): 3,
        ("tallow-transfers", "Duration by size category"): 5,
        ("tallow-transfers", "P2P vs relay"): 2,
        ("tallow-transfers", "Queue depth"): 9,
        ("tallow-transfers", "Speed by method"): 4,
        ("tallow-transfers", "Transfer rate by status"): 1,
    }
)
"""The panels that alerts point at: dashboard and title to the number in the dashboard's JSON."""


@dataclass(frozen=True, slots=True)
class Links:
    """Base addresses without a trailing slash."""

    runbooks: str = "http://localhost:9095/runbooks"
    dashboards: str = "http://localhost:3001"


@dataclass(frozen=True, slots=True)
class Panel:
    """A dashboard panel by the dashboard's uid and the panel's title.

    Without a title: the dashboard as a whole, for alerts on what no panel shows.
    """

    dashboard: str
    title: str | None = None

    def url(self, links: Links) -> str:
        address = f"{links.dashboards}/d/{self.dashboard}/{self.dashboard}"
        if self.title is None:
            return address
        return f"{address}?viewPanel={PANEL_IDS[self.dashboard, self.title]}"
