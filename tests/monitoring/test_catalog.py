"""The catalogue follows the rules for names, labels and edges."""

from __future__ import annotations

import re

import pytest

from tallow.monitoring.catalog import METRICS, PREFIX, Metric


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
def test_names_follow_the_conventions(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.name)
    assert metric.full_name == PREFIX + metric.name
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert not metric.name.endswith(("_count", "_sum", "_bucket", "_info")) or metric.name == "build_info"
    assert metric.help.endswith(".")


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
def test_labels_are_distinct_and_not_reserved(metric: Metric) -> None:
    assert len(set(metric.label_names)) == len(metric.label_names)
    assert not set(metric.label_names) & {"le", "quantile", "job", "instance"}
    for label in metric.labels:
        assert len(set(label.values)) == len(label.values)
        assert label.registered or label.values, f"{label.name} can take no value"


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
def test_only_histograms_have_rising_edges(metric: Metric) -> None:
    assert bool(metric.buckets) == (metric.kind == "histogram")
    assert list(metric.buckets) == sorted(set(metric.buckets))


def test_the_edges_are_those_of_the_contract() -> None:
    assert METRICS["file_size_bytes"].buckets[0] == 1024
    assert METRICS["file_size_bytes"].buckets[-1] == 16 * 2**30
    assert len(METRICS["file_size_bytes"].buckets) == 13
    assert METRICS["http_request_size_bytes"].buckets == (1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8)
    assert list(METRICS["connection_quality_score"].buckets) == list(range(0, 101, 10))
