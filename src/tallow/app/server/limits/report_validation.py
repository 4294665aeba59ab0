"""What a peer may report: checked in full before anything is booked.

The vocabulary is the catalogue's: metrics whose source is P or SP, their closed label values, their buckets.
Everything else in a report makes the whole of it worthless. Messages name metrics and limits, never what was
sent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tallow.app.features import FEATURES
from tallow.app.server.limits.report_quota import PRE_JOIN_S, QUOTAS, ReportQuota
from tallow.app.wire import MAX_PAYLOAD_BYTES, REPORT_VERSION, REPORTED_METRICS, TransferOutcome
from tallow.monitoring.catalog import Metric
from tallow.monitoring.metrics.family import LARGEST

MAX_COUNT: Final = 2**53
"""Beyond it a float is not exact."""
TOLERANCE: Final = 1e-6
"""Sums are differences of floating-point totals."""


class BadReportError(Exception):
    """A report that is not booked; the text is one line for its author."""


@dataclass(slots=True)
class MetricRows:
    """One metric's part of a report: rows ready to merge, each with how much it books."""

    rows: list[tuple[dict[str, Any], float]] = field(default_factory=list)

    @property
    def count(self) -> float:
        """How much all rows book."""
        return sum(count for _, count in self.rows)


@dataclass(frozen=True, slots=True)
class TelemetryReport:
    """A report that holds nothing but what a peer may say; ``outcome`` is the transfer's, if it has one."""

    metrics: Mapping[str, MetricRows]
    outcome: TransferOutcome | None


def validate_report(body: object, role: str, age_s: float) -> TelemetryReport:
    """Check a report of a side that joined ``age_s`` seconds ago.

    Raises:
        BadReportError: anything in it is unknown, impossible or more than one room can do.
    """
    if not isinstance(body, dict) or not {"version", "metrics"} <= body.keys() <= {
        "version",
        "metrics",
        "outcome",
    }:
        raise BadReportError("a report has version, metrics and, at the end of a transfer, outcome")
    if type(body["version"]) is not int or body["version"] != REPORT_VERSION:
        raise BadReportError(f"version must be {REPORT_VERSION}")
    if not isinstance(body["metrics"], dict):
        raise BadReportError("metrics must be an object of lists")
    metrics = {}
    for name, rows in body["metrics"].items():
        if name not in REPORTED_METRICS:
            raise BadReportError("a metric is not one that peers report")
        metrics[name] = _entries(REPORTED_METRICS[name], rows, role, age_s)
    outcome = _outcome(metrics, body.get("outcome"))
    _consistent(metrics, outcome)
    return TelemetryReport(metrics, outcome)


def _entries(metric: Metric, rows: object, role: str, age_s: float) -> MetricRows:
    share = QUOTAS[metric.name]
    if share.role not in {None, role}:
        raise BadReportError(f"{metric.name} is the {share.role}'s to report")
    if not isinstance(rows, list) or not rows:
        raise BadReportError(f"{metric.name} must be a list that is not empty")
    entries, seen = MetricRows(), set()
    for row in rows:
        labels = _labels(metric, row, role)
        if labels in seen:
            raise BadReportError(f"{metric.name} repeats a combination of labels")
        seen.add(labels)
        count = _histogram(metric, row, share, age_s) if metric.kind == "histogram" else _counter(metric, row)
        entries.rows.append((row, count))
    if entries.count > share.plausible_maximum(age_s):
        raise BadReportError(f"{metric.name} is more than one side of a room can do")
    return entries


