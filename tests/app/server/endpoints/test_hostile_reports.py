"""Hostile reports in bulk: no series, no metric of a peer, and no alert but the one that is about it."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.alert_rules.alert_simulation import firing_alerts
from support.transfers.server import RunningServer, serving
from tallow.app.server.limits.report_quota import MAX_REJECTED_REPORTS
from tallow.app.wire import REPORTED_METRICS
from tallow.monitoring.catalog.model import Metric

pytestmark = pytest.mark.integration  # promtool judges which alerts fire

AT_ONCE = 16
PLENTY: dict[str, Any] = {"reports_per_minute": 10**9, "rooms_per_minute": 10**6, "joins_per_minute": 10**6}
GUARDED = re.compile(r'(route|endpoint)="/api/(telemetry|rooms|signal)"|metric="')
"""Series that a first answer of its class brings: as many as there are routes and classes."""
IDLE = {"NoActiveConnections"}
HOSTILE = (
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
NUMBERS = (-1, 1e308, 10**30, 0.5, True, None, "1", [1], {"$gt": 0})


def hostile_metrics(chance: random.Random) -> dict[str, Any]:
    """A report that lies in one place: a metric, a label, its value, or a number."""
    metric = chance.choice(list(REPORTED_METRICS.values()))
    labels = {label.name: chance.choice(label.values or ("send",)) for label in metric.labels}
    lie = chance.choice(("metric", "value", "label", "number") if labels else ("metric", "label", "number"))
    name = chance.choice(("errors", "pii_redactions_total", *HOSTILE)) if lie == "metric" else metric.name
    if lie == "value":
        labels[chance.choice(list(labels))] = f"{chance.choice(HOSTILE)}{chance.random()}"
    if lie == "label":
        labels[f"{chance.choice(HOSTILE)}{chance.random()}"] = "x"
    return {name: [{"labels": labels, **_amount(metric, chance.choice(NUMBERS) if lie == "number" else 1)}]}


def _amount(metric: Metric, number: Any) -> dict[str, Any]:
    if metric.kind == "counter":
        return {"value": number}
    return {"buckets": [number] * (len(metric.buckets) + 1), "sum": number}


def of_peers(exposition: str) -> list[str]:
    """The lines that only peers' reports move."""
    names = tuple(metric.full_name for metric in REPORTED_METRICS.values())
    return [line for line in exposition.splitlines() if line.startswith(names)]


def names(exposition: str) -> list[str]:
    return [line.rpartition(" ")[0] for line in exposition.splitlines() if not line.startswith("#")]


async def exposition(server: RunningServer) -> str:
    return (await server.http.get("/metrics")).text


async def flood(server: RunningServer, count: int, tokens: list[str | None]) -> dict[int, int]:
    """Send so many hostile reports: how often each status came back."""
    chance = random.Random(count)
    answers: dict[int, int] = {}

    async def work(mine: Iterator[int]) -> None:
        for number in mine:
            token = tokens[number % len(tokens)] or f"guess-{number}"
            body = json.dumps({"version": 1, "metrics": hostile_metrics(chance)})
            answer = await server.http.post(
                "/api/telemetry", content=body, headers={"authorization": f"Bearer {token}"}
            )
            answers[answer.status_code] = answers.get(answer.status_code, 0) + 1

    share = iter(range(count))
    await asyncio.gather(*(work(share) for _ in range(AT_ONCE)))
    return answers


async def prove(
    folder: Path, reports: int, pairs: int, *, tokens: bool = True, **limits: Any
) -> tuple[dict[int, int], set[str]]:
    """Send hostile reports in one burst: how often each status came back, and which alerts fired."""
    async with serving(folder, **limits) as server:
        await exposition(server)  # a scrape counts itself from the second on
        before = await exposition(server)
        peers = [peer for _ in range(pairs) for peer in await server.pair()]
        told: list[str | None] = [peer.joined["telemetry_token"] for peer in peers] if tokens else [None]
        answers = await flood(server, reports, told)
        for peer in peers:
            await peer.socket.close()
        await server.wait_for_value("device_connections", 0, device_type="cli")
        server.context.rooms.room_metrics.drop_expired(server.context.rooms.clock())
        after = await exposition(server)
    assert of_peers(after) == of_peers(before)
    new = set(names(after)) - set(names(before))
    assert all(GUARDED.search(name) for name in new), new
    return answers, await asyncio.to_thread(firing_alerts, before, after, folder) - IDLE


async def test_a_burst_moves_nothing_and_fires_nothing_but_the_alert_about_it(tmp_path: Path) -> None:
    answers, alerts = await prove(tmp_path, 2_500, 60, **PLENTY)
    assert answers.keys() == {400, 401}
    assert answers[400] == MAX_REJECTED_REPORTS * 120  # after ten a side is not listened to any more
    assert alerts <= {"UnauthorizedAPIAccess"}


@pytest.mark.proof
@pytest.mark.timeout(1200)
async def test_a_hundred_thousand_move_nothing(tmp_path: Path) -> None:
    answers, alerts = await prove(tmp_path, 100_000, 100, **PLENTY)
    assert sum(answers.values()) == 100_000
    assert alerts <= {"UnauthorizedAPIAccess"}


async def test_at_the_shipped_limits_a_room_s_own_reports_fire_nothing(tmp_path: Path) -> None:
    answers, alerts = await prove(tmp_path, 2_000, 10)
    assert answers.keys() == {400, 429}
    assert answers[400] < 500  # reports_per_minute, and what the minute's share grew meanwhile
    assert alerts == set()


async def test_reports_without_a_room_s_token_fire_only_the_alert_about_them(tmp_path: Path) -> None:
    answers, alerts = await prove(tmp_path, 1_000, 1, tokens=False)
    assert answers.keys() == {401, 429}
    assert answers[401] < 500
    assert alerts == {"UnauthorizedAPIAccess"}
