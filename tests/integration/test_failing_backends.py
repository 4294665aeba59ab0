"""All backends fail at the same time: requests do not wait, nothing raises, losses are counted."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import sentry_sdk
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tallow.monitoring import instrument
from tallow.monitoring import sentry as ours
from tallow.monitoring.analytics import Analytics
from tallow.monitoring.logging.loggers import Logger
from tallow.monitoring.logging.pipeline import Pipeline
from tallow.monitoring.logging.writer import Writer
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.shipping import Shipper
from tallow.monitoring.testing import (
    FakeLogEndpoint,
    FakePlausible,
    FakeSentry,
    fresh_metrics,
    log_endpoint,
    plausible_endpoint,
    sentry_endpoint,
)

pytestmark = pytest.mark.integration

REQUESTS = 100
DELAY_S = 5.0
"""The response time of a slow backend. A request that waited for it would take that long, or its timeout."""
TIMEOUT_S = 2.0
FAILURES: dict[str, dict[str, Any]] = {
    "slow": {"delay_s": DELAY_S},
    "500": {"status": 500},
    "429": {"status": 429, "headers": {"Retry-After": "30"}},
    "garbage": {"garbage": True},
    "reset": {"cut": "reset"},
    "half an answer": {"cut": "half"},
    "down": {},
}


@dataclass
class Host:
    """An application with all features enabled, and the backends it reports to."""

    app: Any
    metrics: Metrics
    writer: Writer
    analytics: Analytics
    logs: FakeLogEndpoint
    sentry: FakeSentry
    plausible: FakePlausible
    spool: Path

    def close(self) -> None:
        """Close everything, as at the end of a process."""
        ours.close(1)
        self.analytics.close(1)
        self.writer.close(2)

    def lost(self, pipeline: str) -> float:
        reasons = ("queue_full", "rejected", "rate_limited", "failed")
        value = self.metrics.registry.value
        return sum(value("telemetry_dropped_total", pipeline=pipeline, reason=reason) for reason in reasons)

    def spooled(self) -> int:
        return sum(int(file.name.split("-")[1]) for file in self.spool.glob("[0-9]*"))


@pytest.fixture(params=FAILURES)
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    with ExitStack() as stack:
        logs = stack.enter_context(log_endpoint())
        sentry = stack.enter_context(sentry_endpoint())
        plausible = stack.enter_context(plausible_endpoint())
        settings = {
            "log_endpoint": logs.url,
            "sentry_dsn": sentry.dsn,
            "plausible_host": plausible.url,
        }
        if request.param == "down":
            with socket.socket() as closed:
                closed.bind(("127.0.0.1", 0))
                port = closed.getsockname()[1]
            unreachable = f"http://127.0.0.1:{port}"
            settings = {"log_endpoint": unreachable, "plausible_host": unreachable}
            settings["sentry_dsn"] = f"http://{'a' * 32}@127.0.0.1:{port}/7"
        for backend in (logs, sentry, plausible):
            backend.fail(**FAILURES[request.param])
        made = host_of(logs, sentry, plausible, tmp_path / "spool", settings)
        yield made
        made.close()


def host_of(
    logs: FakeLogEndpoint, sentry: FakeSentry, plausible: FakePlausible, spool: Path, settings: dict[str, str]
) -> Host:
    metrics = fresh_metrics()
    loaded = MonitoringSettings.load(
        **settings,
        log_spool_dir=spool,
        log_batch_size=20,
        log_endpoint_timeout=TIMEOUT_S,
        plausible_domain="example.org",
        plausible_timeout=TIMEOUT_S,
        sentry_traces_sample_rate=0,
    )
    writer = Writer([Shipper(loaded, metrics, backoff_s=0.05, linger_s=0.05)], metrics=metrics)
    pipeline = Pipeline(metrics=metrics)
    pipeline.configure(
        level="info", static={"service": "s", "environment": "e", "version": "1"}, writer=writer
    )
    log, analytics = Logger("host", pipeline), Analytics(loaded, metrics)
    quiet = {"send_client_reports": False, "auto_session_tracking": False, "default_integrations": False}
    ours.init_monitoring(loaded, metrics=metrics, **quiet)

    async def work(request: Request) -> PlainTextResponse:
        for number in range(5):
            log.info("Working", number=number)
        sentry_sdk.capture_message("worked")
        analytics.goal("worked")
        return PlainTextResponse("done")

    app = instrument(Starlette(routes=[Route("/work", work)]), metrics=metrics)
    return Host(app, metrics, writer, analytics, logs, sentry, plausible, spool)


async def test_requests_do_not_wait_nothing_raises_and_losses_are_counted(host: Host) -> None:
    before = psutil.Process().memory_info().rss
    transport = httpx.ASGITransport(host.app)
    slowest = 0.0
    async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
        for _ in range(REQUESTS):
            started = time.perf_counter()
            assert (await client.get("/work")).text == "done"
            slowest = max(slowest, time.perf_counter() - started)
    assert slowest < TIMEOUT_S
    assert psutil.Process().memory_info().rss - before < 64 * 1024 * 1024
    await asyncio.to_thread(host.close)
    counts = {
        "analytics": (len(host.plausible.events), 1),
        "sentry": (len(host.sentry.payloads("event")), 1),
        "logs": (len(host.logs.records) + host.spooled(), 5),
    }
    for pipeline, (arrived, each) in counts.items():
        assert arrived + host.lost(pipeline) >= REQUESTS * each, pipeline
    assert host.lost("logs") == 0  # there is a spool