def _labels(metric: Metric, row: object, role: str) -> tuple[str, ...]:
    wanted = {"labels", "value"} if metric.kind == "counter" else {"labels", "buckets", "sum"}
    if not isinstance(row, dict) or row.keys() != wanted:
        raise BadReportError(f"{metric.name}: each entry has {', '.join(sorted(wanted))}")
    labels = row["labels"]
    if not isinstance(labels, dict) or labels.keys() != set(metric.label_names):
        raise BadReportError(f"{metric.name}: its labels are {', '.join(metric.label_names) or 'none'}")
    values = tuple(labels[label] for label in metric.label_names)
    for label, value in zip(metric.labels, values, strict=True):
        accepted = FEATURES if label.name == "feature" else label.values
        if not isinstance(value, str) or value not in accepted or value == "critical":
            raise BadReportError(f"{metric.name}: {label.name} must be one of its listed values")
    if metric.name == "bytes_transferred_total" and values[0] != ("sent" if role == "sender" else "received"):
        raise BadReportError("bytes_transferred_total: a sender reports sent, a receiver received")
    return values


def _counter(metric: Metric, row: dict[str, Any]) -> float:
    return _whole(metric, row["value"])


def _whole(metric: Metric, number: object) -> float:
    # bool is an int to Python and would pass for 1.
    if isinstance(number, int | float) and not isinstance(number, bool):
        value = float(number)
        if 0 <= value <= MAX_COUNT and value.is_integer():
            return value
    raise BadReportError(f"{metric.name}: counts are whole numbers from 0")


def _histogram(metric: Metric, row: dict[str, Any], share: ReportQuota, age_s: float) -> float:
    buckets, total = row["buckets"], row["sum"]
    if not isinstance(buckets, list) or len(buckets) != len(metric.buckets) + 1:
        raise BadReportError(f"{metric.name} has {len(metric.buckets) + 1} buckets")
    counts = [_whole(metric, count) for count in buckets]
    if type(total) not in {int, float} or not 0 <= total <= LARGEST:
        raise BadReportError(f"{metric.name}: sum must be a number from 0")
    largest = age_s + PRE_JOIN_S if share.max_value is None else share.max_value
    low, high = (0.0, *metric.buckets), (*metric.buckets, math.inf)
    if any(count and edge > largest for count, edge in zip(counts, low, strict=True)):
        raise BadReportError(f"{metric.name} has a value larger than the room can have seen")
    least = sum(count * edge for count, edge in zip(counts, low, strict=True))
    most = sum(count * min(edge, largest) for count, edge in zip(counts, high, strict=True) if count)
    if not least * (1 - TOLERANCE) - TOLERANCE <= total <= most * (1 + TOLERANCE) + TOLERANCE:
        raise BadReportError(f"{metric.name}: sum and buckets contradict each other")
    return sum(counts)


def _outcome(metrics: Mapping[str, MetricRows], said: object) -> TransferOutcome | None:
    booked = metrics.get("transfers_total")
    outcome: TransferOutcome | None = None
    if booked is not None:
        if len(booked.rows) != 1 or booked.count != 1:
            raise BadReportError("transfers_total must be exactly one transfer")
        outcome = booked.rows[0][0]["labels"]["status"]
    if said is not None and said != outcome:
        raise BadReportError("outcome must be what transfers_total says")
    return outcome


def _consistent(metrics: Mapping[str, MetricRows], outcome: str | None) -> None:
    """What must hold between metrics: no bytes without chunks, no duration or speed without its outcome."""
    none = MetricRows()
    moved = metrics.get("bytes_transferred_total", none).count
    chunks = metrics.get("chunk_transfer_duration_seconds", none).count
    if moved > chunks * MAX_PAYLOAD_BYTES:
        raise BadReportError("bytes_transferred_total is more than the chunks reported can hold")
    durations = metrics.get("transfer_duration_seconds", none)
    if durations.count > 1 or any(row["labels"]["status"] != outcome for row, _ in durations.rows):
        raise BadReportError("transfer_duration_seconds comes with the outcome it belongs to")
    speeds = metrics.get("transfer_speed_mbps", none)
    if speeds.count > 1 or (speeds.rows and outcome != "success"):
        raise BadReportError("transfer_speed_mbps comes with a successful outcome")
