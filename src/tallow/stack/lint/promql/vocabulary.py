"""The known names: series of the catalogue, and patterns of third-party metrics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from promql_parser import Matcher, MatchOp

from tallow.monitoring.catalog import METRICS, OTHER, Label, Metric, canonical

TARGET_LABELS = frozenset({"job", "instance"})
"""Labels that Prometheus adds to every scraped series."""

THIRD_PARTY = re.compile(
    r"up|ALERTS(_FOR_STATE)?|(scrape|node|prometheus|alertmanager|promhttp|process|go|net_conntrack)_\w+"
)
"""Metrics of Prometheus, Alertmanager, node_exporter and the scrape itself."""

RUNTIME_VALUES = {
    ("tallow_http_request_duration_seconds", "status_code"): ("1xx", "2xx", "3xx", "4xx", "5xx")
}
"""Values of guarded labels that are registered at run time and not in the catalogue."""


@dataclass(frozen=True, slots=True)
class ExposedSeries:
    """A series name on the scrape: a metric, or a part (bucket, sum, count) of a histogram."""

    metric: Metric
    part: str = ""

    @property
    def is_cumulative(self) -> bool:
        """Whether the value only rises, as for counters and every part of a histogram."""
        return self.metric.kind != "gauge"

    @property
    def labels(self) -> frozenset[str]:
        own = frozenset(self.metric.label_names)
        return own | TARGET_LABELS | ({"le"} if self.part == "bucket" else set())


def _exposed() -> Mapping[str, ExposedSeries]:
    table: dict[str, ExposedSeries] = {}
    for metric in METRICS.values():
        if metric.kind == "histogram":
            for part in ("bucket", "sum", "count"):
                table[f"{metric.full_name}_{part}"] = ExposedSeries(metric, part)
        else:
            table[metric.full_name] = ExposedSeries(metric)
    return table


EXPOSED = _exposed()
"""The series of the catalogue by name."""


def is_third_party(name: str) -> bool:
    return THIRD_PARTY.fullmatch(name) is not None


def edges(metric: Metric) -> tuple[str, ...]:
    """The exposed values of ``le``: canonical floats and ``+Inf``."""
    return (*map(canonical, metric.buckets), "+Inf")


def label_of(exposed: ExposedSeries, name: str) -> Label | None:
    """The label ``name`` of a series with its values; those of ``le`` are the bucket edges."""
    if name == "le" and exposed.part == "bucket":
        return Label("le", edges(exposed.metric))
    return next((label for label in exposed.metric.labels if label.name == name), None)


def can_match(exposed: ExposedSeries, label: Label, matcher: Matcher) -> bool:
    """Whether the value of a matcher exists.

    This applies to ``!=`` and ``!~``, too: excluding an unknown value has no effect.
    """
    known = (*label.values, *RUNTIME_VALUES.get((exposed.metric.full_name, label.name), ()))
    if label.registered and not set(known) - {OTHER}:
        return True  # routes, caches, features: registered while the process runs
    if matcher.op in (MatchOp.Equal, MatchOp.NotEqual):
        return matcher.value in known
    return all(any(_fits(branch, value) for value in known) for branch in _branches(matcher.value))


def _branches(pattern: str) -> list[str]:
    """The alternatives of a plain ``a|b|c``; any other pattern as a whole."""
    return pattern.split("|") if re.fullmatch(r"[\w|+.*-]*", pattern) else [pattern]


def _fits(pattern: str, value: str) -> bool:
    """Whether a regular expression matches the whole value; False if Python cannot compile it."""
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return False
