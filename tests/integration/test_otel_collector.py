"""A real OpenTelemetry Collector accepts metrics, logs and spans, and passes them on to a strict endpoint.

The Collector is built from its Go modules.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.programs.otel_collector import otel_collector
from support.stack import wait_until
from tallow.monitoring.testing.leak_search import assert_absent, find_leaks_in_files
from tallow.monitoring.testing.otlp import FakeOtlpEndpoint, otlp_endpoint

PROGRAM = Path(__file__).parents[1] / "support" / "otel_export.py"
TRACE = "0af7651916cd43dd8448eb211c80319c"
SECRETS = ["alice@mail.example", "rosebud-1941", "zanzibar", "203.0.113.9"]
CONFIGURATION = """
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}
exporters:
  debug: {{verbosity: detailed}}
  otlp_http: {{endpoint: "{target}", compression: gzip}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    metrics: {{receivers: [otlp], exporters: [debug, otlp_http]}}
    logs: {{receivers: [otlp], exporters: [debug, otlp_http]}}
    traces: {{receivers: [otlp], exporters: [debug, otlp_http]}}
"""

pytestmark = [pytest.mark.proof, pytest.mark.integration]


@pytest.fixture(scope="module")
def collector() -> Path:
    """The program."""
    return otel_collector()


@pytest.fixture
def running(collector: Path, tmp_path: Path) -> Iterator[tuple[FakeOtlpEndpoint, str]]:
    """A Collector that forwards to a strict endpoint, and the Collector's address."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    with otlp_endpoint() as endpoint, (tmp_path / "collector.log").open("w") as log:
        (tmp_path / "collector.yaml").write_text(CONFIGURATION.format(port=port, target=endpoint.url))
        process = subprocess.Popen(
            [collector, "--config", "file:collector.yaml"], cwd=tmp_path, stdout=log, stderr=log
        )
        try:
            wait_until(lambda: _accepts(port), "the Collector listens")
            yield endpoint, f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True


def test_a_collector_receives_all_signals_without_private_data(
    running: tuple[FakeOtlpEndpoint, str], tmp_path: Path
) -> None:
    endpoint, address = running
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    environment |= {
        "PYTHONPATH": str(PROGRAM.parents[1]),
        "LOG_FILE": os.devnull,
        "OTEL_EXPORTER_OTLP_ENDPOINT": address,
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_SERVICE_NAME": "shop",
    }
    ended = subprocess.run(
        [sys.executable, PROGRAM, "foreign"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert set(json.loads(ended.stdout.splitlines()[-1])["dropped"].values()) == {0.0}
    endpoint.wait_until(lambda: bool(endpoint.metrics), "metrics")
    endpoint.wait_until(lambda: len(endpoint.logs) >= 2, "two log records")
    endpoint.wait_until(lambda: len(endpoint.spans) >= 2, "two spans")
    assert endpoint.rejections == []
    duration = endpoint.metrics["app_http_request_duration_seconds"].histogram
    assert sum(point.count for point in duration.data_points) == 2
    assert {"Mail to [email]", "Failed"} <= {record.body.string_value for record in endpoint.logs}
    assert TRACE in {span.trace_id.hex() for span in endpoint.spans}
    assert {resource["service.name"] for resource in endpoint.resources} == {"shop"}
    assert_absent(SECRETS, endpoint.text, *(request.body for request in endpoint.requests))
    assert "app_http_request_duration_seconds" in (tmp_path / "collector.log").read_text()
    assert find_leaks_in_files(SECRETS, tmp_path) == []
