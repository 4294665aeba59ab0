"""How much one side of one room may report: what a real transfer can do, and less than wakes anybody.

One room must not be able to fire an alert. What it may book over its whole life is therefore small against
the traffic a rule waits for. Both sides together (rule: most that a room adds, traffic the rule must wait
for):

- HighErrorRate (0.1 errors a second over 5 minutes = 30): 10 errors.
- CriticalErrors: none, the severity is not accepted from peers.
- HighTransferFailureRate (10 %), SlowTransfers, LowTransferSpeed, HighRelayUsage (50 %): one outcome, so a
  minimum of 10, 20, 3 and 3 transfers.
- NoSuccessfulTransfers: one failed transfer, and 5 minutes in the queue of the 10 it needs.
- TransferQueueBacklog (100): one.
- HighConnectionFailureRate (20 %): 2 failed connections, a minimum of 10.
- HighConnectionTime (5 % slow): 4 connections, a minimum of 80 beside other traffic, of 5 alone.
- HighPQCFailureRate (5 %): 2 failed operations and 2 failed key exchanges, a minimum of 40 each.
- SlowPQCOperations (5 % slow): 12 operations, a minimum of 240 beside other traffic, of 13 alone.

What goes beyond a side's share is left out of its report and counted in
``telemetry_dropped_total{pipeline="client",reason="rate_limited"}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tallow.app.server.limits.rate_limit import TokenBucket

MAX_FILES: Final = 10_000
MAX_BYTES_PER_SECOND: Final = 1.25e9
"""10 Gbit/s: no peer moves more."""
MAX_CHUNKS_PER_SECOND: Final = 20_000
"""10 Gbit/s in the chunks a fast peer uses, and frames of control beside them."""
PRE_JOIN_S: Final = 30
"""What a peer did before it joined still belongs to its room: keys made, files read."""
PLAUSIBLE_FACTOR: Final = 20
REPORTS_PER_SECOND: Final = 0.5
REPORT_BURST: Final = 20
MAX_REJECTED_REPORTS: Final = 10
"""After so many bad reports a side is not listened to any more."""


@dataclass(frozen=True, slots=True)
class ReportQuota:
    """What one side may book of one metric: ``once`` over the room's life and ``per_second`` of it, of which
    ``failed`` may have status failed. ``largest`` bounds one observation; None: the room's age in seconds."""

    once: float
    per_second: float = 0
    max_failed: float | None = None
    max_value: float | None = None
    role: str | None = None

    def allowance(self, age_s: float) -> float:
        """The share of a side that joined ``age_s`` seconds ago."""
        return self.once + self.per_second * (age_s + PRE_JOIN_S)

    def plausible_maximum(self, age_s: float) -> float:
        """The most that one report can mean seriously: a bad line brings many retries, but not any number."""
        return self.once * PLAUSIBLE_FACTOR + self.per_second * (age_s + PRE_JOIN_S)


QUOTAS: Final[dict[str, ReportQuota]] = {
    "transfers_total": ReportQuota(1, role="sender"),
    "bytes_transferred_total": ReportQuota(0, MAX_BYTES_PER_SECOND),
    "file_size_bytes": ReportQuota(MAX_FILES, max_value=2.0**48, role="sender"),
    "transfer_duration_seconds": ReportQuota(1, role="sender"),
    "transfer_speed_mbps": ReportQuota(1, max_value=MAX_BYTES_PER_SECOND * 8e-6, role="sender"),
    "chunk_transfer_duration_seconds": ReportQuota(0, MAX_CHUNKS_PER_SECOND),
    "retry_attempts_total": ReportQuota(100),
    "webrtc_connections_total": ReportQuota(2, max_failed=1),
    "connection_establishment_seconds": ReportQuota(2),
    "nat_traversal_total": ReportQuota(4),
    "connection_quality_score": ReportQuota(100, 1, max_value=100),
    "pqc_operations_total": ReportQuota(6, max_failed=1),
    "pqc_duration_seconds": ReportQuota(6),
    "pqc_key_exchanges_total": ReportQuota(3, max_failed=1),
    "encryption_operations_total": ReportQuota(0, 2 * MAX_CHUNKS_PER_SECOND),
    "encryption_duration_seconds": ReportQuota(0, 2 * MAX_CHUNKS_PER_SECOND),
    "errors_total": ReportQuota(5),
    "error_recoveries_total": ReportQuota(20),
    "feature_usage_total": ReportQuota(20),
    "settings_changes_total": ReportQuota(10),
    "metadata_stripped_total": ReportQuota(MAX_FILES),
    "turn_relay_usage_total": ReportQuota(2),
    "service_worker_events_total": ReportQuota(100, 1),
    "pwa_installs_total": ReportQuota(1),
    "notifications_sent_total": ReportQuota(20),
}


@dataclass(slots=True)
class QuotaUsage:
    """What one side of one room has used of its shares: by metric, and by metric for status failed."""

    used: dict[str, float] = field(default_factory=dict)
    failed: dict[str, float] = field(default_factory=dict)
    rejected: int = 0
    bucket: TokenBucket = field(default_factory=lambda: TokenBucket(REPORTS_PER_SECOND, REPORT_BURST))

    def admit(self, name: str, labels: Mapping[str, str], count: float, age_s: float) -> bool:
        """Use up a part of a metric's share, wholly or not at all."""
        share = QUOTAS[name]
        used = self.used.get(name, 0) + count
        failed = self.failed.get(name, 0) + (count if labels.get("status") == "failed" else 0)
        if used > share.allowance(age_s) or (share.max_failed is not None and failed > share.max_failed):
            return False
        self.used[name] = used
        self.failed[name] = failed
        return True
