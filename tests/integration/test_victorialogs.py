"""A real VictoriaLogs stores shipped lines through Loki's push API and as JSON lines."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest

from support.programs.go_programs import go_program
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.shipping import Shipper

pytestmark = pytest.mark.proof

PACKAGE = "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs"
VERSION = "v1.52.2"
START_TIMEOUT_S = 120
COUNT = 1200
TENANT = "AccountID=7"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def wait_until_ready(address: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/health", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("VictoriaLogs did not start")


@pytest.fixture(scope="module")
def victorialogs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running VictoriaLogs."""
    program = go_program(PACKAGE, VERSION)
    folder = tmp_path_factory.mktemp("victorialogs")
    port = free_port()
    flags = [f"-storageDataPath={folder}", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([str(program), *flags], stdout=log, stderr=log)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def lines(run: str) -> list[bytes]:
    """Lines of a few milliseconds, every second one equal to its neighbour."""
    stamps = [f"2026-01-02T03:04:05.{number // 500:03}Z" for number in range(COUNT)]
    return [
        orjson.dumps(
            {
                "timestamp": stamp,
                "level": "warning",
                "service": run,
                "environment": "test",
                "message": f"line {number // 2}",
                "correlation_id": "ab" * 16,
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for number, stamp in enumerate(stamps)
    ]


def ship(run: str, **given: Any) -> float:
    """Ship the lines and return how many were dropped."""
    metrics = Metrics(Registry())
    shipper = Shipper(MonitoringSettings.load(log_batch_size=100, **given), metrics)
    shipper.write(lines(run))
    shipper.close(time.monotonic() + 30)
    reasons = ("queue_full", "failed", "rejected")
    return sum(metrics.registry.value("telemetry_dropped_total", pipeline="logs", reason=r) for r in reasons)


def query(address: str, text: str, **headers: str) -> list[dict[str, str]]:
    """Return the rows of a query, after what was received has become visible."""
    httpx.get(f"{address}/internal/force_flush", trust_env=False).raise_for_status()
    answer = httpx.post(
        f"{address}/select/logsql/query",
        data={"query": text},
        headers=headers,
        trust_env=False,
        timeout=60,
    )
    return [orjson.loads(row) for row in answer.raise_for_status().content.splitlines()]


def test_every_line_arrives_through_loki_s_push_api_in_order_with_its_fields(victorialogs: str) -> None:
    run = "pushed"
    headers = f"VL-Msg-Field=message,{TENANT}"
    lost = ship(run, log_endpoint=f"{victorialogs}/insert/loki/api/v1/push", log_endpoint_headers=headers)
    assert lost == 0
    rows = query(victorialogs, f'{{service_name="{run}"}} | sort by (_time)', AccountID="7")
    assert [row["_msg"] for row in rows] == [f"line {number // 2}" for number in range(COUNT)]
    assert len({row["_time"] for row in rows}) == COUNT
    assert {(row["level"], row["correlation_id"]) for row in rows} == {("warning", "ab" * 16)}
    assert {row["_stream"] for row in rows} == {f'{{environment="test",service_name="{run}"}}'}
    assert query(victorialogs, f'{{service_name="{run}"}}') == []  # it belongs to another tenant


def test_every_line_arrives_as_json_lines(victorialogs: str) -> None:
    headers = "VL-Msg-Field=message,VL-Time-Field=timestamp,VL-Stream-Fields=service"
    lost = ship(
        "lines",
        log_endpoint=f"{victorialogs}/insert/jsonline",
        log_endpoint_kind="http",
        log_endpoint_headers=headers,
    )
    assert lost == 0
    rows = query(victorialogs, '{service="lines"}')
    assert len(rows) == COUNT
    assert {(row["level"], row["correlation_id"]) for row in rows} == {("warning", "ab" * 16)}


def test_a_wrong_path_is_reported_once_and_its_lines_are_counted(
    victorialogs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ship("lost", log_endpoint=f"{victorialogs}/insert/nothing") == COUNT
    assert capsys.readouterr().err.count("answers 400") == 1
