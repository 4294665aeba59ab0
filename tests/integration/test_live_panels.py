"""All 43 panels show data on a running stack: `tallow demo` with a real browser, and a real Prometheus."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from support.dashboards import traffic
from support.dashboards.panels import PanelQuery, panel_queries, values
from support.programs.browser import place_command
from support.programs.prometheus import Prometheus, backfill
from support.stack import Stack, stack, wait_until
from support.transfers import demo_traffic
from tallow.app.demo.browser import BROWSERS_ONLY
from tallow.stack import credentials
from tallow.stack.prometheus import SCRAPE_INTERVAL_S, USER

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("live"), pytest.mark.timeout(600)]

HOUR_S = 3600
SCRAPES = 40
"""Scrapes within which every panel must hold data at the same time."""
PATIENCE_S = 240
"""The shortest wait for that: other programs may load the machine."""
TRANSFERS_PER_MINUTE = 45
"""Transfers; a server allows 60 new rooms per minute and address."""


def seed(made: Stack) -> None:
    """Write half an hour of history, an hour ago, with which one panel compares."""
    metrics, now = traffic.server_metrics(), int(time.time())
    instance = f"127.0.0.1:{made.port('tallow')}"
    scrapes = []
    for minute in range(30):
        traffic.record_minute(metrics)
        scrapes.append(traffic.stored_samples(metrics, "tallow", instance, now - HOUR_S - (20 - minute) * 60))
    backfill(made.state_dir.data / "prometheus", "".join(scrapes) + "# EOF\n")


@pytest.fixture(
    scope="module",
    params=[
        # A second between scrapes instead of fifteen: the shipped configuration, scaled.
        pytest.param(1 / SCRAPE_INTERVAL_S, id="fast"),
        pytest.param(1.0, id="real", marks=[pytest.mark.proof, pytest.mark.timeout(900)]),
    ],
)
def scale(request: pytest.FixtureRequest) -> float:
    return float(request.param)


@dataclass(frozen=True)
class PanelResults:
    """The results of the panels' queries.

    Attributes:
        outcomes: the demo's transfers by outcome.
        idle: samples of each query before the traffic.
        busy: samples at one time during the traffic.
        over_time: samples of range queries over the traffic.
        pages: sums of the metrics that only pages report.
    """

    outcomes: dict[str, int]
    idle: dict[PanelQuery, list[float]]
    busy: dict[PanelQuery, list[float]]
    over_time: dict[PanelQuery, list[float]]
    pages: dict[str, float]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, scale: float) -> Iterator[PanelResults]:
    """A stack with history, first idle, then with traffic until every panel holds data."""
    folder, step = tmp_path_factory.mktemp("live"), SCRAPE_INTERVAL_S * scale
    browser = place_command(tmp_path_factory.mktemp("browser")).parent
    window = max(4 * step, 5)
    queries = panel_queries(
        values(job="tallow", rate_interval=f"{window:.0f}s", span=f"{SCRAPES * step:.0f}s")
    )
    with stack(folder, scale, before=seed) as made, httpx.Client(auth=login(made)) as http:
        prometheus = Prometheus(f"http://127.0.0.1:{made.port('prometheus')}", http)
        scraped = f'count_over_time(tallow_workers{{job="tallow"}}[{6 * step:.0f}s]) >= 4'
        wait_until(lambda: prometheus.query(scraped, time.time()), "scraped four times", 12 * step + 30)
        idle = {query: now(prometheus, query) for query in queries}
        started = time.time()
        url = f"http://127.0.0.1:{made.port('tallow')}"
        with demo_traffic.running_demo(url, TRANSFERS_PER_MINUTE, browser) as outcomes:
            while True:
                busy = {query: now(prometheus, query) for query in queries}
                pages = {name: total(prometheus, name) for name in BROWSERS_ONLY}
                patience = max(SCRAPES * step, PATIENCE_S)
                if is_complete(busy, pages) or time.time() - started > patience:
                    break
                time.sleep(step)
            over_time = {query: past(prometheus, query, started, step) for query in queries}
        yield PanelResults(outcomes, idle, busy, over_time, pages)


def is_complete(busy: dict[PanelQuery, list[float]], pages: dict[str, float]) -> bool:
    """Whether every panel and every metric of the page holds data, and some transfers failed, not most."""
    [success] = [samples for query, samples in busy.items() if query.title == "Transfer success rate"]
    return all(busy.values()) and all(pages.values()) and 0.5 < success[0] < 1


def login(made: Stack) -> tuple[str, str]:
    return USER, credentials.password(made.state_dir.secrets)


def now(prometheus: Prometheus, query: PanelQuery) -> list[float]:
    return [float(series["value"][1]) for series in prometheus.query(query.expr, time.time())]


def total(prometheus: Prometheus, name: str) -> float:
    found = prometheus.query(f'sum(tallow_{name}{{job="tallow"}})', time.time())
    return sum(float(series["value"][1]) for series in found)


def past(prometheus: Prometheus, query: PanelQuery, started: float, step: float) -> list[float]:
    found = prometheus.query_range(query.expr, started, time.time(), step)
    return [float(value) for series in found for _, value in series["values"]]


def test_all_43_panels_hold_data_instant_and_over_time(results: PanelResults) -> None:
    assert len({(query.uid, query.title) for query in results.busy if query.uid != "tallow-logs"}) == 43
    assert [str(query) for query, samples in results.busy.items() if not samples] == []
    assert [str(query) for query, samples in results.over_time.items() if not samples] == []


def test_what_only_pages_report_comes_from_the_browser(results: PanelResults) -> None:
    assert results.pages["pwa_installs_total"] == 1
    assert results.pages["service_worker_events_total"] > 4, "two windows, each with install and activate"
    assert results.pages["notifications_sent_total"] >= 1


def test_no_panel_shows_nan(results: PanelResults) -> None:
    for answers in (results.idle, results.busy, results.over_time):
        assert all(math.isfinite(sample) for samples in answers.values() for sample in samples)


def test_the_panels_show_the_traffic(results: PanelResults) -> None:
    shown = {query.title: samples for query, samples in results.busy.items() if query.ref == "A"}
    assert results.outcomes["success"] > 0
    assert results.outcomes["failed"] > 0
    assert 0.5 < shown["Transfer success rate"][0] < 1, "the demo includes failures"
    assert len(shown["P2P vs relay"]) == 2
    assert shown["Average transfer speed"][0] > 0
    assert shown["Error rate change against 1 h ago"][0] < 0, "there were many errors an hour ago"
    assert shown["API errors by endpoint"] != []


def test_idle_panels_show_perfect_shares_or_why_they_are_empty(results: PanelResults) -> None:
    whole = {"Transfer success rate", "Error recovery rate", "Cache hit rate"}
    failures = {"Transfer failures", "Connection failures", "PQC operation failures"}
    assert {query.title for query in results.idle} > whole | failures
    for query, samples in results.idle.items():
        if query.title in whole | failures:
            assert samples == [float(query.title in whole)], str(query)
        elif not samples:
            assert query.idle.startswith("no "), str(query)
    assert any(query.idle == "no traffic" and not samples for query, samples in results.idle.items())
