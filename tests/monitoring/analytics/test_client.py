"""Analytics: which events are sent, for which requests, and what happens while Plausible fails."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from support.privacy.canary import CANARY, scrub_canary
from support.transfers.server import listener
from tallow.monitoring import instrument
from tallow.monitoring.analytics import Analytics, categories, delivery
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.testing import FakePlausible, plausible_endpoint

Make = Callable[..., Analytics]


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(categories, "scrub", scrub_canary)
    monkeypatch.setattr(delivery, "BACKOFF_S", 0.001)


@pytest.fixture
def site() -> Iterator[FakePlausible]:
    with plausible_endpoint() as running:
        yield running


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Registry())


@pytest.fixture
def make(site: FakePlausible, metrics: Metrics) -> Iterator[Make]:
    made: list[Analytics] = []

    def begin(**given: Any) -> Analytics:
        defaults = {"plausible_host": site.url, "plausible_domain": "tallow.example.org"}
        made.append(Analytics(MonitoringSettings.load(**(defaults | given)), metrics))
        return made[-1]

    yield begin
    for one in made:
        one.close(0)


def dropped(metrics: Metrics, reason: str) -> float:
    return metrics.registry.value("telemetry_dropped_total", pipeline="analytics", reason=reason)


def test_plausible_accepts_every_event(make: Make, site: FakePlausible) -> None:
    analytics = make()
    transfer, connection = analytics.transfer_funnel, analytics.connection_funnel
    transfer.start_transfer()
    transfer.select_file(5_000_000, "image/jpeg")
    transfer.connect_peer("p2p")
    transfer.complete_transfer(5_000_000, 12.5, "p2p", "image/jpeg")
    transfer.fail_transfer("network", "relay")
    connection.start_connection()
    connection.exchange_signals()
    connection.gather_candidates("stun")
    connection.connected("direct", 0.4)
    connection.fail_connection("the router of alice")
    analytics.goal("link_copied", again=True, times=3)
    analytics.ab_test("button", "green", converted=True)
    analytics.feature_adoption("relay", "tried")
    analytics.feature_adoption("relay", "on a Tuesday")
    analytics.engagement("reading", duration_s=75, depth=4)
    with analytics.session("send") as session:
        session.step("file_chosen")
        session.step("link_copied")
    assert analytics.flush(10)
    assert site.rejections == []
    assert [(event["name"], event["props"]) for _, event in site.events] == [
        ("Transfer: start", {}),
        ("Transfer: file", {"size": "1mb_10mb", "file_type": "image"}),
        ("Transfer: peer", {"method": "p2p"}),
        (
            "Transfer: complete",
            {"size": "1mb_10mb", "duration": "10s_1m", "method": "p2p", "file_type": "image"},
        ),
        ("Transfer: fail", {"reason": "network", "method": "relay"}),
        ("Connection: start", {}),
        ("Connection: signals", {}),
        ("Connection: candidates", {"strategy": "stun"}),
        ("Connection: connected", {"path": "direct", "duration": "under_1s"}),
        ("Connection: fail", {"reason": "other"}),
        ("link_copied", {"again": "true", "times": "2_to_5"}),
        ("Experiment", {"experiment": "button", "variant": "green", "converted": "true"}),
        ("Feature", {"feature": "relay", "stage": "tried"}),
        ("Feature", {"feature": "relay", "stage": "other"}),
        ("Engagement", {"activity": "reading", "duration": "1m_10m", "depth": "2_to_5"}),
        ("Session step", {"kind": "send", "step": "file_chosen"}),
        ("Session step", {"kind": "send", "step": "link_copied"}),
        (
            "Session",
            {
                "kind": "send",
                "result": "completed",
                "steps": "2_to_5",
                "last_step": "link_copied",
                "duration": "under_1s",
            },
        ),
    ]
    assert {(event["domain"], event["url"]) for _, event in site.events} == {
        ("tallow.example.org", "https://tallow.example.org/")
    }


@pytest.mark.parametrize(
    "value",
    [
        CANARY,
        "alice@example.org",
        "a b",
        "/home/alice",
        "x" * 41,
        "",
        "1024 bytes",
        "4155550123",
        object(),
        b"x",
        ["x"],
    ],
)
def test_a_value_that_is_not_a_category_becomes_other(make: Make, site: FakePlausible, value: Any) -> None:
    analytics = make()
    analytics.goal("goal", kind=value)
    analytics.flush(10)
    assert site.events[0][1]["props"] == {"kind": "other"}


def test_numbers_become_categories_and_names_stay_short(make: Make, site: FakePlausible) -> None:
    analytics = make()
    analytics.goal(f"shared {CANARY}", size=123_456_789, none=None, **{CANARY: "x", "file name": "x"})
    analytics.goal("many", **{f"prop_{number}": "x" for number in range(50)})
    analytics.flush(10)
    (_, first), (_, second) = site.events
    assert (first["name"], first["props"]) == ("other", {"size": "over_100"})
    assert len(second["props"]) == 30


async def ask(analytics: Analytics, **headers: str) -> None:
    async def copied(request: Request) -> PlainTextResponse:
        analytics.goal("link_copied")
        return PlainTextResponse("ok")

    app = instrument(Starlette(routes=[Route("/copied", copied)]), metrics=Metrics(Registry()))
    transport = httpx.ASGITransport(app, client=("203.0.113.9", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://tallow") as client:
        assert (await client.get("/copied", headers=headers)).status_code == 200
    analytics.flush(10)


@pytest.mark.parametrize(
    ("headers", "counted"),
    [({}, True), ({"DNT": "1"}, False), ({"Sec-GPC": "1"}, False), ({"DNT": "0", "Sec-GPC": "0"}, True)],
)
async def test_requests_that_opt_out_are_not_counted(
    make: Make, site: FakePlausible, metrics: Metrics, headers: dict[str, str], counted: bool
) -> None:
    await ask(make(), **headers)
    assert site.names == (["link_copied"] if counted else [])
    assert dropped(metrics, "failed") == 0


async def test_only_the_user_agent_of_a_request_is_forwarded(make: Make, site: FakePlausible) -> None:
    await ask(
        make(),
        **{"User-Agent": "Mozilla/5.0 (X11)", "Cookie": f"id={CANARY}", "Referer": f"http://x/{CANARY}"},
    )
    ((headers, _),) = site.events
    assert headers["user-agent"] == "Mozilla/5.0 (X11)"
    assert {"x-forwarded-for", "cookie", "x-request-id", "traceparent", "referer"}.isdisjoint(headers)
    assert CANARY not in site.text
    assert "203.0.113.9" not in site.text


async def test_the_address_is_forwarded_only_if_the_setting_says_so(make: Make, site: FakePlausible) -> None:
    await ask(make(plausible_forward_address=True))
    assert site.events[0][0]["x-forwarded-for"] == "203.0.113.9"


def test_an_event_outside_a_request_has_the_server_s_user_agent(make: Make, site: FakePlausible) -> None:
    analytics = make(plausible_forward_address=True)
    analytics.goal("swept")
    analytics.flush(10)
    assert site.events[0][0]["user-agent"].startswith("tallow/")
    assert "x-forwarded-for" not in site.events[0][0]


def test_an_event_that_plausible_drops_silently_is_counted(
    make: Make, site: FakePlausible, metrics: Metrics
) -> None:
    site.drops_events = True
    analytics = make()
    analytics.goal("seen")
    analytics.flush(10)
    assert dropped(metrics, "rejected") == 1
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    ("status", "reason", "requests"),
    [
        (500, "failed", 3),
        (503, "failed", 3),
        (429, "rate_limited", 3),
        (400, "rejected", 1),
        (302, "rejected", 1),
    ],
)
def test_a_failed_event_is_retried_if_that_may_help_and_then_counted(
    make: Make, site: FakePlausible, metrics: Metrics, status: int, reason: str, requests: int
) -> None:
    site.fail(status=status)
    analytics = make()
    analytics.goal("seen")
    assert analytics.flush(10)
    assert (dropped(metrics, reason), len(site.requests)) == (1, requests)


def test_a_temporary_failure_loses_no_event(make: Make, site: FakePlausible, metrics: Metrics) -> None:
    site.fail(status=500, times=1)
    site.fail(status=429, times=1)
    analytics = make()
    analytics.goal("seen")
    assert analytics.flush(10)
    assert site.names == ["seen"]
    assert dropped(metrics, "failed") + dropped(metrics, "rate_limited") == 0


@pytest.mark.parametrize("failure", [{"garbage": True}, {"cut": "reset"}, {"cut": "half"}])
def test_an_invalid_response_is_a_failure(
    make: Make, site: FakePlausible, metrics: Metrics, failure: dict[str, Any]
) -> None:
    site.fail(**failure)
    analytics = make()
    analytics.goal("seen")
    assert analytics.flush(10)
    assert dropped(metrics, "failed") == 1


def test_an_unreachable_or_slow_plausible_raises_no_exception(
    make: Make, metrics: Metrics, site: FakePlausible
) -> None:
    with listener() as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    away = make(plausible_host=url)
    away.goal("seen")
    assert away.flush(10)
    site.fail(delay_s=0.2)
    slow = make(plausible_timeout=0.02)
    slow.goal("seen")
    assert slow.flush(10)
    assert dropped(metrics, "failed") == 2


def test_a_burst_is_limited_by_the_queue_and_the_rest_is_counted(
    make: Make, site: FakePlausible, metrics: Metrics
) -> None:
    site.fail(delay_s=0.05)
    analytics = make(plausible_queue_size=10)
    for _ in range(100):
        analytics.goal("seen")
    assert metrics.registry.value("telemetry_queue_depth", pipeline="analytics") <= 10
    site.recover()
    assert analytics.flush(10)
    assert len(site.events) + dropped(metrics, "queue_full") == 100
    assert 10 <= len(site.events) <= 12
    assert metrics.registry.value("telemetry_queue_depth", pipeline="analytics") == 0


def test_events_queued_at_close_are_counted_as_dropped(
    make: Make, site: FakePlausible, metrics: Metrics
) -> None:
    site.fail(delay_s=0.1)
    analytics = make()
    for _ in range(10):
        analytics.goal("seen")
    analytics.close(0)
    analytics.goal("too late")
    assert dropped(metrics, "failed") >= 8


def test_without_a_domain_nothing_is_sent_or_started(site: FakePlausible, metrics: Metrics) -> None:
    analytics = Analytics(MonitoringSettings.load(plausible_host=site.url), metrics)
    analytics.goal("seen")
    with analytics.session():
        pass
    assert analytics.flush()
    assert site.requests == []


def test_values_that_cannot_be_scrubbed_are_dropped_and_counted(
    make: Make, site: FakePlausible, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(value: Any) -> Any:
        raise RecursionError

    monkeypatch.setattr(categories, "scrub", fails)
    analytics = make()
    analytics.goal("seen")
    assert analytics.flush()
    assert (site.requests, dropped(metrics, "failed")) == ([], 1)


def test_if_no_thread_can_be_started_the_event_is_counted_as_dropped(
    make: Make, site: FakePlausible, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: threading.Thread) -> None:  # as when Python 3.12.0 exits
        raise RuntimeError("can't create new thread at interpreter shutdown")

    analytics = make()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        analytics.goal("signup")
        assert dropped(metrics, "failed") == 1
    analytics.goal("signup")
    analytics.close(10)
    assert len(site.requests) == 1
    assert dropped(metrics, "failed") == 1


def test_a_process_that_exits_sends_its_queue(site: FakePlausible) -> None:
    code = (
        "from tallow.monitoring.analytics import analytics, categories\n"
        "categories.scrub = lambda value: value\n"
        "analytics.goal('closed')"
    )
    environment = {"PLAUSIBLE_HOST": site.url, "PLAUSIBLE_DOMAIN": "tallow.example.org"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout + done.stderr == ""
    assert site.names == ["closed"]


def test_an_abandoned_session_sends_one_event(make: Make, site: FakePlausible) -> None:
    analytics = make()
    with pytest.raises(RuntimeError), analytics.session("receive") as session:
        raise RuntimeError
    session.end()
    analytics.flush(10)
    assert [event["props"]["result"] for _, event in site.events] == ["abandoned"]
