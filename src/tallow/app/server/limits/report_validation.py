"""Validation of telemetry reports: a report is accepted as a whole or not at all.

A report may hold the metrics of :data:`tallow.app.wire.REPORTED_METRICS` with the label values and buckets of
the catalogue. Error messages name metrics and limits, never what a peer sent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any, Final, cast

from tallow.app.server.limits.report_quota import PRE_JOIN_S, QUOTAS, ReportQuota
from tallow.app.wire import (
    FEATURES,
    MAX_PAYLOAD_BYTES,
    REPORT_VERSION,
    REPORTED_METRICS,
    Role,
    TransferOutcome,
)
from tallow.monitoring.catalog import Label, Metric
from tallow.monitoring.metrics.family import LARGEST
from tallow.monitoring.metrics.sample import Sample

MAX_COUNT: Final = 2**53
"""Above it a float does not represent every whole number."""
TOLERANCE: Final = 1e-6
"""Sums are differences of floating-point totals, so that they are not exact."""

_count: Final = attrgetter("count")

SamplesByName = Mapping[str, Sequence[Sample]]


class BadReportError(Exception):
    """The report is refused. The text is one line for its author."""


@dataclass(frozen=True, slots=True)
class TelemetryReport:
    """A valid report. ``outcome`` is the transfer's, if the report has one."""

    samples: tuple[Sample, ...]
    outcome: TransferOutcome | None


def validate_report(body: object, role: Role, age_s: float) -> TelemetryReport:
    """Validate the parsed JSON of a report.

    Args:
        role: of the peer that reports.
        age_s: seconds since this peer joined the room.

    Raises:
        BadReportError: something is unknown, impossible, or more than one peer of a room can have done.
    """
    metrics, claimed_outcome = _check_envelope(body)
    samples: dict[str, list[Sample]] = {}
    for name, rows in metrics.items():
        schema = _SCHEMAS.get(name)
        if schema is None:
            raise BadReportError("a metric is not one that peers report")
        samples[name] = schema.parse_rows(rows, role, age_s)
    outcome = _outcome(samples.get("transfers_total", ()), claimed_outcome)
    _check_direction(samples, role)
    _check_chunks(samples)
    _check_outcome_metrics(samples, outcome)
    return TelemetryReport(tuple(chain.from_iterable(samples.values())), outcome)


@dataclass(frozen=True, slots=True)
class _MetricSchema:
    """What a report may hold of one metric."""

    metric: Metric
    quota: ReportQuota
    fields: frozenset[str]
    label_values: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, metric: Metric) -> _MetricSchema:
        fields = {"labels", "value"} if metric.kind == "counter" else {"labels", "buckets", "sum"}
        values = {label.name: _accepted_values(label) for label in metric.labels}
        return cls(metric, QUOTAS[metric.name], frozenset(fields), values)

    def parse_rows(self, rows: object, role: Role, age_s: float) -> list[Sample]:
        """The samples of this metric."""
        if self.quota.role not in {None, role}:
            raise self._error(f"only the {self.quota.role} reports it")
        if not isinstance(rows, list) or not rows:
            raise self._error("it must be a list that is not empty")
        samples = [self._parse_row(row, age_s) for row in rows]
        if len({sample.labels for sample in samples}) < len(samples):
            raise self._error("a combination of labels is repeated")
        if _total(samples) > self.quota.plausible_maximum(age_s):
            raise self._error("it is more than one peer of a room can do")
        return samples

    def _parse_row(self, row: object, age_s: float) -> Sample:
        if not isinstance(row, dict) or row.keys() != self.fields:
            raise self._error(f"each entry has {', '.join(sorted(self.fields))}")
        labels = self._parse_labels(row["labels"])
        if self.metric.kind == "counter":
            return Sample(self.metric, labels, (self._parse_count(row["value"]),))
        counts = self._parse_buckets(row["buckets"])
        largest = age_s + PRE_JOIN_S if self.quota.max_value is None else self.quota.max_value
        return Sample(self.metric, labels, (*counts, self._parse_sum(row["sum"], counts, largest)))

    def _parse_labels(self, labels: object) -> tuple[str, ...]:
        if not isinstance(labels, dict) or labels.keys() != self.label_values.keys():
            raise self._error(f"its labels are {', '.join(self.label_values) or 'none'}")
        for name, accepted in self.label_values.items():
            if not isinstance(labels[name], str) or labels[name] not in accepted:
                raise self._error(f"{name} must be one of its listed values")
        return tuple([labels[name] for name in self.label_values])

    def _parse_count(self, number: object) -> float:
        if type(number) in {int, float}:  # a bool is an int for isinstance
            value = float(cast("float", number))
            if 0 <= value <= MAX_COUNT and value.is_integer():
                return value
        raise self._error("counts are whole numbers from 0")

    def _parse_buckets(self, buckets: object) -> list[float]:
        expected = len(self.metric.buckets) + 1
        if not isinstance(buckets, list) or len(buckets) != expected:
            raise self._error(f"it has {expected} buckets")
        return [self._parse_count(count) for count in buckets]

    def _parse_sum(self, total: object, counts: Sequence[float], largest: float) -> float:
        """The sum of a histogram's observations, of which none may be above ``largest``."""
        if type(total) not in {int, float} or not 0 <= cast("float", total) <= LARGEST:
            raise self._error("sum must be a number from 0")
        lowest_sum = highest_sum = 0.0
        lower_edge = 0.0
        for count, upper_edge in zip(counts, (*self.metric.buckets, math.inf), strict=True):
            if count:
                if lower_edge > largest:
                    raise self._error("a value is larger than the room can have seen")
                lowest_sum += count * lower_edge
                highest_sum += count * min(upper_edge, largest)
            lower_edge = upper_edge
        value = float(cast("float", total))
        if not lowest_sum * (1 - TOLERANCE) - TOLERANCE <= value <= highest_sum * (1 + TOLERANCE) + TOLERANCE:
            raise self._error("sum and buckets contradict each other")
        return value

    def _error(self, problem: str) -> BadReportError:
        return BadReportError(f"{self.metric.name}: {problem}")


