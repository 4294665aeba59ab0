"""A real Loki with the committed file takes what shippers send, and answers the dashboard's queries."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.log_shippers import Collector, LogShipper, Promtail
from support.loki_entries import with_variables
from support.programs.go_modules import LOKI, go_program
from support.programs.prometheus import free_port
from support.shipped_lines import ALL_LEVELS, ID, SPAN, TRACE, line, query
from support.stack import wait_until
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.shipping import Shipper
from tallow.stack.compose import health
from tallow.stack.dashboards import dashboards, logs
from tallow.stack.log_pipeline.loki import loki_config

pytestmark = [pytest.mark.proof, pytest.mark.integration]

COMMITTED = Path(__file__).parents[2] / "monitoring" / "loki" / "loki.yml"
FOLLOWERS: tuple[type[LogShipper], ...] = (Collector, Promtail)
SENDERS = len(FOLLOWERS) + 1
"""The library sends as well."""


class Loki:
    """A running Loki."""

    def __init__(self, url: str) -> None:
        self.url = url

    def range(self, expression: str) -> list[dict[str, Any]]:
        """The streams or series that a query selects in the last hour, with structured metadata apart."""
        answer = httpx.get(
            f"{self.url}/loki/api/v1/query_range",
            params={"query": expression, "since": "1h", "limit": 1000},
            headers={"X-Loki-Response-Encoding-Flags": "categorize-labels"},
            trust_env=False,
            timeout=30,
        )
        assert answer.is_success, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    def lines(self, expression: str) -> list[tuple[str, dict[str, str], dict[str, str]]]:
        """Each line with its index labels and its structured metadata."""
        return [
            (value[1], stream["stream"], value[2].get("structuredMetadata", {}))
            for stream in self.range(expression)
            for value in stream["values"]
        ]


@pytest.fixture(scope="module")
def loki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loki]:
    """Loki with the committed file; its ports and folder differ."""
    folder = tmp_path_factory.mktemp("loki")
    (folder / "loki.yml").write_text(loki_config().replace(" /loki", f" {folder}"))
    port = free_port()
    command = [
        str(go_program(LOKI)),
        "-config.file=loki.yml",
        f"-server.http-listen-port={port}",
        f"-server.grpc-listen-port={free_port()}",
        *("-server.http-listen-address=127.0.0.1", "-server.grpc-listen-address=127.0.0.1"),
    ]
    with (folder / "loki.out").open("w") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)

    def is_ready() -> bool:
        assert process.poll() is None, (folder / "loki.out").read_text()
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{port}/ready", trust_env=False).is_success
        return False

    try:
        wait_until(is_ready, "Loki is ready", 120)
        yield Loki(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture(scope="module")
def written() -> list[bytes]:
    moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return [
        line("error", "Failed", timestamp=moment, correlation_id=ID, trace_id=TRACE, span_id=SPAN),
        line("info", "Ready", timestamp=moment, details="x" * 30_000),
        line("fatal", "Cannot start", timestamp=moment),
    ]


@pytest.fixture(scope="module")
def filled(loki: Loki, written: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Loki:
    """Loki with the lines from the library's push, the Collector and Promtail."""
    shipper = Shipper(MonitoringSettings.load(log_endpoint=loki.url), Metrics(Registry()))
    shipper.write(written)
    shipper.close(time.monotonic() + 30)
    for number, kind in enumerate(FOLLOWERS, 2):
        follower = kind(tmp_path_factory.mktemp(kind.__name__), loki.url)
        follower.write(*written)
        with follower.started():
            wait_until(lambda: len(loki.lines(query())) >= 3 * number, f"{kind.__name__}'s lines")  # noqa: B023
    return loki


def test_the_committed_file_is_valid() -> None:
    done = subprocess.run(
        [go_program(LOKI), "-verify-config", f"-config.file={COMMITTED}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_health_check_of_the_compose_file_asks_the_running_program(loki: Loki) -> None:
    command = [str(go_program(LOKI)), *health.LOKI[2:]]
    assert subprocess.call([*command, f"-health.url={loki.url}/ready"]) == 0
    assert subprocess.call([*command, f"-health.url=http://127.0.0.1:{free_port()}/ready"]) == 1


def test_each_shipper_s_lines_have_the_labels_and_metadata_that_queries_use(
    filled: Loki, written: list[bytes]
) -> None:
    found = filled.lines(query(correlation_id=ID))
    assert [text.encode() + b"\n" for text, _, _ in found] == [written[0]] * SENDERS
    for _, labels, metadata in found:
        environment = labels.get("environment") or labels.get("deployment_environment_name")
        assert (labels["service_name"], environment) == ("tallow", "test")
        assert not {"level", "correlation_id", "trace_id", "filename"} & labels.keys()
        assert metadata["level"] == "error"
        assert metadata["correlation_id"] == ID
        assert (metadata["trace_id"], metadata["span_id"]) == (TRACE, SPAN)


def test_level_and_the_start_of_an_id_filter_and_a_selector_finds_nothing(filled: Loki) -> None:
    assert len(filled.lines(query())) == 3 * SENDERS
    assert len(filled.lines(query(level="(error|fatal)"))) == 2 * SENDERS
    assert len(filled.lines(query(correlation_id=ID[:8]))) == SENDERS
    assert len(filled.lines('{service_name="tallow"} | severity_text="ERROR"')) == 1
    assert filled.lines('{service_name="tallow", level="error"}') == []


def test_every_panel_of_the_logs_dashboard_has_an_answer(filled: Loki) -> None:
    targets = [target for panel in dashboards()[logs.UID]["panels"] for target in panel["targets"]]
    expressions = [one["expr"] for one in targets if one["datasource"]["type"] == "loki"]
    assert len(expressions) == 2
    for expression in expressions:
        text = with_variables(expression.replace("$__auto", "5m"), level=ALL_LEVELS, correlation_id="")
        assert filled.range(text), text
    [volume] = [one for one in expressions if one.startswith("sum by")]
    text = with_variables(volume.replace("$__auto", "5m"), level=ALL_LEVELS, correlation_id="")
    levels = {series["metric"]["level"] for series in filled.range(text)}
    assert levels == {"error", "info", "fatal"}
