"""Exposition of 5,000 and 50,000 lines against prometheus_client's, and how long the event loop is held."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from benchmarks.measure import Row, paired, summed
from tallow.monitoring.catalog import Label, Metric
from tallow.monitoring.exposition import OPENMETRICS, TEXT, expose
from tallow.monitoring.registry import Registry
from tallow.monitoring.scrape import body

EDGES = tuple(float(2**power) for power in range(17))
LINES_A_SERIES = len(EDGES) + 3
HOLD_LIMIT_S = 0.010


def registries(lines: int) -> tuple[Registry, CollectorRegistry]:
    """The same series in both, every bucket with something in it."""
    values = tuple(f"value-{number:05d}" for number in range(lines // LINES_A_SERIES))
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
    """The table's lines on exposition."""
    return [row for lines in (5_000, 50_000) for row in _of_size(lines)]


def _of_size(lines: int) -> list[Row]:
    ours, theirs = registries(lines)
    family = ours.families["work_seconds"]

    def touch() -> None:
        # A value changes between scrapes, so that no whole exposition could be kept.
        ours.observe(family, "value-00001", random.random())

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
        held(ours, lines),
    ]


def held(registry: Registry, lines: int) -> Row:
    """The longest time the event loop does not turn during a scrape, against the limit of 10 ms."""
    samples = [
        (asyncio.run(_longest(registry, content_type, compress)), HOLD_LIMIT_S)
        for content_type in (TEXT, OPENMETRICS)
        for compress in (False, True)
        for _ in range(5)
    ]
    return summed(f"event loop held, {lines:,} lines", "limit of 10 ms", samples, 1, 1.0)


async def _longest(registry: Registry, content_type: str, compress: bool) -> float:
    longest, last = 0.0, time.perf_counter()
    async for _ in body(registry, content_type, compress):
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return longest


def _drop(written: Any) -> None:
    del written
