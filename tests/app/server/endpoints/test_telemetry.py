"""Telemetry reports: valid ones are recorded, all others are refused as a whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from support.registries import tallow_metrics
from support.transfers.server import Peer, RunningServer, serving
from tallow.app.server.limits.report_quota import MAX_REJECTED_REPORTS, QUOTAS
from tallow.app.wire import MAX_REPORT_BYTES, REPORTED_METRICS
from tallow.monitoring.catalog import METRICS

pytestmark = pytest.mark.slow


def sender_report(status: str = "success") -> dict[str, Any]:
    """The metrics that a sender reports of one transfer."""
    metrics = tallow_metrics()
    metrics.record_transfer(status, "relay", 1_000_000, 0.5, "image/png")
    metrics.record_chunk_transfer("relay", "sent", 250_000, 0.01)
    metrics.record_key_exchange("success", "x25519_mlkem768")
    return metrics.registry.snapshot(REPORTED_METRICS)


async def start_transfer(server: RunningServer) -> tuple[Peer, Peer]:
    sender, receiver = await server.pair()
    await server.relayed(sender, receiver)
    await sender.send(type="started", method="relay")
    await server.wait_for_value("transfers_started_total", 1)
    return sender, receiver


async def test_a_report_is_recorded_once_and_returns_the_next_token(server: RunningServer) -> None:
    sender, _ = await start_transfer(server)
    token = sender.joined["telemetry_token"]
    answer = await server.report(token, sender_report(), outcome="success")
    assert answer.status_code == 200, answer.text
    assert answer.json()["next"] != token
    assert server.value("transfers_total", status="success", method="relay") == 1
    assert server.value("file_size_bytes_count", file_type="image") == 1
    assert server.value("bytes_transferred_total", direction="sent") == 250_000
    assert server.value("pqc_key_exchanges_total", algorithm="x25519_mlkem768", status="success") == 1
    assert server.value("client_reports_total", outcome="accepted") == 1
    assert (await server.report(token, sender_report())).status_code == 401  # spent
    assert server.value("transfers_total", status="success", method="relay") == 1


async def test_a_transfer_has_one_outcome(server: RunningServer) -> None:
    sender, receiver = await start_transfer(server)
    next_token = (await server.report(sender.joined["telemetry_token"], sender_report())).json()["next"]
    again = await server.report(next_token, sender_report("failed"))
    assert (again.status_code, again.json()["error"]) == (400, "bad_report")
    from_receiver = await server.report(receiver.joined["telemetry_token"], sender_report("failed"))
    assert from_receiver.status_code == 400
    assert server.value("transfers_total", status="failed", method="relay") == 0
    assert server.value("client_reports_total", outcome="rejected") == 2


async def test_a_report_without_a_valid_token_changes_no_metric(server: RunningServer) -> None:
    await start_transfer(server)
    before = server.registry.snapshot(REPORTED_METRICS)
    body = {"version": 1, "metrics": sender_report()}
    for headers in ({}, {"authorization": "Bearer nonsense"}, {"authorization": "Basic x"}):
        answer = await server.http.post("/api/telemetry", json=body, headers=headers)
        assert answer.status_code == 401
    assert server.registry.snapshot(REPORTED_METRICS) == before
    assert server.value("client_reports_total", outcome="rejected") == 0


async def test_a_success_is_refused_before_the_transfer_has_started(server: RunningServer) -> None:
    sender, _ = await server.pair()
    assert (await server.report(sender.joined["telemetry_token"], sender_report())).status_code == 400


def rows(name: str, labels: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    return {name: [{"labels": labels, **values}]}


ERROR = {"type": "network", "severity": "low"}
CHUNK = {"method": "relay"}
BUCKETS = len(METRICS["chunk_transfer_duration_seconds"].buckets) + 1
INVALID: dict[str, Any] = {
    "no object": [],
    "unknown metric": {"tallow_x": []},
    "a metric of the server": rows("http_request_duration_seconds", {}, value=1),
    "a gauge": rows("active_transfers", {}, value=1),
    "redactions": rows("pii_redactions_total", {"kind": "email"}, value=1),
    "critical": rows("errors_total", ERROR | {"severity": "critical"}, value=1),
    "unlisted value": rows("errors_total", ERROR | {"type": "gremlins"}, value=1),
    "label missing": rows("errors_total", {"type": "network"}, value=1),
    "label too many": rows("errors_total", ERROR | {"room": "x"}, value=1),
    "label that is no string": rows("errors_total", ERROR | {"type": ["network"]}, value=1),
    "negative": rows("errors_total", ERROR, value=-1),
    "fraction": rows("errors_total", ERROR, value=0.5),
    "boolean": rows("errors_total", ERROR, value=True),
    "text": rows("errors_total", ERROR, value="1"),
    "huge": rows("errors_total", ERROR, value=1e300),
    "no rows": {"errors_total": []},
    "repeated row": {"errors_total": [{"labels": ERROR, "value": 1}] * 2},
    "too many at once": rows("errors_total", ERROR, value=10_000),
    "buckets missing": rows("chunk_transfer_duration_seconds", CHUNK, buckets=[1], sum=1),
    "sum against buckets": rows(
        "chunk_transfer_duration_seconds", CHUNK, buckets=[1] + [0] * (BUCKETS - 1), sum=50
    ),
    "longer than the room": rows(
        "chunk_transfer_duration_seconds", CHUNK, buckets=[0] * (BUCKETS - 1) + [1], sum=1e6
    ),
    "the other peer's bytes": rows("bytes_transferred_total", {"direction": "received"}, value=1),
    "bytes without chunks": rows("bytes_transferred_total", {"direction": "sent"}, value=10**9),
    "two outcomes": rows("transfers_total", {"status": "failed", "method": "relay"}, value=2),
    "duration without outcome": rows(
        "transfer_duration_seconds",
        {"status": "failed", "size_category": "under_1mb"},
        buckets=[1] + [0] * len(METRICS["transfer_duration_seconds"].buckets),
        sum=0.05,
    ),
}


@pytest.mark.parametrize("metrics", INVALID.values(), ids=INVALID.keys())
async def test_an_invalid_metric_refuses_the_whole_report(server: RunningServer, metrics: Any) -> None:
    sender, _ = await start_transfer(server)
    before = server.registry.snapshot(REPORTED_METRICS)
    valid = rows("error_recoveries_total", {"type": "network"}, value=1)
    answer = await server.report(
        sender.joined["telemetry_token"], metrics | valid if isinstance(metrics, dict) else metrics
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_report")
    assert "gremlins" not in answer.text
    assert server.registry.snapshot(REPORTED_METRICS) == before
    assert server.value("client_reports_total", outcome="rejected") == 1


@pytest.mark.parametrize(
    "content", [b"", b"[", b"null", b"[" * 30_000, b'{"version":1}', b'{"version":2,"metrics":{}}', b"\xff"]
)
async def test_a_body_that_is_no_report_is_refused(server: RunningServer, content: bytes) -> None:
    sender, _ = await server.pair()
    headers = {"authorization": f"Bearer {sender.joined['telemetry_token']}"}
    assert (await server.http.post("/api/telemetry", content=content, headers=headers)).status_code == 400


async def test_a_body_above_the_limit_is_refused(server: RunningServer) -> None:
    sender, _ = await server.pair()
    headers = {"authorization": f"Bearer {sender.joined['telemetry_token']}"}
    answer = await server.http.post("/api/telemetry", content=b" " * (MAX_REPORT_BYTES + 1), headers=headers)
    assert answer.status_code == 413


async def test_an_endless_body_is_answered_with_413_and_the_connection_is_closed(
    server: RunningServer,
) -> None:
    sender, _ = await server.pair()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
    token = sender.joined["telemetry_token"]
    head = f"POST /api/telemetry HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
    with pytest.raises(ConnectionError):
        while True:
            writer.write(b"1000\r\n" + b" " * 4096 + b"\r\n")
            await writer.drain()
    with suppress(ConnectionError):
        assert b"413" in await reader.readline()
    writer.transport.abort()


async def test_the_token_is_revoked_after_too_many_invalid_reports(server: RunningServer) -> None:
    sender, _ = await server.pair()
    token = sender.joined["telemetry_token"]
    for _ in range(MAX_REJECTED_REPORTS):
        assert (await server.report(token, {"x": 1})).status_code == 400
    assert (await server.report(token, {})).status_code == 401


async def test_samples_above_the_quota_are_dropped_and_counted(server: RunningServer) -> None:
    sender, _ = await server.pair()
    quota = QUOTAS["errors_total"].once
    token = sender.joined["telemetry_token"]
    for _ in range(3):
        token = (await server.report(token, rows("errors_total", ERROR, value=quota - 1))).json()["next"]
    assert server.value("errors_total", **ERROR) == quota - 1
    assert server.value("telemetry_dropped_total", pipeline="client", reason="rate_limited") == 2


async def test_failures_of_one_address_are_recorded_up_to_its_quota_whatever_the_room(tmp_path: Path) -> None:
    reports = 6
    async with serving(tmp_path, trusted_proxies="127.0.0.1", failures_per_address=2) as server:
        for number in range(reports):
            server.http.headers["x-forwarded-for"] = f"2001:db8:1:{number:x}::1"  # of one /48
            sender, receiver = await server.pair()
            await server.report(sender.joined["telemetry_token"], sender_report("failed"))
            failed = rows(
                "webrtc_connections_total", {"type": "direct", "status": "failed"}, value=1
            )  # of the other side of the room, from the same address
            await server.report(receiver.joined["telemetry_token"], failed)
        assert server.value("transfers_total", status="failed", method="relay") == 2
        assert server.value("webrtc_connections_total", type="direct", status="failed") == 2
        # Of a refused report the outcome, its duration, and the connection of the other side are left out.
        dropped = server.value("telemetry_dropped_total", pipeline="client", reason="rate_limited")
        assert dropped == 3 * (reports - 2)
        server.http.headers["x-forwarded-for"] = "2001:db8:2::1"
        sender, _ = await server.pair()
        await server.report(sender.joined["telemetry_token"], sender_report("failed"))
        assert server.value("transfers_total", status="failed", method="relay") == 3


async def test_the_rate_of_reports_of_an_address_is_limited(tmp_path: Path) -> None:
    async with serving(tmp_path, reports_per_minute=2) as server:
        statuses = [(await server.report("nonsense", {})).status_code for _ in range(4)]
        assert statuses == [401, 401, 429, 429]
        sender, _ = await server.pair()
        answer = await server.report(sender.joined["telemetry_token"], {})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert server.value("client_reports_total", outcome="rate_limited") == 1


async def test_no_report_adds_a_series(server: RunningServer) -> None:
    sender, _ = await start_transfer(server)
    reported = {metric.full_name for metric in REPORTED_METRICS.values()}

    def series() -> int:
        return sum(count for name, count in server.registry.live_series() if name in reported)

    before = series()
    token = sender.joined["telemetry_token"]
    for number in range(5):
        labels = {"feature": f"hostile-{number}"}
        assert (await server.report(token, rows("feature_usage_total", labels, value=1))).status_code == 400
    assert (await server.report(token, json.loads(json.dumps(sender_report())))).status_code == 200
    assert series() == before


async def test_a_report_from_a_page_of_another_site_is_refused(server: RunningServer) -> None:
    sender, _ = await server.pair()
    headers = {
        "authorization": f"Bearer {sender.joined['telemetry_token']}",
        "origin": "https://evil.example",
    }
    answer = await server.http.post("/api/telemetry", json={"version": 1, "metrics": {}}, headers=headers)
    assert answer.status_code == 403
