"""Exposition: exact bytes, and the samples that the reference parser reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families as parse_text

from support.registries import tallow_registry
from tallow.monitoring import correlation
from tallow.monitoring.catalog import Label, Metric, canonical
from tallow.monitoring.exposition.text import expose, pieces
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry

JOBS = Metric("jobs_total", "counter", 'Jobs "done" \\ so far.', (Label("queue", ("a", 'b"\\\n')),))
TIMES = Metric("job_seconds", "histogram", "Time.", (Label("queue", ("a",)),), (0.5, 60))
DEPTH = Metric("depth", "gauge", "Depth.")


def small() -> Registry:
    registry = Registry([JOBS, TIMES, DEPTH], namespace="tallow")
    registry.add(registry.families["jobs_total"], "a", 3)
    registry.set(registry.families["depth"], (), 1.5)
    with correlation.bind("c" * 32):
        registry.observe(registry.families["job_seconds"], "a", 60)
    for cell, (correlation_id, value, _) in registry.exemplars.items():
        registry.exemplars[cell] = (correlation_id, value, 1700000000.125)
    return registry


def test_text_is_exact() -> None:
    assert expose(small()).decode() == (
        '# HELP tallow_jobs_total Jobs "done" \\\\ so far.\n'
        "# TYPE tallow_jobs_total counter\n"
        'tallow_jobs_total{queue="a"} 3.0\n'
        'tallow_jobs_total{queue="b\\"\\\\\\n"} 0.0\n'
        "# HELP tallow_job_seconds Time.\n"
        "# TYPE tallow_job_seconds histogram\n"
        'tallow_job_seconds_bucket{queue="a",le="0.5"} 0.0\n'
        'tallow_job_seconds_bucket{queue="a",le="60.0"} 1.0\n'
        'tallow_job_seconds_bucket{queue="a",le="+Inf"} 1.0\n'
        'tallow_job_seconds_count{queue="a"} 1.0\n'
        'tallow_job_seconds_sum{queue="a"} 60.0\n'
        "# HELP tallow_depth Depth.\n"
        "# TYPE tallow_depth gauge\n"
        "tallow_depth 1.5\n"
    )


def test_openmetrics_is_exact() -> None:
    assert expose(small(), openmetrics=True).decode() == (
        '# HELP tallow_jobs Jobs \\"done\\" \\\\ so far.\n'
        "# TYPE tallow_jobs counter\n"
        'tallow_jobs_total{queue="a"} 3.0\n'
        'tallow_jobs_total{queue="b\\"\\\\\\n"} 0.0\n'
        "# HELP tallow_job_seconds Time.\n"
        "# TYPE tallow_job_seconds histogram\n"
        'tallow_job_seconds_bucket{queue="a",le="0.5"} 0.0\n'
        'tallow_job_seconds_bucket{queue="a",le="60.0"} 1.0 # {correlation_id="cccccccccccccccccccccccccccccccc"} 60.0 1700000000.125\n'  # noqa: E501
        'tallow_job_seconds_bucket{queue="a",le="+Inf"} 1.0\n'
        'tallow_job_seconds_count{queue="a"} 1.0\n'
        'tallow_job_seconds_sum{queue="a"} 60.0\n'
        "# HELP tallow_depth Depth.\n"
        "# TYPE tallow_depth gauge\n"
        "tallow_depth 1.5\n"
        "# EOF\n"
    )


def test_the_whole_catalogue_is_read_by_the_reference_parsers() -> None:
    registry = tallow_registry()
    text = {family.name for family in parse_text(expose(registry).decode())}
    read = openmetrics_parser.text_string_to_metric_families
    strict = {family.name for family in read(expose(registry, openmetrics=True).decode())}  # type: ignore[no-untyped-call]
    assert text == strict
    assert "tallow_transfers" in text


@pytest.mark.slow
@given(st.lists(st.floats(0, 1e12), max_size=20), st.lists(st.integers(0, 2**50), max_size=20))
def test_the_reference_parser_reads_the_same_samples(durations: list[float], sizes: list[int]) -> None:
    registry = tallow_registry()
    record = Metrics(registry)
    for duration in durations:
        record.record_event_loop_lag(duration)
    for size in sizes:
        record.record_chunk_transfer("p2p", "sent", size, 0.1)
    read = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse_text(expose(registry).decode())
        for sample in family.samples
    }
    assert read["tallow_event_loop_lag_seconds_count", ()] == len(durations)
    assert read["tallow_event_loop_lag_seconds_sum", ()] == registry.value("event_loop_lag_seconds_sum")
    assert read["tallow_bytes_transferred_total", (("direction", "sent"),)] == sum(sizes)
    for edge in (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0):
        bucket = read["tallow_event_loop_lag_seconds_bucket", (("le", str(edge)),)]
        assert bucket == sum(duration <= edge for duration in durations)


@pytest.mark.parametrize(
    ("edge", "written"),
    [
        (0.00001, "1e-05"),
        (0.0001, "0.0001"),
        (60, "60.0"),
        (262144, "262144.0"),
        (999999.5, "999999.5"),
        (10**6, "1e+06"),
        (2**20, "1.048576e+06"),
        (1234567.25, "1.23456725e+06"),
        (16 * 2**30, "1.7179869184e+10"),
        (1e16, "1e+16"),
        (2.5e100, "2.5e+100"),
    ],
)
def test_edges_are_formatted_as_prometheus_stores_them(edge: float, written: str) -> None:
    assert canonical(edge) == written
    assert float(written) == edge


def test_pieces_are_bounded_and_complete() -> None:
    registry = tallow_registry()
    for number in range(400):
        registry.register("route", f"/route/{number}")
    found = list(pieces(registry))
    assert len(found) > 5
    assert max(piece.count(b"\n") for piece in found) < 2500
    assert b"".join(found).endswith(b"\n")


def test_the_duration_of_a_scrape_is_in_the_next_one() -> None:
    registry = tallow_registry()
    expose(registry)
    assert registry.value("scrape_duration_seconds") > 0
