"""The series that the catalogue allows one instance."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Final

from tallow.monitoring.catalog import METRICS, OTHER, Label, Metric

SCRAPE_SERIES: Final = 5
"""Series that Prometheus adds for each target: ``up`` and four that begin with ``scrape_``."""


def samples_per_series(metric: Metric) -> int:
    """The samples of one combination of label values: 1, or a histogram's buckets, sum and count.

    Example:
        >>> samples_per_series(METRICS["event_loop_lag_seconds"])
        13
    """
    return len(metric.buckets) + 3 if metric.kind == "histogram" else 1


def value_count(label: Label, registered: Mapping[str, int]) -> int:
    """The number of values of a label.

    Args:
        label: a label of the catalogue.
        registered: values by label name, for guarded labels whose values the catalogue does not list.
    """
    if label.registered and not set(label.values) - {OTHER}:
        return registered.get(label.name, 1)
    return len(label.values)


def combinations(metric: Metric, registered: Mapping[str, int]) -> int:
    """The number of combinations of label values that a metric may have."""
    return prod(value_count(label, registered) for label in metric.labels)


def closed_series() -> int:
    """The samples of metrics whose labels are all closed: they exist from the first scrape."""
    return sum(
        combinations(metric, {}) * samples_per_series(metric)
        for metric in METRICS.values()
        if not any(label.registered or label.lazy for label in metric.labels)
    )


def series_bound(registered: Mapping[str, int]) -> int:
    """The samples of a scrape on which every combination of allowed label values has occurred.

    Args:
        registered: as in :func:`value_count`; those of Tallow's server are in the measurements.
    """
    return sum(combinations(metric, registered) * samples_per_series(metric) for metric in METRICS.values())
