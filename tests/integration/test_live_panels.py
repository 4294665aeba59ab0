"""Panel proof on a living stack: `tallow demo`, scraped by the real Prometheus, fills all 43 panels."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from support import demo_traffic, traffic
from support.panels import PanelQuery, panel_queries, values
from support.prometheus import Prometheus, backfill
from support.server import Client
from support.stack import Stack, stack, wait_until
from tallow.stack import credentials
from tallow.stack.prometheus import SCRAPE_INTERVAL_S, USER

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("live")]

HOUR_S = 3600
SCRAPES = 20
"""With users there."""
A_MINUTE = 45
"""Transfers; a server lets one address make 60 rooms a minute."""


def seed(made: Stack) -> None:
    """What happened an hour ago, which one panel compares with: a scrape a minute over half an hour."""
    metrics, now = traffic.server_metrics(), int(time.time())
    instance = f"127.0.0.1:{made.port('tallow')}"
    scrapes = []
    for minute in range(30):
        traffic.record_minute(metrics)
        scrapes.append(traffic.stored_samples(metrics, "tallow", instance, now - HOUR_S - (20 - minute) * 60))
    backfill(made.state_dir.data / "prometheus", "".join(scrapes) + "# EOF\n")


async def live(made: Stack, seconds: float) -> dict[str, int]:
    """Users come and go for so long, by `tallow demo` and in browsers: how the demo's transfers ended."""
    url = f"http://127.0.0.1:{made.port('tallow')}"
    demo = asyncio.create_task(demo_traffic.run_demo(url, seconds, A_MINUTE))
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        while not demo.done():
            await demo_traffic.transfer_between_browsers(Client(url=url, http=http))
            await asyncio.wait([demo], timeout=seconds / 8)
    return demo.result()


@pytest.fixture(
    scope="module",
    params=[
        # A second between scrapes instead of fifteen: what ships, on a faster clock.
        pytest.param(1 / SCRAPE_INTERVAL_S, id="fast"),
        pytest.param(1.0, id="real", marks=[pytest.mark.proof, pytest.mark.timeout(900)]),
    ],
)
def scale(request: pytest.FixtureRequest) -> float:
    return float(request.param)


@dataclass(frozen=True)
class Proof:
    """What the panels' queries got: before anybody came, and while users were there.

    ``busy`` holds each query's samples at the end, and ``over_time`` those of a range.
    """

    outcomes: dict[str, int]
    idle: dict[PanelQuery, list[float]]
    busy: dict[PanelQuery, list[float]]
    over_time: dict[PanelQuery, list[float]]


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory, scale: float) -> Iterator[Proof]:
    """A stack with a past, then at rest, then with users for `SCRAPES` scrapes."""
    folder, step = tmp_path_factory.mktemp("live"), SCRAPE_INTERVAL_S * scale
    window = max(4 * step, 5)
    queries = panel_queries(
        values(job="tallow", rate_interval=f"{window:.0f}s", span=f"{SCRAPES * step:.0f}s")
    )
    with stack(folder, scale, before=seed) as made, httpx.Client(auth=login(made)) as http:
        prometheus = Prometheus(f"http://127.0.0.1:{made.port('prometheus')}", http)
        scraped = f'count_over_time(tallow_workers{{job="tallow"}}[{6 * step:.0f}s]) >= 4'
        wait_until(lambda: prometheus.query(scraped, time.time()), "scraped four times", 12 * step + 30)
        idle = {query: now(prometheus, query) for query in queries}
        outcomes = asyncio.run(live(made, SCRAPES * step))
        yield Proof(
            outcomes,
            idle,
            {query: now(prometheus, query) for query in queries},
            {query: past(prometheus, query, SCRAPES * step, step) for query in queries},
        )


def login(made: Stack) -> tuple[str, str]:
    return USER, credentials.password(made.state_dir.secrets)


def now(prometheus: Prometheus, query: PanelQuery) -> list[float]:
    return [float(series["value"][1]) for series in prometheus.query(query.expr, time.time())]


def past(prometheus: Prometheus, query: PanelQuery, seconds: float, step: float) -> list[float]:
    end = time.time()
    found = prometheus.query_range(query.expr, end - seconds, end, step)
    return [float(value) for series in found for _, value in series["values"]]


def test_all_43_panels_hold_data_instant_and_over_time(proof: Proof) -> None:
    assert len({(query.uid, query.title) for query in proof.busy}) == 43
    assert [str(query) for query, samples in proof.busy.items() if not samples] == []
    assert [str(query) for query, samples in proof.over_time.items() if not samples] == []


def test_no_panel_shows_nan(proof: Proof) -> None:
    for answers in (proof.idle, proof.busy, proof.over_time):
        assert all(math.isfinite(sample) for samples in answers.values() for sample in samples)


def test_the_panels_tell_what_happened(proof: Proof) -> None:
    told = {query.title: samples for query, samples in proof.busy.items() if query.ref == "A"}
    assert proof.outcomes["success"] > 0
    assert proof.outcomes["failed"] > 0
    assert 0.5 < told["Transfer success rate"][0] < 1, "the demo lets some go wrong"
    assert len(told["P2P vs relay"]) == 2
    assert told["Average transfer speed"][0] > 0
    assert told["Error rate change against 1 h ago"][0] < 0, "an hour ago errors came by the dozen"
    assert told["API errors by endpoint"] != []


def test_at_rest_shares_are_whole_failures_none_and_the_rest_says_why_it_is_empty(proof: Proof) -> None:
    whole = {"Transfer success rate", "Error recovery rate", "Cache hit rate"}
    failures = {"Transfer failures", "Connection failures", "PQC operation failures"}
    assert {query.title for query in proof.idle} > whole | failures
    for query, samples in proof.idle.items():
        if query.title in whole | failures:
            assert samples == [float(query.title in whole)], str(query)
        elif not samples:
            assert query.idle.startswith("no "), str(query)
    assert any(query.idle == "no traffic" and not samples for query, samples in proof.idle.items())
