"""What Plausible and Sentry receive from a server with real peers: every step and transaction."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.transfers.demo_traffic import transfer_between_browsers
from support.transfers.peers import tallow
from support.transfers.server import Client, ServerProcess, tallow_serve
from tallow.app.peer.link import Link, token_hash
from tallow.app.wire import encode_base64url
from tallow.monitoring.testing import (
    FakePlausible,
    FakeSentry,
    find_leaks,
    plausible_endpoint,
    sentry_endpoint,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("demo_reports"),
]

FUNNEL_STEPS = (
    *("Transfer: start", "Transfer: file", "Transfer: peer", "Transfer: complete", "Transfer: fail"),
    *("Connection: start", "Connection: signals", "Connection: candidates", "Connection: connected"),
    "Connection: fail",
)
GOALS = ("Link opened", "Transfer completed")
SESSION_STEPS = (
    *("file_chosen", "link_opened", "peers_met", "signals_exchanged", "candidates_gathered", "connected"),
)
ADDRESSES = ("203.0.113.77", "2001:db8:4::77", "198.51.100.78")
"""Of a client behind a proxy, and in an ICE candidate."""
MAX_LINES = 12
"""Of a transfer in the server's log, with the demo's bad requests."""
MAX_LINE_BYTES = 400
OPENING = 11
"""Transfers that cover each scenario of the demo."""


@dataclass
class Received:
    """What both backends received.

    Attributes:
        planted: private values that went through the peers or the server.
        untracked: names of events up to the first room of a client that may be counted.
        outcomes: of the demo's transfers.
        log: lines of the server's log about the demo.
    """

    plausible: FakePlausible
    sentry: FakeSentry
    planted: list[str] = field(default_factory=list)
    untracked: list[str] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def properties(self, event: str, name: str) -> Counter[str]:
        """How often an event had each value of a property."""
        return Counter(
            found["props"].get(name, "") for _, found in self.plausible.events if found["name"] == event
        )

    def transactions(self, **wanted: str) -> list[dict[str, Any]]:
        """Transactions by the fields of their trace context."""
        return [
            found
            for found in self.sentry.payloads("transaction")
            if found["contexts"]["trace"].items() >= wanted.items()
        ]


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Received]:
    """A server's reports about real peers that object, real peers with planted values, and the demo."""
    folder = tmp_path_factory.mktemp("reports")
    with plausible_endpoint() as plausible, sentry_endpoint() as sentry:
        found = Received(plausible, sentry)
        asyncio.run(_run_peers(folder, found))
        yield found


async def _run_peers(folder: Path, found: Received) -> None:
    settings = {
        "PLAUSIBLE_HOST": found.plausible.url,
        "PLAUSIBLE_DOMAIN": "tallow.example.org",
        "SENTRY_DSN": found.sentry.dsn,
        "SENTRY_TRACES_SAMPLE_RATE": "1",
        "SENTRY_QUEUE_SIZE": "10000",
        "TRUSTED_PROXIES": "127.0.0.1",
        "LOG_FILE": str(folder / "tallow.log"),
    }
    async with tallow_serve(folder, **settings) as server:
        await _transfer_untracked(server, folder, found)
        found.planted += await _transfer_file(server, folder / "tracked")
        await _transfer_in_browsers(server, found)
        found.outcomes = await _run_demo(server.url, folder / "demo")
    found.log = [
        line for line in (folder / "tallow.log").read_text().splitlines() if '"correlation_id"' in line
    ]


async def _transfer_untracked(server: ServerProcess, folder: Path, found: Received) -> None:
    """Peers that object in each way, and then a room that is counted: events are delivered in order."""
    found.planted += await _transfer_file(server, folder / "untracked", DO_NOT_TRACK="1")
    for header in ("DNT", "Sec-GPC"):
        async with httpx.AsyncClient(base_url=server.url, headers={header: "1"}) as http:
            await Client(url=server.url, http=http).room(b"t" * 32)
    await server.room(b"t" * 32)
    await asyncio.to_thread(found.plausible.wait_for_requests, 1)
    found.untracked = found.plausible.names


async def _transfer_file(server: ServerProcess, home: Path, **environment: str) -> list[str]:
    """Send a file with `tallow send` and `tallow receive`; returns what nobody else may learn."""
    canary = secrets.token_hex(8)
    source = home / f"ledger-{canary}.txt"
    source.parent.mkdir(parents=True)
    source.write_text(f"confidential-{canary}\n" * 1000)
    sending = ("send", "--server", server.url, str(source))
    async with tallow(*sending, home=home / "sender", **environment) as sender:
        link = (await sender.wait_for_event("link"))["link"]
        receiving = ("receive", "-o", str(home / "in"))
        async with tallow(*receiving, home=home / "receiver", given=link, **environment) as receiver:
            assert (await sender.wait(), await receiver.wait()) == (0, 0), receiver.events
    assert (home / "in" / source.name).read_bytes() == source.read_bytes()
    parsed = Link.parse(link)
    return [
        *(canary, source.name, str(home), parsed.room, encode_base64url(parsed.secret), parsed.secret.hex()),
        *(token_hash(parsed.secret), parsed.join_token.hex(), encode_base64url(parsed.join_token)),
    ]


