"""Many hostile reports add no series, change no metric of peers, and fire only the alert on bad requests."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.alert_rules.alert_simulation import firing_alerts
from support.transfers.server import RunningServer, serving
from tallow.app.server.limits.report_quota import MAX_REJECTED_REPORTS
from tallow.app.wire import REPORTED_METRICS
from tallow.monitoring.catalog.model import Metric

pytestmark = pytest.mark.integration  # promtool evaluates the alert rules

CONCURRENCY = 16
WITHOUT_LIMITS: dict[str, Any] = {
    "reports_per_minute": 10**9,
    "rooms_per_minute": 10**6,
    "joins_per_minute": 10**6,
}
EXPECTED_SERIES = re.compile(r'(route|endpoint)="/api/(telemetry|rooms|signal)"|metric="')
"""Series that appear with the first response of a route and class; their number is bounded."""
ALERTS_WHEN_IDLE = {"NoActiveConnections"}
HOSTILE_STRINGS = (
    "room-7f3a",
    "../../etc/passwd",
    "10.1.2.3",
    "\u202e\x00",
    "a" * 4000,
    '"},x{',
    "",
    "other\n",
    "critical",
)
INVALID_NUMBERS = (-1, 1e308, 10**30, 0.5, True, None, "1", [1], {"$gt": 0})


def hostile_metrics(chance: random.Random) -> dict[str, Any]:
    """A report with one invalid part: the metric, a label, its value, or a number."""
    metric = chance.choice(list(REPORTED_METRICS.values()))
    labels = {label.name: chance.choice(label.values or ("send",)) for label in metric.labels}
    invalid = chance.choice(
        ("metric", "value", "label", "number") if labels else ("metric", "label", "number")
    )
    name = (
        chance.choice(("errors", "pii_redactions_total", *HOSTILE_STRINGS))
        if invalid == "metric"
        else metric.name
    )
    if invalid == "value":
        labels[chance.choice(list(labels))] = f"{chance.choice(HOSTILE_STRINGS)}{chance.random()}"
    if invalid == "label":
        labels[f"{chance.choice(HOSTILE_STRINGS)}{chance.random()}"] = "x"
    return {
        name: [
            {
                "labels": labels,
                **_amount(metric, chance.choice(INVALID_NUMBERS) if invalid == "number" else 1),
            }
        ]
    }


def _amount(metric: Metric, number: Any) -> dict[str, Any]:
    if metric.kind == "counter":
        return {"value": number}
    return {"buckets": [number] * (len(metric.buckets) + 1), "sum": number}


def peer_lines(exposition: str) -> list[str]:
    """The lines of an exposition that only reports of peers change."""
    names = tuple(metric.full_name for metric in REPORTED_METRICS.values())
    return [line for line in exposition.splitlines() if line.startswith(names)]


def series_names(exposition: str) -> list[str]:
    return [line.rpartition(" ")[0] for line in exposition.splitlines() if not line.startswith("#")]


async def exposition(server: RunningServer) -> str:
    return (await server.http.get("/metrics")).text


async def post_report(server: RunningServer, token: str, body: str) -> httpx.Response:
    """Post a report, again if the server has closed the idle connection that was used for it."""
    while True:
        with suppress(httpx.ReadError, httpx.RemoteProtocolError):
            return await server.http.post(
                "/api/telemetry", content=body, headers={"authorization": f"Bearer {token}"}
            )


async def flood(server: RunningServer, count: int, tokens: list[str | None]) -> dict[int, int]:
    """Send ``count`` hostile reports; the number of responses of each status."""
    chance = random.Random(count)
    answers: dict[int, int] = {}

    async def send(numbers: Iterator[int]) -> None:
        for number in numbers:
            token = tokens[number % len(tokens)] or f"guess-{number}"
            body = json.dumps({"version": 1, "metrics": hostile_metrics(chance)})
            answer = await post_report(server, token, body)
            answers[answer.status_code] = answers.get(answer.status_code, 0) + 1

    shared = iter(range(count))
    await asyncio.gather(*(send(shared) for _ in range(CONCURRENCY)))
    return answers


async def flood_new_server(
    folder: Path, reports: int, pairs: int, *, tokens: bool = True, **limits: Any
) -> tuple[dict[int, int], set[str]]:
    """Send hostile reports to a new server and check its series; the statuses and the firing alerts."""
    async with serving(folder, **limits) as server:
        await exposition(server)  # the first scrape adds the series of the metrics endpoint
        before = await exposition(server)
        peers = [peer for _ in range(pairs) for peer in await server.pair()]
        report_tokens: list[str | None] = (
            [peer.joined["telemetry_token"] for peer in peers] if tokens else [None]
        )
        answers = await flood(server, reports, report_tokens)
        for peer in peers:
            await peer.socket.close()
        await server.wait_for_value("device_connections", 0, device_type="cli")
        server.context.rooms.room_metrics.drop_expired(server.context.rooms.clock())
        after = await exposition(server)
    assert peer_lines(after) == peer_lines(before)
    new = set(series_names(after)) - set(series_names(before))
    assert all(EXPECTED_SERIES.search(name) for name in new), new
    return answers, await asyncio.to_thread(firing_alerts, before, after, folder) - ALERTS_WHEN_IDLE


async def test_a_burst_changes_no_metric_and_fires_only_its_alert(tmp_path: Path) -> None:
    answers, alerts = await flood_new_server(tmp_path, 2_500, 60, **WITHOUT_LIMITS)
    assert answers.keys() == {400, 401}
    assert answers[400] == MAX_REJECTED_REPORTS * 120  # then the token is revoked
    assert alerts <= {"UnauthorizedAPIAccess"}


@pytest.mark.proof
@pytest.mark.timeout(1200)
async def test_a_hundred_thousand_reports_change_no_metric(tmp_path: Path) -> None:
    answers, alerts = await flood_new_server(tmp_path, 100_000, 100, **WITHOUT_LIMITS)
    assert sum(answers.values()) == 100_000
    assert alerts <= {"UnauthorizedAPIAccess"}


async def test_with_default_limits_the_reports_of_members_fire_no_alert(tmp_path: Path) -> None:
    answers, alerts = await flood_new_server(tmp_path, 2_000, 10)
    # On a slow machine the limit lets so many reports pass that a token is revoked.
    assert answers.keys() - {401} == {400, 429}
    assert answers[400] < 500  # reports_per_minute, and what the buckets gained meanwhile
    assert alerts == set()


async def test_reports_without_a_valid_token_fire_only_their_alert(tmp_path: Path) -> None:
    answers, alerts = await flood_new_server(tmp_path, 1_000, 1, tokens=False)
    assert answers.keys() == {401, 429}
    assert answers[401] < 500
    assert alerts == {"UnauthorizedAPIAccess"}