def _accepted_values(label: Label) -> frozenset[str]:
    values = FEATURES if label.name == "feature" else label.values
    return frozenset(values) - {"critical"}  # the severity that pages a person at once


_SCHEMAS: Final = {name: _MetricSchema.of(metric) for name, metric in REPORTED_METRICS.items()}


def _check_envelope(body: object) -> tuple[dict[str, Any], object]:
    """The report's metrics and the outcome it names."""
    if not isinstance(body, dict) or body.keys() - {"outcome"} != {"version", "metrics"}:
        raise BadReportError("a report has version, metrics and, at the end of a transfer, outcome")
    if type(body["version"]) is not int or body["version"] != REPORT_VERSION:
        raise BadReportError(f"version must be {REPORT_VERSION}")
    if not isinstance(body["metrics"], dict):
        raise BadReportError("metrics must be an object of lists")
    return body["metrics"], body.get("outcome")


def _outcome(transfers: Sequence[Sample], claimed: object) -> TransferOutcome | None:
    outcome = None
    if transfers:
        if len(transfers) != 1 or transfers[0].count != 1:
            raise BadReportError("transfers_total must be exactly one transfer")
        outcome = cast("TransferOutcome", transfers[0].label("status"))
    if claimed is not None and claimed != outcome:
        raise BadReportError("outcome must be the status of transfers_total")
    return outcome


def _check_direction(samples: SamplesByName, role: Role) -> None:
    own = "sent" if role == "sender" else "received"
    if any(sample.label("direction") != own for sample in samples.get("bytes_transferred_total", ())):
        raise BadReportError("bytes_transferred_total: a sender reports sent, a receiver received")


def _check_chunks(samples: SamplesByName) -> None:
    moved = _total(samples.get("bytes_transferred_total", ()))
    chunks = _total(samples.get("chunk_transfer_duration_seconds", ()))
    if moved > chunks * MAX_PAYLOAD_BYTES:
        raise BadReportError("bytes_transferred_total is more than the reported chunks can hold")


def _check_outcome_metrics(samples: SamplesByName, outcome: TransferOutcome | None) -> None:
    """A duration or speed is accepted only with the outcome that it belongs to."""
    durations = samples.get("transfer_duration_seconds", ())
    if _total(durations) > 1 or any(sample.label("status") != outcome for sample in durations):
        raise BadReportError("transfer_duration_seconds comes with the outcome it belongs to")
    speeds = samples.get("transfer_speed_mbps", ())
    if _total(speeds) > 1 or (speeds and outcome != "success"):
        raise BadReportError("transfer_speed_mbps comes with a successful outcome")


def _total(samples: Sequence[Sample]) -> float:
    total: float = sum(map(_count, samples))
    return total
