"""Metrics of the telemetry itself: overflows, drops, redactions, series and scrape duration."""

from __future__ import annotations

from tallow.monitoring.catalog.labels import PII_KINDS, PIPELINE
from tallow.monitoring.catalog.model import Label, Metric, closed, registered


def self_monitoring_metrics(others: tuple[Metric, ...]) -> tuple[Metric, ...]:
    """Return the self-monitoring metrics. Their label ``metric`` has the names of ``others`` and their own.

    An application's own metrics register further values.
    """
    everything = (*others, *_metrics(registered("metric")))
    return _metrics(registered("metric", *(metric.full_name for metric in everything)))


def _metrics(metric: Label) -> tuple[Metric, ...]:
    return (
        Metric(
            "label_overflow_total",
            "counter",
            "Label values recorded as other, and impossible numbers left out.",
            (metric,),
        ),
        Metric(
            "metric_series",
            "gauge",
            "Exposed series of each metric.",
            (metric,),
            merge="local",
        ),
        Metric(
            "pii_redactions_total",
            "counter",
            "Private values that the scrubber replaced, by kind.",
            (closed("kind", *PII_KINDS),),
        ),
        Metric(
            "log_records_total",
            "counter",
            "Log records written, by level.",
            (closed("level", "debug", "info", "warning", "error", "fatal"),),
        ),
        Metric(
            "telemetry_dropped_total",
            "counter",
            "Telemetry items dropped, by pipeline and reason.",
            (PIPELINE, closed("reason", "queue_full", "rejected", "rate_limited", "failed")),
        ),
        Metric("telemetry_queue_depth", "gauge", "Telemetry items that wait to be sent.", (PIPELINE,)),
        Metric(
            "client_reports_total",
            "counter",
            "Telemetry reports of peers, by outcome.",
            (closed("outcome", "accepted", "rejected", "rate_limited"),),
        ),
        Metric(
            "collector_failures_total",
            "counter",
            "Collectors that raised or timed out during a scrape, and prometheus_client metrics left out for "
            "their name. Samples are missing or old.",
        ),
        Metric("scrape_duration_seconds", "gauge", "Time the previous exposition took.", merge="local"),
        Metric(
            "build_info",
            "gauge",
            "Constant 1, labelled with the running build.",
            (registered("version"), registered("python"), registered("commit")),
            merge="local",
        ),
    )