async def _transfer_in_browsers(server: ServerProcess, found: Received) -> None:
    """A transfer of clients with addresses that the server learns from its proxy and from candidates."""
    headers = {"x-forwarded-for": f"{ADDRESSES[0]}, {ADDRESSES[1]}", "referer": "https://example.org/secret"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers) as http:
        client = Client(url=server.url, http=http)
        await transfer_between_browsers(client)
        sender, receiver = await client.pair()
        line = f"candidate:1 1 udp 1 {ADDRESSES[2]} 5000 typ srflx"
        await sender.send(type="candidate", data={"candidate": line})
        await receiver.receive()
        for peer in (sender, receiver):
            found.planted += [peer.joined["room"], peer.joined["rejoin_key"], peer.joined["relay_ticket"]]
            await peer.socket.close()
    found.planted += ADDRESSES


async def _run_demo(url: str, home: Path) -> dict[str, int]:
    options = ("--transfers", str(OPENING), "--rate", "600", "--size", "300KB")
    async with tallow("demo", "--server", url, *options, home=home) as demo:
        assert await demo.wait() == 0, await demo.read_stderr()
    outcomes: dict[str, int] = demo.events[-1]["outcomes"]
    return outcomes


def test_the_demo_makes_transfers_of_each_outcome(received: Received) -> None:
    assert received.outcomes == {"success": 6, "cancelled": 2, "failed": 2, "refused": 1}
    assert (received.plausible.rejections, received.sentry.rejections) == ([], [])


@pytest.mark.parametrize("name", [*FUNNEL_STEPS, *GOALS, "Session", "Engagement", "Feature"])
def test_each_step_and_goal_arrives(received: Received, name: str) -> None:
    assert name in received.plausible.names


def test_events_carry_categories(received: Received) -> None:
    assert set(received.properties("Session step", "step")) == set(SESSION_STEPS)
    assert set(received.properties("Session", "result")) == {"completed", "failed", "abandoned"}
    assert set(received.properties("Transfer: complete", "method")) == {"p2p", "relay"}
    assert set(received.properties("Connection: connected", "path")) == {"direct", "relay"}
    assert set(received.properties("Transfer: fail", "reason")) == {"network", "transfer"}
    assert set(received.properties("Connection: fail", "reason")) == {"network"}
    assert {"send", "receive", "resume"} <= set(received.properties("Feature", "feature"))


def test_each_transfer_completes_once(received: Received) -> None:
    completed = received.plausible.names.count("Transfer: complete")
    tracked = received.outcomes["success"] + 2  # the planted file, and the browsers
    assert completed == tracked == received.plausible.names.count("Transfer completed")


def test_peers_that_object_are_not_counted(received: Received) -> None:
    assert received.untracked == ["Transfer: start"]


@pytest.mark.parametrize("status", ["ok", "internal_error", "cancelled"])
def test_transfers_are_transactions_with_context(received: Received, status: str) -> None:
    found = received.transactions(op="transfer", status=status)
    assert found
    assert all("correlation_id" in one["tags"] for one in found)
    contexts = [one["contexts"]["transfer"] for one in found]
    assert status == "internal_error" or all(one["method"] in {"p2p", "relay"} for one in contexts)


@pytest.mark.parametrize(
    ("path", "name", "context"),
    [
        ("/api/signal", "connect websocket", {"kind": "websocket", "state": "joined"}),
        ("/api/relay", "connect relay", {"kind": "relay", "path": "relay", "state": "paired"}),
    ],
)
def test_connections_are_measured_with_context(
    received: Received, path: str, name: str, context: dict[str, str]
) -> None:
    found = [one for one in received.transactions(op="websocket.server") if one["transaction"] == path]
    spans = [span for one in found for span in one["spans"] if span["op"] == "connection"]
    assert {span["description"] for span in spans} == {name}
    assert any(span["data"]["result"] == "success" for span in spans)
    assert any(one["contexts"].get("connection", {}).items() >= context.items() for one in found)


@pytest.mark.parametrize("route", ["/api/rooms", "/api/telemetry"])
def test_api_calls_are_transactions_of_a_server(received: Received, route: str) -> None:
    found = [one for one in received.transactions(op="http.server") if one["transaction"] == route]
    results = {one["contexts"]["trace"]["data"].get("result") for one in found}
    assert results == {"success", "failed"}  # the demo sends bad requests, too
    assert not any(span["op"].startswith("http") for one in found for span in one["spans"])


def test_a_transfer_causes_few_lines(received: Received) -> None:
    """Both peers join and leave, data starts, the outcome; a relay is paired and closed; and what failed."""
    transfers = OPENING + 4  # of the planted file, twice, and of the browsers, twice
    assert 5 * transfers < len(received.log) < MAX_LINES * transfers
    assert sum(map(len, received.log)) / len(received.log) < MAX_LINE_BYTES


def test_nothing_private_arrives(received: Received) -> None:
    assert len(received.planted) > 15
    for name, text in (("Plausible", received.plausible.text), ("Sentry", received.sentry.text)):
        assert find_leaks(received.planted, text) == [], name
