"""The server reports rooms and transfers to Plausible and Sentry: categories, unless a peer objects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from support.transfers.server import Peer, RunningServer, serving
from tallow.monitoring import sentry
from tallow.monitoring.analytics import Analytics
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.testing import (
    FakePlausible,
    FakeSentry,
    fresh_metrics,
    plausible_endpoint,
    sentry_endpoint,
)


@pytest.fixture
def plausible() -> Iterator[FakePlausible]:
    with plausible_endpoint() as running:
        yield running


@pytest_asyncio.fixture
async def counted(tmp_path: Path, plausible: FakePlausible) -> AsyncIterator[RunningServer]:
    """A server whose rooms are counted by the fake Plausible."""
    settings = MonitoringSettings.load(plausible_host=plausible.url, plausible_domain="tallow.example.org")
    client = Analytics(settings, fresh_metrics())
    async with serving(tmp_path) as running:
        running.context.rooms.analytics._client = client
        yield running
        await asyncio.to_thread(client.close, 10)


def events(plausible: FakePlausible, name: str) -> list[dict[str, Any]]:
    return [event.get("props", {}) for _, event in plausible.events if event["name"] == name]


async def sent(server: RunningServer, plausible: FakePlausible) -> list[str]:
    """The names of all events, once they have arrived."""
    assert await asyncio.to_thread(server.context.rooms.analytics._client.flush, 10)
    return plausible.names


def counter(value: float, **labels: str) -> dict[str, Any]:
    return {"labels": labels, "value": value}


async def transfer(server: RunningServer, sender: Peer, receiver: Peer, *, method: str = "p2p") -> None:
    """Exchange signals and let data flow."""
    await sender.send(type="offer", data={"sdp": "private"})
    await receiver.receive()
    await receiver.send(type="answer", data={"sdp": "private"})
    await sender.receive()
    await sender.send(type="candidate", data={"candidate": "candidate:1 1 udp 1 192.0.2.77 5000 typ srflx"})
    await receiver.receive()
    await sender.send(type="started", method=method)
    await server.wait_for_value("active_transfers", 1)


async def report(server: RunningServer, peer: Peer, outcome: str, **metrics: Any) -> None:
    rows = {"transfers_total": [counter(1, status=outcome, method="p2p")], **metrics}
    answer = await server.report(peer.joined["telemetry_token"], rows)
    assert answer.status_code == 200, answer.text


async def test_a_transfer_sends_each_step_once(counted: RunningServer, plausible: FakePlausible) -> None:
    sender, receiver = await counted.pair()
    await transfer(counted, sender, receiver)
    await sender.send(type="candidate", data={"candidate": "192.0.2.78"})
    await receiver.receive()
    await report(counted, sender, "success", feature_usage_total=[counter(1, feature="send")])
    names = await sent(counted, plausible)
    steps = [
        "file_chosen",
        "link_opened",
        "peers_met",
        "signals_exchanged",
        "candidates_gathered",
        "connected",
    ]
    assert [step["step"] for step in events(plausible, "Session step")] == steps
    assert [name for name in names if name not in {"Session step", "Session", "Feature"}] == [
        "Transfer: start",
        "Transfer: file",
        "Link opened",
        "Connection: start",
        "Connection: signals",
        "Connection: candidates",
        "Connection: connected",
        "Transfer: peer",
        "Transfer: complete",
        "Transfer completed",
        "Engagement",
    ]
    assert events(plausible, "Feature") == [{"feature": "send", "stage": "used"}]
    [ended] = events(plausible, "Session")
    assert (ended["result"], ended["last_step"]) == ("completed", "connected")
    feature = {"feature_usage_total": [counter(1, feature="receive")]}
    assert (await counted.report(receiver.joined["telemetry_token"], feature)).status_code == 200
    await sent(counted, plausible)
    assert {"feature": "receive", "stage": "used"} in events(plausible, "Feature")
    assert len(events(plausible, "Session")) == 1
    assert events(plausible, "Transfer: peer") == [{"method": "p2p"}]


async def test_candidates_before_the_answer_count_after_it(
    counted: RunningServer, plausible: FakePlausible
) -> None:
    """Browsers send them as they find them; the steps keep their order."""
    sender, receiver = await counted.pair()
    for peer, other, kind in (
        (sender, receiver, "offer"),
        (sender, receiver, "candidate"),
        (receiver, sender, "answer"),
        (receiver, sender, "candidate"),
    ):
        await peer.send(type=kind, data={"attempt": "1", "sealed": "private"})
        await other.receive()
    names = await sent(counted, plausible)
    steps = [name for name in names if name.startswith("Connection: ")]
    assert steps == ["Connection: start", "Connection: signals", "Connection: candidates"]


async def test_an_installation_is_a_goal_however_much_a_report_holds(
    counted: RunningServer, plausible: FakePlausible
) -> None:
    """The metrics of a page's report are more than the events that one report may cause."""
    sender, _ = await counted.pair()
    errors = [
        counter(1, type=kind, severity=severity)
        for kind in ("network", "crypto", "transfer", "validation", "auth", "storage", "signaling")
        for severity in ("low", "medium", "high")
    ]
    await report(
        counted, sender, "failed", errors_total=errors, pwa_installs_total=[counter(1, platform="desktop")]
    )
    await sent(counted, plausible)
    assert events(plausible, "App installed") == [{"platform": "desktop"}]


