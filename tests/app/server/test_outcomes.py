"""Each transfer counts once, whoever reports it, dies, or stays silent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.transfers.server import Peer, RunningServer, serving
from tallow.app.wire import REPORTED_METRICS
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry

SOON = {"outcome_report_timeout": 0.3, "sender_reconnect_grace": 0.6}


def outcome(status: str) -> dict[str, Any]:
    metrics = Metrics(Registry())
    metrics.record_transfer(status, "relay", 10, 0.1)
    return metrics.registry.snapshot(REPORTED_METRICS)


async def begun(server: RunningServer) -> tuple[Peer, Peer]:
    sender, receiver = await server.pair()
    await server.relayed(sender, receiver)
    await sender.send(type="started", method="relay")
    await server.wait_for_value("active_transfers", 1)
    return sender, receiver


def counted(server: RunningServer) -> dict[str, float]:
    return {status: server.value("transfers_total", status=status, method="relay") for status in STATUSES}


STATUSES = ("success", "failed", "cancelled")


@pytest.mark.parametrize("status", STATUSES)
async def test_a_sender_without_telemetry_is_counted_by_its_goodbye(tmp_path: Path, status: str) -> None:
    async with serving(tmp_path, **SOON) as server:
        sender, _ = await begun(server)
        await sender.send(type="leave", outcome=status)
        await server.wait_for_value("transfers_total", 1, status=status, method="relay")
        assert sum(counted(server).values()) == 1
        assert server.value("active_transfers") == 0


async def test_a_goodbye_and_a_report_are_one_transfer(tmp_path: Path) -> None:
    async with serving(tmp_path, **SOON) as server:
        sender, receiver = await begun(server)
        await sender.send(type="leave", outcome="success")
        await receiver.send(type="leave", outcome="success")
        await server.wait_for_value("active_transfers", 0)
        report = await server.report(sender.joined["telemetry_token"], outcome("success"))
        assert report.status_code == 200
        await later(server, 2)
        assert counted(server) == {"success": 1, "failed": 0, "cancelled": 0}


async def test_a_sender_that_vanishes_has_failed(tmp_path: Path) -> None:
    async with serving(tmp_path, **SOON) as server:
        sender, _ = await begun(server)
        sender.socket.transport.abort()
        await server.wait_for_value("transfers_total", 1, status="failed", method="relay")
        assert server.value("active_transfers") == 0
        late = await server.report(sender.joined["telemetry_token"], outcome("success"))
        assert late.status_code == 400
        assert sum(counted(server).values()) == 1


async def test_a_sender_that_comes_back_in_time_has_not(tmp_path: Path) -> None:
    async with serving(tmp_path, **SOON) as server:
        sender, _ = await begun(server)
        room, token = server.made[-1]
        sender.socket.transport.abort()
        await server.wait_for_value("device_connections", 1, device_type="cli")
        back = await server.join(room, token, "sender")
        await later(server, 2)
        assert counted(server) == {"success": 0, "failed": 0, "cancelled": 0}
        assert (await server.report(back.joined["telemetry_token"], outcome("success"))).status_code == 200
        assert counted(server) == {"success": 1, "failed": 0, "cancelled": 0}


async def test_a_receiver_alone_decides_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, **SOON) as server:
        _, receiver = await begun(server)
        await receiver.send(type="leave", outcome="cancelled")
        await later(server, 2)
        assert sum(counted(server).values()) == 0
        assert server.value("active_transfers") == 1


async def test_a_pair_that_never_began_is_no_transfer(tmp_path: Path) -> None:
    async with serving(tmp_path, **SOON) as server:
        sender, receiver = await server.pair()
        assert server.value("transfer_queue_depth") == 1
        sender.socket.transport.abort()
        receiver.socket.transport.abort()
        await server.wait_for_value("transfer_queue_depth", 0)
        await later(server, 2)
        assert sum(counted(server).values()) == 0


async def later(server: RunningServer, ticks: int) -> None:
    """Let the server's clock go on past every wait of these tests."""
    clock = server.context.rooms.clock
    server.context.rooms.clock = lambda: clock() + 60
    for _ in range(ticks):
        await server.context.rooms.run_due_tasks()
