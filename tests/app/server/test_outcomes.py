"""Each transfer counts once: reported by the sender, or recorded by the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.registries import tallow_metrics
from support.transfers.server import Peer, RunningServer, serving
from tallow.app.wire import OUTCOMES, REPORTED_METRICS

pytestmark = pytest.mark.slow

SHORT_WAITS = {"outcome_report_timeout": 0.3, "sender_reconnect_grace": 0.6}
LONG_WAITS = {"outcome_report_timeout": 50, "sender_reconnect_grace": 50}
"""For peers that are in time, also on a loaded machine. :func:`run_tasks_later` passes them, too."""


def outcome_report(status: str) -> dict[str, Any]:
    metrics = tallow_metrics()
    metrics.record_transfer(status, "relay", 10, 0.1)
    return metrics.registry.snapshot(REPORTED_METRICS)


async def start_transfer(server: RunningServer) -> tuple[Peer, Peer]:
    sender, receiver = await server.pair()
    await server.relayed(sender, receiver)
    await sender.send(type="started", method="relay")
    await server.wait_for_value("active_transfers", 1)
    return sender, receiver


def recorded_outcomes(server: RunningServer) -> dict[str, float]:
    return {status: server.value("transfers_total", status=status, method="relay") for status in OUTCOMES}


@pytest.mark.parametrize("status", OUTCOMES)
async def test_the_outcome_of_a_leave_message_is_recorded_if_no_report_comes(
    tmp_path: Path, status: str
) -> None:
    async with serving(tmp_path, **SHORT_WAITS) as server:
        sender, _ = await start_transfer(server)
        await sender.send(type="leave", outcome=status)
        await server.wait_for_value("transfers_total", 1, status=status, method="relay")
        assert sum(recorded_outcomes(server).values()) == 1
        assert server.value("active_transfers") == 0


async def test_a_leave_message_and_a_report_count_once(tmp_path: Path) -> None:
    async with serving(tmp_path, **LONG_WAITS) as server:
        sender, receiver = await start_transfer(server)
        await sender.send(type="leave", outcome="success")
        await receiver.send(type="leave", outcome="success")
        await server.wait_for_value("active_transfers", 0)
        report = await server.report(sender.joined["telemetry_token"], outcome_report("success"))
        assert report.status_code == 200
        await run_tasks_later(server, 2)
        assert recorded_outcomes(server) == {"success": 1, "failed": 0, "cancelled": 0}


async def test_a_sender_that_disconnects_and_stays_away_has_failed(tmp_path: Path) -> None:
    async with serving(tmp_path, **SHORT_WAITS) as server:
        sender, _ = await start_transfer(server)
        sender.socket.transport.abort()
        await server.wait_for_value("transfers_total", 1, status="failed", method="relay")
        assert server.value("active_transfers") == 0
        late = await server.report(sender.joined["telemetry_token"], outcome_report("success"))
        assert late.status_code == 400
        assert sum(recorded_outcomes(server).values()) == 1


async def test_a_sender_that_rejoins_in_time_has_not_failed(tmp_path: Path) -> None:
    async with serving(tmp_path, **LONG_WAITS) as server:
        sender, _ = await start_transfer(server)
        room, token = server.made[-1]
        sender.socket.transport.abort()
        await server.wait_for_value("device_connections", 1, device_type="cli")
        back = await server.join(room, token, "sender")
        await run_tasks_later(server, 2)
        assert recorded_outcomes(server) == {"success": 0, "failed": 0, "cancelled": 0}
        assert (
            await server.report(back.joined["telemetry_token"], outcome_report("success"))
        ).status_code == 200
        assert recorded_outcomes(server) == {"success": 1, "failed": 0, "cancelled": 0}


async def test_a_receiver_does_not_set_the_outcome(tmp_path: Path) -> None:
    async with serving(tmp_path, **SHORT_WAITS) as server:
        _, receiver = await start_transfer(server)
        await receiver.send(type="leave", outcome="cancelled")
        await run_tasks_later(server, 2)
        assert sum(recorded_outcomes(server).values()) == 0
        assert server.value("active_transfers") == 1


async def test_a_pair_that_never_started_is_no_transfer(tmp_path: Path) -> None:
    async with serving(tmp_path, **SHORT_WAITS) as server:
        sender, receiver = await server.pair()
        assert server.value("transfer_queue_depth") == 1
        sender.socket.transport.abort()
        receiver.socket.transport.abort()
        await server.wait_for_value("transfer_queue_depth", 0)
        await run_tasks_later(server, 2)
        assert sum(recorded_outcomes(server).values()) == 0


def counted_clients(server: RunningServer, status: str) -> float:
    return server.value("client_outcomes_total", kind="transfer", status=status)


async def test_reports_of_one_address_count_one_outcome_of_a_client(tmp_path: Path) -> None:
    async with serving(tmp_path, **SHORT_WAITS) as server:
        for _ in range(3):
            sender, _ = await server.pair()
            await server.report(sender.joined["telemetry_token"], outcome_report("failed"))
        assert server.value("transfers_total", status="failed", method="relay") == 3
        assert counted_clients(server, "failed") == 1
        assert counted_clients(server, "success") == 0


async def test_reports_of_several_addresses_count_each_of_them(tmp_path: Path) -> None:
    async with serving(tmp_path, trusted_proxies="127.0.0.1", **SHORT_WAITS) as server:
        for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1"):
            server.http.headers["x-forwarded-for"] = address
            sender, _ = await server.pair()
            await server.report(sender.joined["telemetry_token"], outcome_report("failed"))
        assert counted_clients(server, "failed") == 3


@pytest.mark.parametrize(("status", "counted"), [("success", 1), ("failed", 1), ("cancelled", 0)])
async def test_the_outcome_of_a_leave_message_counts_for_the_sender_s_address(
    tmp_path: Path, status: str, counted: int
) -> None:
    async with serving(tmp_path, **SHORT_WAITS) as server:
        sender, _ = await start_transfer(server)
        await sender.send(type="leave", outcome=status)
        await server.wait_for_value("transfers_total", 1, status=status, method="relay")
        if counted:
            await server.wait_for_value("client_outcomes_total", 1, kind="transfer", status=status)
        await run_tasks_later(server, 1)
        assert counted_clients(server, "success") + counted_clients(server, "failed") == counted


async def test_a_leave_message_and_a_report_count_one_outcome_of_a_client(tmp_path: Path) -> None:
    async with serving(tmp_path, **SHORT_WAITS) as server:
        for _ in range(2):
            sender, _ = await server.pair()
            await sender.send(type="leave", outcome="failed")
            await server.report(sender.joined["telemetry_token"], outcome_report("failed"))
        await run_tasks_later(server, 2)
        assert counted_clients(server, "failed") == 1


async def test_a_lost_sender_counts_as_a_failure_of_its_address(tmp_path: Path) -> None:
    async with serving(tmp_path, **SHORT_WAITS) as server:
        sender, _ = await start_transfer(server)
        sender.socket.transport.abort()
        await server.wait_for_value("transfers_total", 1, status="failed", method="relay")
        await server.wait_for_value("client_outcomes_total", 1, kind="transfer", status="failed")
        assert counted_clients(server, "success") == 0


async def test_senders_that_vanish_use_up_the_quota_of_their_address(tmp_path: Path) -> None:
    async with serving(tmp_path, failures_per_address=2, **SHORT_WAITS) as server:
        for number in range(4):
            sender, receiver = await server.pair()
            await sender.send(type="started", method="p2p")
            await server.wait_for_value("transfers_started_total", number + 1)
            sender.socket.transport.abort()
            await receiver.socket.close()
        await server.wait_for_value("device_connections", 0, device_type="cli")
        await run_tasks_later(server, 2)
        assert server.value("transfers_total", status="failed", method="p2p") == 2
        assert server.value("telemetry_dropped_total", pipeline="client", reason="rate_limited") == 2


async def run_tasks_later(server: RunningServer, times: int) -> None:
    """Advance the server's clock past all waits of these tests, and run its periodic tasks."""
    clock = server.context.rooms.clock
    server.context.rooms.clock = lambda: clock() + 60
    for _ in range(times):
        await server.context.rooms.run_due_tasks()
