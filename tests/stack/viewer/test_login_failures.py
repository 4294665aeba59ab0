"""Failed logins are counted by reason and logged without input of the client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from support.dashboards.viewer import PASSWORD, Viewer
from tallow.monitoring.exposition.text import expose
from tallow.monitoring.logging import configure, flush, scrubbing
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.testing import MemorySink
from tallow.stack.viewer.login_failures import LOG_PERIOD_S, MAX_RECORDS_PER_PERIOD, LoginFailures
from tallow.stack.viewer.metrics import LOGIN_FAILURE_REASONS, viewer_registry
from tallow.stack.viewer.sessions import FREE_FAILURES

TYPED = "hunter2-secret"
NAME = "tallow_viewer_login_failures_total"


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemorySink]:
    """The log records before scrubbing, which must contain nothing private."""
    monkeypatch.setattr(scrubbing, "scrub", lambda value: value)
    sink = MemorySink()
    configure(MonitoringSettings.load(), sinks=[sink])
    yield sink
    configure(MonitoringSettings.load())


def records(sink: MemorySink) -> list[dict[str, Any]]:
    flush()
    return [record for line in sink.lines if (record := orjson.loads(line))["logger"] == "security"]


def counts(exposition: str) -> dict[str, float]:
    """The counter's value for each reason."""
    lines = [line.split(" ") for line in exposition.splitlines() if line.startswith(f"{NAME}{{")]
    return {series.split('"')[1]: float(value) for series, value in lines}


async def scraped(client: httpx.AsyncClient) -> dict[str, float]:
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    return counts(answer.text)


async def test_every_reason_has_a_series_from_the_start(viewer: Viewer) -> None:
    async with viewer() as url, httpx.AsyncClient(base_url=url) as client:
        assert await scraped(client) == dict.fromkeys(LOGIN_FAILURE_REASONS, 0)


async def test_failed_attempts_are_counted_and_successes_are_not(viewer: Viewer) -> None:
    async with viewer() as url, httpx.AsyncClient(base_url=url) as client:
        await client.post("/login", data={"password": PASSWORD})
        await client.post("/login", content=b"\xff\xfe")
        await client.post("/login", content=b"a=" + b"x" * 9000)
        foreign = {"origin": "https://evil.example"}
        assert (await client.post("/login", data={"password": "x"}, headers=foreign)).status_code == 403
        assert (await client.get("/login", headers=foreign)).status_code == 403
        assert (await client.post("/login", headers={"host": "evil.example"})).status_code == 403
        for _ in range(FREE_FAILURES):
            await client.post("/login", data={"password": TYPED})
        for _ in range(3):
            await client.post("/login", data={"password": PASSWORD})
        assert await scraped(client) == {
            "wrong_password": FREE_FAILURES,
            "rate_limited": 3,
            "malformed": 2,
            "untrusted_origin": 2,
        }


def test_the_guide_explains_every_reason() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "viewer.md").read_text(encoding="utf-8")
    assert all(f"| `{reason}` |" in guide for reason in LOGIN_FAILURE_REASONS)


def test_log_is_limited_and_the_counter_is_not(sink: MemorySink) -> None:
    now, registry = [1000.0], viewer_registry()
    failures = LoginFailures(registry, clock=lambda: now[0])
    for _ in range(MAX_RECORDS_PER_PERIOD + 7):
        failures.record("wrong_password")
    now[0] += LOG_PERIOD_S
    failures.record("rate_limited")
    found = records(sink)
    assert len(found) == MAX_RECORDS_PER_PERIOD + 1
    assert {record["message"] for record in found} == {"Viewer login failed"}
    assert (found[-1]["reason"], found[-1]["unlogged"]) == ("rate_limited", 7)
    assert counts(expose(registry).decode())["wrong_password"] == MAX_RECORDS_PER_PERIOD + 7


async def test_record_contains_nothing_of_the_request(viewer: Viewer, sink: MemorySink) -> None:
    async with viewer() as url, httpx.AsyncClient(base_url=url) as client:
        await client.post(
            "/login",
            data={"password": TYPED, "next": "/d/secret-board", "user": "alice"},
            headers={"user-agent": "agent-007"},
        )
    [record] = records(sink)
    assert (record["level"], record["logger"], record["reason"]) == ("warning", "security", "wrong_password")
    for sent in (TYPED, "secret-board", "alice", "agent-007", "127.0.0.1"):
        assert sent not in str(record)
