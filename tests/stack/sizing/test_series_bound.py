"""The series computed from the catalogue, against the exposition of a real server."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from support.registries import tallow_metrics
from support.sizing.recorded_server import measured_exposition, registered_values, scrape
from support.transfers.server import serving
from tallow.monitoring.catalog import METRICS, PREFIX
from tallow.monitoring.exposition.text import expose
from tallow.stack.alerts.self_monitoring import SAMPLE_LIMIT
from tallow.stack.sizing.measurements import load
from tallow.stack.sizing.series_bound import (
    closed_series,
    combinations,
    samples_per_series,
    series_bound,
)

_PART = re.compile(r"_(bucket|sum|count)$")


def samples_by_metric(text: str) -> Counter[str]:
    """The samples of each metric of the catalogue, by its name without prefix."""
    lines = (line for line in text.splitlines() if line.startswith(PREFIX))
    names = (re.split(r"[{ ]", line)[0].removeprefix(PREFIX) for line in lines)
    return Counter(name if name in METRICS else _PART.sub("", name) for name in names)


def test_metrics_with_closed_labels_have_all_their_series_from_the_start() -> None:
    found = samples_by_metric(expose(tallow_metrics().registry).decode())
    closed = {
        name: combinations(metric, {}) * samples_per_series(metric)
        for name, metric in METRICS.items()
        if not any(label.registered or label.lazy for label in metric.labels) and name in found
    }
    assert {name: found[name] for name in closed} == closed
    not_yet_exposed = {name for name in METRICS if name not in found}
    assert sum(closed.values()) <= closed_series() <= sum(closed.values()) + len(not_yet_exposed)


async def test_a_real_server_stays_within_the_bound_of_every_metric(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        await scrape(server)
        text = await scrape(server)
    values, found = registered_values(text), samples_by_metric(text)
    assert len(found) > 50
    for name, count in found.items():
        assert count <= combinations(METRICS[name], values) * samples_per_series(METRICS[name]), name
    total = measured_exposition(text).series
    assert closed_series() < total == sum(found.values()) <= series_bound(values)
    # A catalogue that has grown by a tenth needs new measurements: see tests/integration/test_size.py.
    assert total == pytest.approx(load().idle.series, rel=0.1)


def test_the_sample_limit_has_twice_the_bound() -> None:
    assert 2 * series_bound(load().registered) <= SAMPLE_LIMIT


def test_more_registered_values_allow_more_series() -> None:
    few, many = load().registered, {**load().registered, "route": 1000}
    assert series_bound(few) < series_bound(many)
