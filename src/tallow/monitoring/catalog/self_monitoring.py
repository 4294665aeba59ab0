"""The stack watching itself: what telemetry folds, drops, redacts and costs."""

from __future__ import annotations

from tallow.monitoring.catalog.labels import PII_KINDS, PIPELINE
from tallow.monitoring.catalog.model import Label, Metric, closed, guarded


def self_monitoring_metrics(others: tuple[Metric, ...]) -> tuple[Metric, ...]:
    """The metrics about metrics, whose ``metric`` label ranges over ``others``, themselves, and what an
    application declares."""
    everything = (*others, *_about(guarded("metric")))
    return _about(guarded("metric", *(metric.full_name for metric in everything)))


def _about(metric: Label) -> tuple[Metric, ...]:
    return (
        Metric(
            "label_overflow_total",
            "counter",
            "Values outside the catalogue: labels folded into other, impossible numbers left out.",
            (metric,),
        ),
        Metric(
            "metric_series",
            "gauge",
            "Live series per metric: the cardinality monitor.",
            (metric,),
            merge="own",
        ),
        Metric(
            "pii_redactions_total",
            "counter",
            "Private values the scrubber replaced, by kind.",
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
            "Telemetry given up, by pipeline and reason: nothing is lost silently.",
            (PIPELINE, closed("reason", "queue_full", "rejected", "rate_limited", "failed")),
        ),
        Metric("telemetry_queue_depth", "gauge", "Telemetry waiting to be sent.", (PIPELINE,)),
        Metric(
            "client_reports_total",
            "counter",
            "Reports of peers, by what became of them.",
            (closed("outcome", "accepted", "rejected", "rate_limited"),),
        ),
        Metric(
            "collector_failures_total",
            "counter",
            "Collectors that raised, or did not end, during a scrape, and metrics of prometheus_client whose "
            "name was taken: samples are missing or old.",
        ),
        Metric("scrape_duration_seconds", "gauge", "Time the previous exposition took.", merge="own"),
        Metric(
            "build_info",
            "gauge",
            "Constant 1, labelled with the build that runs.",
            (guarded("version"), guarded("python"), guarded("commit")),
            merge="own",
        ),
    )
