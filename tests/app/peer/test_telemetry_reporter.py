"""Telemetry reports of a peer: differences, one-time tokens, no personal data."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from support.transfers.server import RunningServer
from tallow.app.peer.server_client import ServerClient, tls_context
from tallow.app.peer.telemetry_reporter import TelemetryReporter, difference, new_metrics
from tallow.app.wire import REPORTED_METRICS
from tallow.monitoring.metrics import Metrics


def snapshot(metrics: Metrics) -> dict[str, Any]:
    return metrics.registry.snapshot(tuple(REPORTED_METRICS))


def test_a_difference_holds_what_was_added() -> None:
    metrics = new_metrics()
    metrics.record_chunk_transfer("relay", "sent", 100, 0.02)
    metrics.record_error("network", "low")
    before = snapshot(metrics)
    assert difference(before, before) == {}
    metrics.record_chunk_transfer("relay", "sent", 50, 0.3)
    added = difference(snapshot(metrics), before)
    assert added.keys() == {"bytes_transferred_total", "chunk_transfer_duration_seconds"}
    assert added["bytes_transferred_total"][0]["value"] == 50
    [chunks] = added["chunk_transfer_duration_seconds"]
    assert sum(chunks["buckets"]) == 1
    assert chunks["sum"] == pytest.approx(0.3)


async def test_each_report_continues_from_the_accepted_one(server: RunningServer) -> None:
    sender, _ = await server.pair()
    metrics = new_metrics()
    async with ServerClient(server.url, tls_context()) as client:
        telemetry = TelemetryReporter(client, metrics, enabled=True)
        telemetry.set_token(sender.joined["telemetry_token"], sender.joined["correlation_id"])
        for _ in range(3):
            metrics.record_chunk_transfer("relay", "sent", 10, 0.01)
            assert await telemetry.report()
        assert await telemetry.report()  # nothing to report
    assert server.value("bytes_transferred_total", direction="sent") == 30
    assert server.value("client_reports_total", outcome="accepted") == 3


async def test_the_rest_of_a_report_is_accepted_after_its_outcome_was_counted(server: RunningServer) -> None:
    sender, _ = await server.pair()
    room = next(iter(server.context.rooms.live.values()))
    await server.context.rooms.conclude(room, "failed")
    metrics = new_metrics()
    metrics.record_chunk_transfer("relay", "sent", 10, 0.01)
    metrics.record_transfer("success", "relay", 10, 0.01)
    async with ServerClient(server.url, tls_context()) as client:
        telemetry = TelemetryReporter(client, metrics, enabled=True)
        telemetry.set_token(sender.joined["telemetry_token"], sender.joined["correlation_id"])
        assert await telemetry.report_final()
    assert server.value("bytes_transferred_total", direction="sent") == 10
    assert server.value("transfers_total", status="success", method="relay") == 0


async def test_a_report_that_failed_is_sent_again(server: RunningServer) -> None:
    sender, _ = await server.pair()
    metrics = new_metrics()
    async with ServerClient(server.url, tls_context()) as client:
        telemetry = TelemetryReporter(client, metrics, enabled=True)
        telemetry.set_token(sender.joined["telemetry_token"], sender.joined["correlation_id"])
        limiter = server.context.report_limiter
        while not limiter.take(server.context.address_hasher.key({"client": ("127.0.0.1", 1)})):
            pass
        metrics.record_chunk_transfer("relay", "sent", 10, 0.01)
        assert not await telemetry.report()
        limiter._buckets.clear()
        assert await telemetry.report()
    assert server.value("bytes_transferred_total", direction="sent") == 10


async def test_an_unreachable_server_does_not_fail_a_report() -> None:
    metrics = new_metrics()
    metrics.record_error("network", "low")
    async with ServerClient("http://127.0.0.1:1", tls_context()) as client:
        telemetry = TelemetryReporter(client, metrics, enabled=True)
        telemetry.set_token("token", "0" * 32)
        assert not await telemetry.report_final()


async def test_reports_and_rooms_carry_the_correlation_id(server: RunningServer) -> None:
    seen: list[str | None] = []

    async def watch(request: httpx.Request) -> None:
        seen.append(request.headers.get("x-request-id"))

    sender, _ = await server.pair()
    metrics = new_metrics()
    metrics.record_error("network", "low")
    async with ServerClient(server.url, tls_context()) as client:
        client._http.event_hooks["request"].append(watch)
        telemetry = TelemetryReporter(client, metrics, enabled=True)
        telemetry.set_token(sender.joined["telemetry_token"], sender.joined["correlation_id"])
        await telemetry.report()
    assert seen == [sender.joined["correlation_id"]]
