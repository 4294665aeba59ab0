"""docs/metrics.md matches the catalogue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tallow.monitoring.catalog import METRICS, Metric
from tallow.stack.docs.metrics import PATH, files

ROOT = Path(__file__).parents[3]


def section(metric: Metric) -> str:
    """The part of the page about one metric."""
    return files()[PATH].partition(f"### `{metric.full_name}`\n")[2].partition("\n##")[0]


def test_committed_page_is_current() -> None:
    assert (ROOT / PATH).read_text() == files()[PATH]


def test_headings_are_the_metrics() -> None:
    headings = re.findall(r"^### `(.+)`$", files()[PATH], re.MULTILINE)
    assert headings == [metric.full_name for metric in METRICS.values()]


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_page_describes_every_property_of_a_metric(metric: Metric) -> None:
    text = section(metric)
    assert metric.help in text
    assert metric.kind in text
    for label in metric.labels:
        assert f"`{label.name}`" in text
        assert all(f"`{value}`" in text for value in label.values)
    edges = re.findall(r"buckets: (.+)", text)
    assert [float(edge) for line in edges for edge in line.split(", ")] == list(metric.buckets)
