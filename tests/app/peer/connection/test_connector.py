"""The choice of a channel, directly or over the relay, and its metrics."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.transfers.peers import (
    DIRECT,
    RELAYED,
    SHORT_WAITS,
    TCP,
    WEBRTC,
    RunningPeer,
    receive,
    send,
    transfer_files,
)
from support.transfers.server import RunningServer
from tallow.app.channels.channel import ConnectionQuality
from tallow.app.channels.tcp.addresses import dialling_order
from tallow.app.peer.connection.connector import quality_score
from tallow.app.peer.errors import PeerError

pytestmark = pytest.mark.slow

SIZE = 3_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "song.mp3"
    file.write_bytes(os.urandom(SIZE))
    return file


@pytest.mark.slow
async def test_a_transfer_over_webrtc_moves_its_metrics_and_no_others(
    server: RunningServer, path: Path, tmp_path: Path
) -> None:
    await transfer_files(server.url, [path], tmp_path / "out", options=WEBRTC)
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    value = server.value
    assert value("transfers_total", status="success", method="p2p") == 1
    assert value("transfers_total", status="success", method="relay") == 0
    assert value("transfer_speed_mbps_count", method="p2p") == 1
    assert value("webrtc_connections_total", type="direct", status="success") == 1
    assert value("webrtc_connections_total", type="direct", status="failed") == 0
    assert value("connection_establishment_seconds_count", type="direct") == 1
    assert value("nat_traversal_total", strategy="host", status="success") == 1
    assert value("connection_quality_score_count", type="direct") == 1
    assert value("connection_quality_score_sum", type="direct") > 90
    assert value("chunk_transfer_duration_seconds_count", method="relay") == 0
    for direction in ("sent", "received"):
        assert value("bytes_transferred_total", direction=direction) == SIZE
        assert value("bandwidth_utilization_mbps", direction=direction) == 0
    assert value("direct_connections_total", transport="webrtc", status="success") == 1
    assert value("direct_connections_total", transport="tcp", status="success") == 0
    assert value("active_connections", type="webrtc") == 0
    assert value("client_reports_total", outcome="rejected") == 0


async def test_a_transfer_over_tcp_moves_its_metrics_and_no_others(
    server: RunningServer, path: Path, tmp_path: Path
) -> None:
    await transfer_files(server.url, [path], tmp_path / "out", options=DIRECT)
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    value = server.value
    assert value("transfers_total", status="success", method="p2p") == 1
    assert value("direct_connections_total", transport="tcp", status="success") == 1
    assert value("direct_connections_total", transport="tcp", status="failed") == 0
    assert value("connection_establishment_seconds_count", type="direct") == 1
    assert value("connection_quality_score_count", type="direct") == 1
    assert value("connection_quality_score_sum", type="direct") > 90
    for direction in ("sent", "received"):
        assert value("bytes_transferred_total", direction=direction) == SIZE
    for name in ("webrtc_connections_total", "nat_traversal_total", "errors_total"):
        assert total(server, name) == 0
    assert value("client_reports_total", outcome="rejected") == 0


def total(server: RunningServer, name: str) -> float:
    """The sum of a metric's series."""
    return float(sum(row["value"] for row in server.registry.snapshot((name,)).get(name, ())))


