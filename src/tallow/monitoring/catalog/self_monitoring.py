"""Metrics of the telemetry itself: overflows, drops, redactions, series and scrape duration."""

from __future__ import annotations

from tallow.monitoring.catalog.declaration import Registered, counter, gauge
from tallow.monitoring.catalog.label_values import PII_KINDS, PIPELINES, STATUSES
from tallow.monitoring.catalog.model import Metric


def self_monitoring_metrics(others: tuple[Metric, ...]) -> tuple[Metric, ...]:
    """Return the self-monitoring metrics. Their label ``metric`` has the names of ``others`` and their own.

    An application's own metrics register further values.
    """
    everything = (*others, *_metrics(Registered(on_use=False)))
    return _metrics(Registered(*(metric.full_name for metric in everything), on_use=False))


def _metrics(names: Registered) -> tuple[Metric, ...]:
    return (
        counter(
            "label_overflow_total",
            "Label values recorded as other, and impossible numbers left out.",
            {"metric": names},
        ),
        gauge("metric_series", "Exposed series of each metric.", {"metric": names}, merge="local"),
        counter(
            "pii_redactions_total", "Private values that the scrubber replaced, by kind.", {"kind": PII_KINDS}
        ),
        counter(
            "log_records_total",
            "Log records written, by level.",
            {"level": ("debug", "info", "warning", "error", "fatal")},
        ),
        counter(
            "telemetry_dropped_total",
            "Telemetry items dropped, by pipeline and reason.",
            {"pipeline": PIPELINES, "reason": ("queue_full", "rejected", "rate_limited", "failed")},
        ),
        gauge("telemetry_queue_depth", "Telemetry items that wait to be sent.", {"pipeline": PIPELINES}),
        counter(
            "client_reports_total",
            "Telemetry reports of peers, by outcome.",
            {"outcome": ("accepted", "rejected", "rate_limited")},
        ),
        counter(
            "client_outcomes_total",
            "Outcomes of peers, at most one per kind, status and address prefix in six hours.",
            {"kind": ("transfer", "connection", "key_exchange"), "status": STATUSES},
        ),
        counter("limit_rejections_total", "What a limit refused.", {"limit": Registered(on_use=False)}),
        counter(
            "collector_failures_total",
            "Collectors that raised or timed out during a scrape, and prometheus_client metrics left out for "
            "their name. Samples are missing or old.",
        ),
        gauge("scrape_duration_seconds", "Time the previous exposition took.", merge="local"),
        gauge(
            "build_info",
            "Constant 1, labelled with the running build.",
            {
                "version": Registered(on_use=False),
                "python": Registered(on_use=False),
                "commit": Registered(on_use=False),
            },
            merge="local",
        ),
    )
