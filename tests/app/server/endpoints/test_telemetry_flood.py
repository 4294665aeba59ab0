"""One client reports failures within every quota of its rooms, all day: bounded in the metrics and in memory.

The clocks are simulated. The long test has a room each second, as the attack on a real server had.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from support.registries import tallow_metrics
from tallow.app.server.context import ServerContext
from tallow.app.server.endpoints.telemetry import TelemetryEndpoint
from tallow.app.server.limits.address_quota import WINDOW_S as QUOTA_WINDOW_S
from tallow.app.server.limits.address_quota import AddressQuota
from tallow.app.server.limits.client_address import ClientAddressHasher
from tallow.app.server.rooms.cache import MemoryCache
from tallow.app.server.rooms.client_outcomes import WINDOW_S as OUTCOME_WINDOW_S
from tallow.app.server.rooms.client_outcomes import ClientOutcomes
from tallow.app.server.rooms.manager import KEPT_S, LINGER_S, RoomManager
from tallow.app.server.settings import ServerSettings
from tallow.app.server.storage.outcome_store import OutcomeStore
from tallow.app.server.storage.room_store import SqlStore
from tallow.app.wire import REPORTED_METRICS, CloseReason, Role, ServerMessage

START = 1_800_000_000.0
DAY = 86_400
TOKEN = os.urandom(32)
KINDS = ("transfer", "connection", "key_exchange")
FAILED = {
    "transfers_total": {"status": "failed", "method": "p2p"},
    "webrtc_connections_total": {"type": "direct", "status": "failed"},
    "pqc_key_exchanges_total": {"algorithm": "x25519_mlkem768", "status": "failed"},
    "pqc_operations_total": {"operation": "keygen", "status": "failed"},
}
"""The failures that alerts read, with their labels."""


class Connection:
    """A socket that nobody reads."""

    async def send(self, message: ServerMessage) -> None:
        pass

    def end_with(self, reason: CloseReason) -> None:
        pass


class SimulatedServer:
    """The rooms and the telemetry endpoint of a server, with a clock that the test moves."""

    def __init__(self, folder: Path, **given: Any) -> None:
        self.now = 1_000.0
        settings = ServerSettings.load(data_dir=folder, **given)
        self.settings, self.metrics = settings, tallow_metrics()
        self.store = SqlStore(settings.database, self.metrics, clock=self.wall_clock)
        self.outcomes = ClientOutcomes(self.metrics, OutcomeStore(self.store.engine), self.wall_clock)
        quota = AddressQuota(settings, clock=self.clock)
        self.rooms = RoomManager(
            settings,
            self.metrics,
            self.store,
            MemoryCache(size=1_000, ttl=3600, clock=self.clock),
            clock=self.clock,
            wall_clock=self.wall_clock,
            outcomes=self.outcomes,
            address_quota=quota,
        )
        self.hasher = ClientAddressHasher()
        self.endpoint = TelemetryEndpoint(
            ServerContext(settings, self.metrics, self.store, self.rooms, self.hasher, self.outcomes, quota)
        )
        self.reported: Counter[str] = Counter()
        """Failures of each metric that were reported."""

    def clock(self) -> float:
        return self.now

    def wall_clock(self) -> float:
        return START + self.now

    async def attack_once(self, sender: str, receiver: str) -> None:
        """Open a room, report the most failures that both its peers may, and leave it."""
        networks = self.hasher.networks({"client": (sender, 1)})
        record = await self.rooms.create(sha256(TOKEN).hexdigest(), "0" * 32, networks)
        room = await self.rooms.open_room(record.id, TOKEN)
        assert room is not None
        sides: tuple[tuple[Role, str], ...] = (("sender", sender), ("receiver", receiver))
        for role, address in sides:
            cell = self.outcomes.cell(address)
            self.rooms.join(room, role, Connection(), "cli", None, cell=cell)
            report = {
                name: [{"labels": labels, "value": 1}]
                for name, labels in FAILED.items()
                if role == "sender" or name != "transfers_total"
            }
            report["errors_total"] = [{"labels": {"type": "crypto", "severity": "high"}, "value": 5}]
            self.reported.update(report.keys())
            body = json.dumps({"version": 1, "metrics": report}).encode()
            await self.endpoint.accept(room, role, body, cell)
        for member in list(room.members.values()):
            self.rooms.leave(room, member, None)

    def booked(self, name: str) -> float:
        """Failures of a metric that were recorded."""
        return self.metrics.value(name, **FAILED[name])

    def outcomes_counted(self, kind: str, status: str = "failed") -> float:
        return self.metrics.value("client_outcomes_total", kind=kind, status=status)


@pytest.fixture(params=[{}], ids=["defaults"])
async def server(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[SimulatedServer]:
    simulated = SimulatedServer(tmp_path, **request.param)
    await simulated.store.open()
    await simulated.outcomes.open()
    yield simulated
    await simulated.store.close()


async def flood(server: SimulatedServer, step: int, address: Callable[[int], str]) -> None:
    """A room every ``step`` seconds for a day; checks quotas and memory throughout."""
    limit = server.settings.failures_per_address
    series = server.metrics.registry.snapshot(REPORTED_METRICS).keys()
    booked: list[tuple[float, float]] = []
    counted: list[float] = []
    for number in range(DAY // step):
        before = server.outcomes_counted("transfer")
        await server.attack_once(address(2 * number), address(2 * number + 1))
        await server.rooms.run_due_tasks()
        if server.outcomes_counted("transfer") > before:
            counted.append(server.now)
        booked.append((server.now, server.booked("transfers_total")))
        assert len(server.rooms.places) == 0
        assert len(server.rooms.live) <= LINGER_S / step + 2
        server.now += step
    assert_at_most(limit, booked)
    assert all(second - first >= OUTCOME_WINDOW_S for first, second in pairwise(counted))
    assert 4 <= len(counted) <= 5
    assert server.metrics.registry.snapshot(REPORTED_METRICS).keys() >= series


def assert_at_most(limit: int, booked: list[tuple[float, float]]) -> None:
    """No window of the quota holds more than the limit."""
    first = 0
    for at, total in booked:
        while booked[first][0] <= at - QUOTA_WINDOW_S:
            first += 1
        before = booked[first - 1][1] if first else 0
        assert total - before <= limit


def assert_true_and_bounded(server: SimulatedServer) -> None:
    """Every reported sample was recorded, or dropped and counted; each kind of outcome moved rarely."""
    samples = sum(server.reported.values())
    errors = server.metrics.value("errors_total", type="crypto", severity="high") / 5
    recorded = sum(server.booked(name) for name in FAILED) + errors
    dropped = server.metrics.value("telemetry_dropped_total", pipeline="client", reason="rate_limited")
    assert recorded + dropped == samples
    assert dropped > 0
    for kind in KINDS:
        assert server.outcomes_counted(kind) <= DAY / OUTCOME_WINDOW_S + 1
        assert server.outcomes_counted(kind, "success") == 0
    assert len(server.outcomes._known) <= len(KINDS)
    assert len(server.endpoint._context.address_quota._limiter) <= len(FAILED) + 1


async def assert_nothing_is_left(server: SimulatedServer) -> None:
    """An hour after the last room nothing of them is in memory or in the database."""
    server.now += LINGER_S + 1
    await server.rooms.run_due_tasks()
    assert server.rooms.live == {}
    assert len(server.rooms.report_tokens) == len(server.rooms.relay_tickets) == 0
    server.now += KEPT_S + 1
    await server.store.sweep()
    assert await server.store.count() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "server", [{"failures_per_address": 2, "errors_per_address": 5}], indirect=True, ids=["low quotas"]
)
async def test_one_address_all_day(server: SimulatedServer) -> None:
    """A room every 100 seconds, above quotas that are lower than the defaults in the same proportion."""
    await flood(server, 100, lambda _number: "192.0.2.1")
    assert_true_and_bounded(server)
    await assert_nothing_is_left(server)


@pytest.mark.slow
async def test_a_burst_from_rotating_addresses_of_one_48(server: SimulatedServer) -> None:
    for number in range(100):
        await server.attack_once(f"2001:db8:7:{number:x}::1", f"2001:db8:7:{number:x}::2")
    assert server.booked("transfers_total") == server.settings.failures_per_address
    assert [server.outcomes_counted(kind) for kind in KINDS] == [1, 1, 1]
    assert_true_and_bounded(server)


async def test_a_room_with_somebody_else_charges_each_for_its_own_reports(server: SimulatedServer) -> None:
    for _ in range(server.settings.failures_per_address + 5):
        await server.attack_once("192.0.2.1", "198.51.100.1")
    assert server.booked("transfers_total") == server.settings.failures_per_address
    assert server.booked("webrtc_connections_total") == 2 * server.settings.failures_per_address
    assert (server.outcomes_counted("transfer"), server.outcomes_counted("connection")) == (1, 2)


@pytest.mark.proof
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "address",
    [lambda _number: "192.0.2.1", lambda number: f"2001:db8:7:{number % 65_536:x}::1"],
    ids=["one address", "addresses of one /48"],
)
async def test_a_room_each_second_for_a_day(server: SimulatedServer, address: Callable[[int], Any]) -> None:
    await flood(server, 1, address)
    assert_true_and_bounded(server)
    await assert_nothing_is_left(server)
