"""The stack watching itself: what telemetry folds, drops, redacts and costs."""

from __future__ import annotations

from tallow.monitoring.catalog.model import PREFIX, Metric, closed, guarded
from tallow.monitoring.catalog.vocabulary import PII_KINDS, PIPELINE

_REST = (
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
    Metric("scrape_duration_seconds", "gauge", "Time the previous exposition took.", merge="own"),
    Metric(
        "build_info",
        "gauge",
        "Constant 1, labelled with the build that runs.",
        (guarded("version"), guarded("python"), guarded("commit")),
        merge="own",
    ),
)
_ABOUT = ("label_overflow_total", "metric_series")


def itself(others: tuple[Metric, ...]) -> tuple[Metric, ...]:
    """The metrics about metrics, whose ``metric`` label ranges over ``others`` and themselves."""
    about = tuple(PREFIX + name for name in _ABOUT)
    labelled = (*(metric.full_name for metric in (*others, *_REST) if metric.labels), *about)
    names = (*(metric.full_name for metric in (*others, *_REST)), *about)
    return (
        Metric(
            "label_overflow_total",
            "counter",
            "Label values that were not listed and were folded into other.",
            (closed("metric", *labelled),),
        ),
        Metric(
            "metric_series",
            "gauge",
            "Live series per metric: the cardinality monitor.",
            (closed("metric", *names),),
            merge="own",
        ),
        *_REST,
    )
