"""Per-room telemetry quota: above any real transfer, below every alert threshold.

A single room must not be able to fire an alert. The most that both peers of a room can add, compared with
what each rule needs:

- HighErrorRate (0.1 errors a second over 5 minutes = 30): 10 errors.
- CriticalErrors: none, peers may not report this severity.
- HighTransferFailureRate (10 %), SlowTransfers, LowTransferSpeed, HighRelayUsage (50 %): one outcome; the
  rules need at least 10, 20, 3 and 3 transfers.
- NoSuccessfulTransfers: one failed transfer, and 5 minutes in the queue of the 10 it needs.
- TransferQueueBacklog (100): one.
- HighConnectionFailureRate (20 %): 2 failed connections; the rule needs at least 10 connections.
- HighConnectionTime (5 % slow): 4 connections; the rule needs 80 beside other traffic, 5 without.
- HighPQCFailureRate (5 %): 2 failed operations and 2 failed key exchanges; the rule needs 40 of each.
- SlowPQCOperations (5 % slow): 12 operations; the rule needs 240 beside other traffic, 13 without.

What exceeds a peer's quota is left out of its report and counted in
``telemetry_dropped_total{pipeline="client",reason="rate_limited"}``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tallow.app.server.limits.rate_limit import TokenBucket
from tallow.app.wire import Role
from tallow.monitoring.metrics.sample import Sample

MAX_FILES: Final = 10_000
MAX_BYTES_PER_SECOND: Final = 1.25e9
"""10 Gbit/s: above any peer's network."""
MAX_CHUNKS_PER_SECOND: Final = 20_000
"""10 Gbit/s in 64 KiB chunks, and control frames."""
PRE_JOIN_S: Final = 30
"""A peer also reports what it did shortly before it joined: it generates keys and reads files."""
PLAUSIBLE_FACTOR: Final = 20
"""A report of more than this multiple of a quota is refused. Below it the excess is dropped: a bad network
causes many retries."""
REPORTS_PER_SECOND: Final = 0.5
REPORT_BURST: Final = 20
MAX_REJECTED_REPORTS: Final = 10
"""After this many invalid reports a peer's telemetry token is revoked."""


@dataclass(frozen=True, slots=True)
class ReportQuota:
    """How much one peer of a room may report of one metric.

    Attributes:
        once: over the room's lifetime.
        per_second: in addition, for each second in the room.
        max_failed: of these, how much may have the status failed; None: all.
        max_value: largest observation of a histogram; None: the seconds that the peer has been in the room.
        role: the only role that may report it; None: both.
    """

    once: float
    per_second: float = 0
    max_failed: float | None = None
    max_value: float | None = None
    role: Role | None = None

    def allowance(self, age_s: float) -> float:
        """The quota of a peer that joined ``age_s`` seconds ago."""
        return self.once + self.per_second * (age_s + PRE_JOIN_S)

    def plausible_maximum(self, age_s: float) -> float:
        """The most that a single report may hold."""
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
    "direct_connections_total": ReportQuota(2, max_failed=1),
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
    """How much one peer of a room has reported, by metric; and of that, how much with the status failed.

    Attributes:
        rejected: invalid reports of this peer.
        bucket: rate limit of its reports.
    """

    used: dict[str, float] = field(default_factory=dict)
    failed: dict[str, float] = field(default_factory=dict)
    rejected: int = 0
    bucket: TokenBucket = field(default_factory=lambda: TokenBucket(REPORTS_PER_SECOND, REPORT_BURST))

    def admit(self, sample: Sample, age_s: float) -> bool:
        """Charge a sample to its metric's quota; False, and nothing is charged, if it does not fit.

        Args:
            age_s: seconds since the peer joined.
        """
        name = sample.metric.name
        quota = QUOTAS[name]
        used = self.used.get(name, 0) + sample.count
        if used > quota.allowance(age_s):
            return False
        if quota.max_failed is not None and sample.label("status") == "failed":
            failed = self.failed.get(name, 0) + sample.count
            if failed > quota.max_failed:
                return False
            self.failed[name] = failed
        self.used[name] = used
        return True
