"""Runs every query of the 43 panels on a real Prometheus: busy, idle, and with several instances."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest

from support.dashboards import traffic
from support.dashboards.panels import PanelQuery, panel_queries, values
from support.programs.prometheus import Prometheus, backfill, running

pytestmark = pytest.mark.integration

STEP_S = 60
MINUTES = 85  # an hour, and the quarter of an hour before it for comparisons
BUSY, SECOND, IDLE = "busy:3000", "second:3000", "idle:3000"
WINDOWS = {"rate_interval": "4m", "span": "3600s"}
FAILURE_SHARES = {"Transfer failures", "Connection failures", "PQC operation failures"}
SUCCESS_SHARES = {"Transfer success rate", "Error recovery rate", "Cache hit rate"}


@pytest.fixture(scope="module")
def end() -> float:
    """The time of the last scrape."""
    return float(int(time.time()) // STEP_S * STEP_S - STEP_S)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory, end: float) -> Iterator[Prometheus]:
    """Three instances scraped for 85 minutes: two busy, one idle."""
    servers = {
        BUSY: traffic.server_metrics(),
        SECOND: traffic.server_metrics(),
        IDLE: traffic.server_metrics(),
    }
    scrapes = []
    for scrape in range(MINUTES + 1):
        at = end - (MINUTES - scrape) * STEP_S
        for instance, metrics in servers.items():
            if instance != IDLE and scrape:
                traffic.record_minute(metrics)
            scrapes.append(traffic.stored_samples(metrics, "tallow", instance, at))
    folder = tmp_path_factory.mktemp("prometheus") / "data"
    backfill(folder, "".join(scrapes) + "# EOF\n")
    with running(folder) as server:
        yield server


def samples(prometheus: Prometheus, query: PanelQuery, end: float) -> list[float]:
    """The panel's samples: one per series at the end, or those of the last hour."""
    if query.instant:
        return [float(series["value"][1]) for series in prometheus.query(query.expr, end)]
    found = prometheus.query_range(query.expr, end - 3600, end, STEP_S)
    return [float(value) for series in found for _, value in series["values"]]


def test_all_43_panels_hold_data(prometheus: Prometheus, end: float) -> None:
    queries = panel_queries(values(instance=BUSY, **WINDOWS))
    assert len({(query.uid, query.title) for query in queries if query.uid != "tallow-logs"}) == 43
    empty = [str(query) for query in queries if not samples(prometheus, query, end)]
    assert empty == []


def test_every_query_runs_instant_and_over_a_range(prometheus: Prometheus, end: float) -> None:
    for query in panel_queries(values(instance=BUSY, **WINDOWS)):
        assert prometheus.query(query.expr, end), str(query)
        assert prometheus.query_range(query.expr, end - 600, end, STEP_S), str(query)


@pytest.mark.parametrize("instance", [BUSY, IDLE, ".+", "nowhere"])
def test_no_panel_shows_nan(prometheus: Prometheus, end: float, instance: str) -> None:
    for query in panel_queries(values(instance=instance, **WINDOWS)):
        assert all(map(math.isfinite, samples(prometheus, query, end))), str(query)


def test_idle_shares_are_perfect(prometheus: Prometheus, end: float) -> None:
    for query in panel_queries(values(instance=IDLE, **WINDOWS)):
        if query.title in SUCCESS_SHARES:
            assert set(samples(prometheus, query, end)) == {1.0}, str(query)
        elif query.title in FAILURE_SHARES:
            assert set(samples(prometheus, query, end)) == {0.0}, str(query)


def test_idle_quantiles_read_no_traffic(prometheus: Prometheus, end: float) -> None:
    quantiles = [
        query
        for query in panel_queries(values(instance=IDLE, **WINDOWS))
        if "histogram_quantile" in query.expr
    ]
    assert len(quantiles) > 15
    for query in quantiles:
        assert samples(prometheus, query, end) == [], str(query)
        assert query.idle == "no traffic"


def test_an_idle_panel_has_samples_or_says_why_not(prometheus: Prometheus, end: float) -> None:
    for query in panel_queries(values(instance=IDLE, **WINDOWS)):
        if not samples(prometheus, query, end):
            assert query.idle.startswith("no "), str(query)


def test_a_second_instance_adds_no_series_except_by_instance(prometheus: Prometheus, end: float) -> None:
    """Selecting two instances adds series only to panels that group by instance."""
    one = panel_queries(values(instance=BUSY, **WINDOWS))
    both = panel_queries(values(instance=f"{BUSY}|{SECOND}", **WINDOWS))
    for single, double in zip(one, both, strict=True):
        factor = 2 if "by (instance)" in single.expr else 1
        alone, together = prometheus.query(single.expr, end), prometheus.query(double.expr, end)
        assert len(together) == factor * len(alone), str(single)


def test_counts_of_two_instances_add_up(prometheus: Prometheus, end: float) -> None:
    def received(instance: str) -> float:
        queries = panel_queries(values(instance=instance, **WINDOWS))
        [query] = [query for query in queries if query.title == "Data transferred, last 24 h"]
        return samples(prometheus, query, end)[0]

    assert received(f"{BUSY}|{SECOND}") == pytest.approx(2 * received(BUSY))


def test_shares_match_the_recorded_events(prometheus: Prometheus, end: float) -> None:
    """Per minute: 14 of 16 transfers succeed, 2 of 3 look-ups hit, 1 of 10 connections fails."""
    expected = {
        ("Transfer success rate", "A"): 14 / 16,
        ("Cache hit rate", "A"): 2 / 3,
        ("PQC operation failures", "A"): 1 / 100,
        ("PQC operation failures", "B"): 1 / 2,
        ("Connection failures", "A"): 1 / 10,
        ("Transfer failures", "A"): 2 / 16,
        ("Error recovery rate", "A"): 1.0,
    }
    measured = {
        (query.title, query.ref): samples(prometheus, query, end)[-1]
        for query in panel_queries(values(instance=BUSY, **WINDOWS))
        if (query.title, query.ref) in expected
    }
    assert measured == pytest.approx(expected)