@pytest.mark.parametrize(("channel", "times"), [("webrtc", 1), ("tcp", 1), ("relay", 0)])
async def test_candidates_of_a_direct_channel_are_counted_after_the_answer(
    counted: RunningServer, plausible: FakePlausible, channel: str, times: int
) -> None:
    sender, receiver = await counted.pair()
    for peer, other, kind in ((sender, receiver, "offer"), (receiver, sender, "answer")) * 2:
        await peer.send(type=kind, data={"attempt": "1", "channel": channel, "sealed": "private"})
        await other.receive()
    names = await sent(counted, plausible)
    assert names.count("Connection: candidates") == times
    assert names.count("Connection: signals") == 1
    if times:
        assert names.index("Connection: candidates") > names.index("Connection: signals")


async def test_a_failure_is_sent_with_its_type(counted: RunningServer, plausible: FakePlausible) -> None:
    sender, _ = await counted.pair()
    await report(counted, sender, "failed", errors_total=[counter(1, type="crypto", severity="high")])
    names = await sent(counted, plausible)
    assert events(plausible, "Transfer: fail") == [{"reason": "crypto"}]
    assert "Connection: fail" in names
    assert [ended["result"] for ended in events(plausible, "Session")] == ["failed"]


@pytest.mark.parametrize("role", ["sender", "receiver"])
async def test_nothing_is_sent_after_a_peer_objected(
    counted: RunningServer, plausible: FakePlausible, role: str
) -> None:
    token = b"t" * 32
    room = await counted.room(token)
    peers = [
        await counted.join(room, token, each, **({"do_not_track": True} if each == role else {}))
        for each in ("sender", "receiver")
    ]
    await peers[0].receive()
    before = len(await sent(counted, plausible))
    await transfer(counted, peers[0], peers[1])
    await report(counted, peers[0], "success")
    assert len(await sent(counted, plausible)) == before


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
async def test_the_headers_of_a_browser_are_respected(
    counted: RunningServer, plausible: FakePlausible, header: str
) -> None:
    counted.http.headers[header] = "1"
    await counted.room(b"t" * 32)
    assert await sent(counted, plausible) == []


async def test_events_hold_nothing_of_room_or_signals(
    counted: RunningServer, plausible: FakePlausible
) -> None:
    sender, receiver = await counted.pair()
    await transfer(counted, sender, receiver)
    await report(counted, sender, "success")
    await sent(counted, plausible)
    found = str(plausible.events)
    for private in (sender.joined["room"], sender.joined["rejoin_key"], "192.0.2.77", "private"):
        assert private not in found
    assert sender.joined["correlation_id"] not in found


@pytest.fixture
def tracker() -> Iterator[FakeSentry]:
    with sentry_endpoint() as running:
        settings = MonitoringSettings.load(sentry_dsn=running.dsn, sentry_traces_sample_rate=1)
        assert sentry.init_monitoring(settings, metrics=fresh_metrics())
        yield running
        sentry.close()


def transactions(tracker: FakeSentry, name: str) -> list[dict[str, Any]]:
    return [found for found in tracker.payloads("transaction") if found["transaction"] == name]


@pytest.mark.parametrize(("outcome", "status"), [("success", "ok"), ("failed", "internal_error")])
async def test_a_transfer_is_one_transaction_in_sentry(
    tracker: FakeSentry, tmp_path: Path, outcome: str, status: str
) -> None:
    async with serving(tmp_path) as server:
        sender, receiver = await server.pair()
        await transfer(server, sender, receiver)
        await report(server, sender, outcome)
        await asyncio.sleep(0)  # the task of the transaction ends
    await asyncio.to_thread(sentry.flush, 10)
    [trace] = transactions(tracker, "transfer")
    context = trace["contexts"]["trace"]
    assert (context["op"], context["status"], context["data"]["result"]) == ("transfer", status, outcome)
    assert trace["contexts"]["transfer"]["method"] == "p2p"
    assert trace["tags"]["correlation_id"] == sender.joined["correlation_id"]


async def test_a_transfer_that_could_not_start_is_a_failed_transaction(
    tracker: FakeSentry, tmp_path: Path
) -> None:
    async with serving(tmp_path) as server:
        sender, _receiver = await server.pair()
        await report(server, sender, "failed")
        await asyncio.sleep(0)  # the task of the transaction ends
    await asyncio.to_thread(sentry.flush, 10)
    [trace] = transactions(tracker, "transfer")
    assert trace["contexts"]["trace"]["status"] == "internal_error"
    assert "method" not in trace["contexts"]["transfer"]
    assert trace["tags"]["correlation_id"] == sender.joined["correlation_id"]


async def test_connections_and_api_calls_are_in_sentry(tracker: FakeSentry, tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        sender, receiver = await server.pair()
        for socket in await server.relayed(sender, receiver):
            await socket.close()
    await asyncio.to_thread(sentry.flush, 10)
    found = str(tracker.payloads("transaction"))
    for name in ("connect websocket", "connect relay"):
        assert name in found
    [created] = transactions(tracker, "/api/rooms")
    trace = created["contexts"]["trace"]
    assert (trace["op"], trace["data"]["result"]) == ("http.server", "success")
    assert "http.client" not in {span["op"] for span in created["spans"]}
    assert sender.joined["room"] not in found
