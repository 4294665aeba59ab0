"""What one address prefix may report of the events that alerts look for, in any ten minutes.

The quota is above what an honest network reports while nothing is wrong and below the minimum of every alert
on a short window, so that one client cannot fire an alert, whatever it reports. It counts events that a rule
takes for bad: failures, and observations beyond the limit of a rule. What exceeds it is left out and counted
in ``telemetry_dropped_total{pipeline="client",reason="rate_limited"}``: the failures of a single prefix show
on the dashboards only, and not all of them.

A prefix is an IPv4 address or a /48 of IPv6 (:mod:`tallow.app.server.rooms.client_outcomes`). The workers of
a server have them in common; each instance of a cluster has quotas of its own.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tallow.app.server.limits.shared_window import UNITS, SharedWindowLimiter
from tallow.app.server.limits.sliding_window import SlidingWindowLimiter
from tallow.app.server.settings import ServerSettings
from tallow.monitoring.metrics.sample import Sample

WINDOW_S: Final = 600
FAILURE_METRICS: Final = frozenset(
    {
        "transfers_total",
        "webrtc_connections_total",
        "direct_connections_total",
        "pqc_key_exchanges_total",
        "pqc_operations_total",
    }
)
"""Metrics of whose failures an alert reads the share."""
SLOW_ABOVE: Final = {
    "transfer_duration_seconds": 60.0,
    "connection_establishment_seconds": 10.0,
    "pqc_duration_seconds": 5.0,
}
"""Observations above it are slow for SlowTransfers, HighConnectionTime and SlowPQCOperations."""
SLOW_UP_TO: Final = {"transfer_speed_mbps": 1.0}
"""Observations up to it are slow for LowTransferSpeed."""


class AddressQuota:
    """Decides which samples of peers are added to the metrics.

    Args:
        on_refusal: is called with the name of the limit that refuses a sample.
        path: of the file that the workers of this server have in common; None: there is one process.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        settings: ServerSettings,
        path: Path | None = None,
        on_refusal: Callable[[str], None] = lambda _limit: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._on_refusal = on_refusal
        self._limiter = SlidingWindowLimiter(WINDOW_S, clock)
        self._shared = None if path is None else SharedWindowLimiter(path, WINDOW_S, clock)

    def admit(self, sample: Sample, cell: int) -> bool:
        """Charge a sample to the quota of a client; False if it does not fit.

        Args:
            cell: the client's prefix, see :class:`~tallow.app.server.rooms.client_outcomes.ClientOutcomes`.
        """
        for limit, kind, amount in _charges(sample):
            if not self._take((kind, cell), amount, getattr(self._settings, limit)):
                self._on_refusal(limit)
                return False
        return True

    def _take(self, key: tuple[str, int], amount: int, limit: int) -> bool:
        if self._shared is not None and limit <= UNITS:
            return self._shared.take(key, amount, limit)
        return self._limiter.take(key, amount, limit)


def _charges(sample: Sample) -> Iterator[tuple[str, str, int]]:
    """What a sample costs: the setting of the limit, the kind of events, and their number."""
    name, count = sample.metric.name, round(sample.count)
    if name == "errors_total":
        yield "errors_per_address", "errors", count
    if name == "transfers_total" and sample.label("method") == "relay":
        yield "relayed_per_address", "relayed", count
    if bad := bad_events(sample):
        yield "failures_per_address", name, bad


def bad_events(sample: Sample) -> int:
    """How many events of a sample an alert takes for bad."""
    name = sample.metric.name
    if sample.label("status") == "failed" and (name in FAILURE_METRICS or name in SLOW_ABOVE):
        return round(sample.count)
    edges = sample.metric.buckets
    if name in SLOW_ABOVE:
        return round(sum(sample.amounts[bisect_left(edges, SLOW_ABOVE[name]) + 1 : -1]))
    if name in SLOW_UP_TO:
        return round(sum(sample.amounts[: bisect_left(edges, SLOW_UP_TO[name]) + 1]))
    return 0