async def test_without_a_direct_path_the_relay_is_used(
    server: RunningServer, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A network without a direct path: each side announces an address without a listener.
    monkeypatch.setattr("tallow.app.channels.ice.redact_addresses", nowhere)
    options = replace(WEBRTC, timing=replace(SHORT_WAITS, direct_timeout=0.5))
    await transfer_files(server.url, [path], tmp_path / "out", options=options)
    value = server.value
    assert value("transfers_total", status="success", method="relay") == 1
    assert value("webrtc_connections_total", type="direct", status="failed") == 1
    assert value("nat_traversal_total", strategy="host", status="failed") == 1
    assert value("direct_connections_total", transport="webrtc", status="failed") == 1
    assert value("errors_total", type="network", severity="low") == 1
    assert value("error_recoveries_total", type="network") >= 1
    assert value("connection_establishment_seconds_count", type="direct") == 0


async def test_without_a_direct_path_over_tcp_the_relay_is_used_after_the_head_start(
    server: RunningServer, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A firewall that drops what comes in on both sides: nothing can be dialled.
    monkeypatch.setattr("tallow.app.channels.tcp.connect.dialling_order", lambda *_, **__: [])
    options = replace(TCP, timing=replace(SHORT_WAITS, head_start=0.5))
    await transfer_files(server.url, [path], tmp_path / "out", options=options)
    value = server.value
    assert value("transfers_total", status="success", method="relay") == 1
    assert value("direct_connections_total", transport="tcp", status="failed") == 1
    assert value("errors_total", type="network", severity="low") == 1
    assert value("error_recoveries_total", type="network") == 1
    assert value("connection_establishment_seconds_count", type="direct") == 0


async def test_one_side_that_can_be_dialled_is_enough(
    server: RunningServer, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = dialling_order, []

    def one_side(*args: Any, **more: Any) -> Any:
        calls.append(args)
        return real(*args, **more) if len(calls) == 1 else []

    monkeypatch.setattr("tallow.app.channels.tcp.connect.dialling_order", one_side)
    await transfer_files(server.url, [path], tmp_path / "out", options=TCP)
    assert server.value("transfers_total", status="success", method="p2p") == 1
    assert len(calls) == 2


async def test_a_direct_transfer_does_not_use_the_relay_of_the_server(
    server: RunningServer, path: Path, tmp_path: Path
) -> None:
    options = replace(TCP, timing=replace(SHORT_WAITS, relay_delay=5, head_start=6))
    await transfer_files(server.url, [path], tmp_path / "out", options=options)
    assert server.value("transfers_total", status="success", method="p2p") == 1
    assert server.value("websocket_duration_seconds_count", route="/api/signal") == 2
    assert server.value("websocket_duration_seconds_count", route="/api/relay") == 0


def nowhere(description: str) -> str:
    """A description whose only candidate is a documentation address (RFC 5737)."""
    lines = [line for line in description.split("\r\n") if not line.startswith("a=candidate:")]
    at = next(index for index, line in enumerate(lines) if line.startswith("a=end-of-candidates"))
    lines.insert(at, "a=candidate:1 1 udp 2130706431 192.0.2.7 9 typ host")
    return "\r\n".join(lines)


async def test_a_receiver_can_require_the_relay(server: RunningServer, path: Path, tmp_path: Path) -> None:
    sender = await send(server.url, [path], options=DIRECT)
    receiver = receive(sender.link, tmp_path / "out", options=RELAYED)
    await asyncio.gather(sender.task, receiver.task)
    assert server.value("transfers_total", status="success", method="relay") == 1
    for status in ("success", "failed"):
        assert server.value("webrtc_connections_total", type="direct", status=status) == 0


async def test_relay_preference_without_turn_uses_the_relay(
    server: RunningServer, path: Path, tmp_path: Path
) -> None:
    hiding = replace(DIRECT, relay="relay")
    await transfer_files(server.url, [path], tmp_path / "out", options=hiding)
    assert server.value("transfers_total", status="success", method="relay") == 1


@pytest.mark.parametrize("who", ["sender", "receiver"])
async def test_direct_preference_without_a_direct_path_fails(
    server: RunningServer, path: Path, tmp_path: Path, who: str
) -> None:
    only_direct = replace(DIRECT, relay="direct")
    sides = {"sender": RELAYED, "receiver": RELAYED} | {who: only_direct}
    sender = await send(server.url, [path], options=sides["sender"])
    receiver = receive(sender.link, tmp_path / "out", options=sides["receiver"])
    error = await sender.wait_for_error()
    assert isinstance(error, PeerError)
    assert "no direct connection" in str(error)
    assert "gave up" in str(await receiver.wait_for_error())


async def test_a_direct_transfer_is_cancelled(server: RunningServer, tmp_path: Path) -> None:
    big = tmp_path / "big.bin"
    big.write_bytes(os.urandom(40_000_000))
    sender = await send(server.url, [big], options=DIRECT)
    receiver: RunningPeer = receive(sender.link, tmp_path / "out", options=DIRECT)
    await receiver.wait_for_event("progress")
    sender.task.cancel()
    await sender.wait_for_error()
    assert "the other side stopped" in str(await receiver.wait_for_error())
    assert server.value("transfers_total", status="cancelled", method="p2p") == 1


@pytest.mark.parametrize(
    ("round_trip_s", "loss", "expected"),
    [(0, 0, 100), (0.1, 0, 90), (0, 0.02, 95), (9, 0, 50), (9, 1, 0)],
)
def test_quality_falls_with_round_trip_and_loss(round_trip_s: float, loss: float, expected: float) -> None:
    assert quality_score(ConnectionQuality(round_trip_s, loss)) == pytest.approx(expected)
