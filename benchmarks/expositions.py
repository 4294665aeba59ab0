"""Exposition of 5,000 and 50,000 lines, compared with prometheus_client."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from benchmarks.paired_measurement import Row, paired
from tallow.monitoring.catalog import Label, Metric
from tallow.monitoring.exposition.text import expose
from tallow.monitoring.metrics.registry import Registry

EDGES = tuple(float(2**power) for power in range(17))
LINES_PER_SERIES = len(EDGES) + 3


def registries(lines: int) -> tuple[Registry, CollectorRegistry]:
    """The same series in both registries, with observations in many buckets."""
    values = tuple(f"value-{number:05d}" for number in range(lines // LINES_PER_SERIES))
    ours = Registry([Metric("work_seconds", "histogram", "Work.", (Label("kind", values),), EDGES)])
    registry = CollectorRegistry()
    theirs = Histogram("tallow_work_seconds", "Work.", ["kind"], buckets=EDGES, registry=registry)
    for value in values:
        for _ in range(20):
            observed = random.lognormvariate(5, 4)
            ours.observe(ours.families["work_seconds"], value, observed)
            theirs.labels(value).observe(observed)
    return ours, registry


def rows() -> list[Row]:
    """The table's rows on exposition."""
    return [row for lines in (5_000, 50_000) for row in _of_size(lines)]


def _of_size(lines: int) -> list[Row]:
    ours, theirs = registries(lines)
    family = ours.families["work_seconds"]

    values = list(family)

    def touch() -> None:
        # Every series changes between scrapes, so that no line can be cached.
        for value in values:
            ours.observe(family, value, random.lognormvariate(5, 4))

    def compared(name: str, openmetrics: bool, writer: Callable[[CollectorRegistry], bytes]) -> list[Row]:
        return paired(
            f"exposition, {lines:,} lines, {name}",
            lambda _: _drop(expose(ours, openmetrics=openmetrics)),
            {"prometheus_client": lambda _: _drop(writer(theirs))},
            touch,
            items=1,
            aims={"prometheus_client": 0.1},
            rounds=9,
        )

    return [
        *compared("text", False, generate_latest),
        *compared("OpenMetrics", True, generate_openmetrics),
    ]


def _drop(written: Any) -> None:
    del written
