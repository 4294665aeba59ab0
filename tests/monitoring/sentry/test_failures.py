"""Sentry is unreachable, slow or rejects events: the host continues, and drops are counted."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import sentry_sdk
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from support.transfers.server import listener
from tallow.monitoring import instrument
from tallow.monitoring import sentry as ours
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.sentry import sdk
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.testing import FakeSentry, sentry_endpoint

pytestmark = pytest.mark.slow

Start = Callable[..., None]


def dropped(metrics: Metrics, reason: str) -> float:
    return metrics.registry.value("telemetry_dropped_total", pipeline="sentry", reason=reason)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(500, "failed"), (503, "failed"), (400, "rejected"), (413, "rejected"), (429, "rate_limited")],
)
def test_a_rejected_event_is_counted_by_reason(
    start: Start, server: FakeSentry, metrics: Metrics, status: int, reason: str
) -> None:
    server.fail(status=status)
    start({"send_client_reports": False})
    sentry_sdk.capture_message("hello")
    ours.flush(10)
    assert dropped(metrics, reason) == 1


def test_after_a_rate_limit_nothing_is_sent_and_it_is_counted(
    start: Start, server: FakeSentry, metrics: Metrics
) -> None:
    server.fail(status=429, headers={"Retry-After": "60"})
    start({"send_client_reports": False})
    for _ in range(3):
        sentry_sdk.capture_message("hello")
        ours.flush(10)
    assert len(server.requests) == 1
    assert dropped(metrics, "rate_limited") == 3


@pytest.mark.parametrize("failure", [{"garbage": True}, {"cut": "reset"}, {"cut": "half"}])
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning"
)  # urllib3 leaves the unread response to the garbage collector
def test_an_invalid_response_is_a_failure(
    start: Start, server: FakeSentry, metrics: Metrics, failure: dict[str, Any]
) -> None:
    server.fail(**failure)
    start({"send_client_reports": False})
    sentry_sdk.capture_message("hello")
    ours.flush(10)
    assert dropped(metrics, "failed") == 1


def test_events_queued_at_close_are_counted_as_dropped(
    start: Start, server: FakeSentry, metrics: Metrics
) -> None:
    server.fail(delay_s=5)
    start({"send_client_reports": False})
    for _ in range(7):
        sentry_sdk.capture_message("hello")
    ours.close(0.1)
    assert dropped(metrics, "failed") == 7
    assert metrics.registry.value("telemetry_queue_depth", pipeline="sentry") == 0


def test_an_unreachable_sentry_raises_no_exception(metrics: Metrics, start: Start) -> None:
    with listener() as closed:
        port = closed.getsockname()[1]
    start({"send_client_reports": False}, sentry_dsn=f"http://{'a' * 32}@127.0.0.1:{port}/7")
    sentry_sdk.capture_message("hello")
    ours.flush(10)
    assert dropped(metrics, "failed") == 1


def test_a_burst_is_limited_by_the_queue_and_the_rest_is_counted(
    start: Start, server: FakeSentry, metrics: Metrics
) -> None:
    server.fail(delay_s=0.05)
    start({"send_client_reports": False}, sentry_queue_size=5)
    for number in range(50):
        sentry_sdk.capture_message(f"message {number}")
    assert metrics.registry.value("telemetry_queue_depth", pipeline="sentry") <= 6
    server.recover()
    ours.flush(10)
    arrived = len(server.payloads("event"))
    assert dropped(metrics, "queue_full") == 50 - arrived
    assert 5 <= arrived < 50
    assert metrics.registry.value("telemetry_queue_depth", pipeline="sentry") == 0


async def test_the_exception_of_any_asgi_application_is_captured_once(
    start: Start, server: FakeSentry
) -> None:
    async def plain(scope: object, receive: object, send: object) -> None:
        raise RuntimeError("out of coffee")

    async def handler(request: object) -> Response:
        raise RuntimeError("out of coffee")

    start()
    for app in (plain, Starlette(routes=[Route("/", handler)])):
        transport = httpx.ASGITransport(instrument(app), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://tallow") as client:
            assert (await client.get("/")).status_code == 500
    ours.flush(10)
    assert [event["exception"]["values"][-1]["value"] for event in server.payloads("event")] == [
        "out of coffee"
    ] * 2


def test_without_a_dsn_nothing_starts() -> None:
    assert ours.init_monitoring(MonitoringSettings.load()) is False
    assert sdk.active is None


def test_the_sdk_is_not_loaded_without_a_dsn() -> None:
    code = (
        "import sys; from tallow.monitoring import sentry; sentry.init_monitoring()\n"
        "with sentry.performance_monitoring.monitor_transfer(): sentry.context.set_transfer_context()\n"
        "sentry.flush(); sentry.close(); print('sentry_sdk' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "False"


@pytest.mark.slow
def test_a_process_that_exits_sends_the_queue_and_prints_nothing() -> None:
    with sentry_endpoint() as server:
        code = (
            "import sentry_sdk; from tallow.monitoring import lazy_scrubber, sentry\n"
            "from tallow.monitoring.sentry import event_scrubbing\n"
            "event_scrubbing.scrub = lambda value: value\n"
            "sentry.init_monitoring(); sentry_sdk.capture_message('last message')"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"SENTRY_DSN": server.dsn},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout + done.stderr == ""
        assert [event["message"] for event in server.payloads("event")] == ["last message"]
