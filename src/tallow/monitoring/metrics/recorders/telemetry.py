"""Record what the telemetry itself does: redactions, log records, drops and queues."""

from __future__ import annotations

from tallow.monitoring.lifecycle.losses import LossReport
from tallow.monitoring.metrics.recorders.base import Recorder
from tallow.monitoring.metrics.registry import Registry


class TelemetryRecorder(Recorder):
    """Records the metrics by which the library monitors itself."""

    def __init__(self, registry: Registry) -> None:
        super().__init__(registry)
        self.losses: LossReport | None = None
        """Reports what was dropped at the end of the process; of its own metrics only."""
        registry.on_collect(self._set_series_counts)

    def record_redaction(self, kind: str, count: int = 1) -> None:
        """Record private values that the scrubber replaced.

        Args:
            kind: one of :data:`tallow.monitoring.catalog.PII_KINDS`.
            count: number of values.

        Example:
            >>> metrics.record_redaction("email", 2)
            >>> metrics.value("pii_redactions_total", kind="email")
            2.0
        """
        self._add(self._families["pii_redactions_total"], kind, count)

    def record_log(self, level: str) -> None:
        """Record a written log record.

        Args:
            level: ``debug``, ``info``, ``warning``, ``error`` or ``fatal``.

        Example:
            >>> metrics.record_log("info")
            >>> metrics.value("log_records_total", level="info")
            1.0
        """
        self._add(self._families["log_records_total"], level)

    def record_dropped(self, pipeline: str, reason: str, count: int = 1) -> None:
        """Record telemetry that was dropped.

        Args:
            pipeline: ``logs``, ``sentry``, ``analytics``, ``client`` or ``otel``.
            reason: ``queue_full``, ``rejected``, ``rate_limited`` or ``failed``.
            count: number of items.

        Example:
            >>> metrics.record_dropped("logs", "queue_full", 5)
            >>> metrics.value("telemetry_dropped_total", pipeline="logs", reason="queue_full")
            5.0
        """
        self._add(self._families["telemetry_dropped_total"], (pipeline, reason), count)
        if self.losses is not None:
            self.losses.add(pipeline, count)

    def set_telemetry_queue_depth(self, pipeline: str, depth: float) -> None:
        """Set the number of items that wait to be sent.

        Args:
            pipeline: ``logs``, ``sentry``, ``analytics``, ``client`` or ``otel``.
            depth: number of items.

        Example:
            >>> metrics.set_telemetry_queue_depth("logs", 12)
            >>> metrics.value("telemetry_queue_depth", pipeline="logs")
            12.0
        """
        self._set(self._families["telemetry_queue_depth"], pipeline, depth)

    def record_client_report(self, outcome: str) -> None:
        """Record a telemetry report of a peer.

        Args:
            outcome: ``accepted``, ``rejected`` or ``rate_limited``.

        Example:
            >>> metrics.record_client_report("accepted")
            >>> metrics.value("client_reports_total", outcome="accepted")
            1.0
        """
        self._add(self._families["client_reports_total"], outcome)

    def record_client_outcome(self, kind: str, status: str) -> None:
        """Record an outcome of a peer. The caller counts each address prefix once in six hours.

        Args:
            kind: ``transfer``, ``connection`` or ``key_exchange``.
            status: ``success`` or ``failed``.

        Example:
            >>> metrics.record_client_outcome("transfer", "failed")
            >>> metrics.value("client_outcomes_total", kind="transfer", status="failed")
            1.0
        """
        self._add(self._families["client_outcomes_total"], (kind, status))

    def record_limit_rejection(self, limit: str) -> None:
        """Record that a limit refused something.

        Args:
            limit: its name, registered with :meth:`register_limit`.

        Example:
            >>> known = metrics.register_limit("rooms_per_minute")
            >>> metrics.record_limit_rejection("rooms_per_minute")
            >>> metrics.value("limit_rejections_total", limit="rooms_per_minute")
            1.0
        """
        self._add(self._families["limit_rejections_total"], limit)

    def register_limit(self, limit: str) -> bool:
        """Allow a value of the label ``limit``, with its series at 0.

        Args:
            limit: the limit's name.

        Returns:
            False if the limit of registered values is reached or ``limit`` is not a short printable text.

        Example:
            >>> metrics.register_limit("joins_per_minute")
            True
        """
        return self.registry.register("limit", limit)

    def _set_series_counts(self) -> None:
        for metric, count in self.registry.live_series():
            self._set(self._families["metric_series"], metric, count)
