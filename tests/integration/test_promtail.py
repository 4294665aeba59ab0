"""A real Promtail ships Tallow's log file with the committed configuration.

Loki is a stand-in that keeps what Loki would store. Only addresses and folders differ from the container's.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import orjson
import pytest

from support.log_shippers import Promtail
from support.loki_endpoint import LokiEndpoint
from support.loki_entries import select
from support.programs.go_modules import PROMTAIL, go_program
from support.shipped_lines import (
    ERROR,
    FATAL,
    ID,
    INFO,
    MOMENT,
    SPAN,
    TRACE,
    TRACEBACK,
    WRITTEN,
    arrived,
    query,
)
from support.stack import wait_until
from support.transfers.server import tallow_serve
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.shipping import Shipper
from tallow.monitoring.testing.fake_backend import running
from tallow.stack.log_pipeline import METADATA

pytestmark = [pytest.mark.proof, pytest.mark.integration]

COMMITTED = Path(__file__).parents[2] / "monitoring" / "promtail" / "promtail.yml"


@pytest.fixture
def loki() -> Iterator[LokiEndpoint]:
    with running(LokiEndpoint()) as endpoint:
        yield endpoint


def test_the_committed_file_is_valid() -> None:
    done = subprocess.run(
        [go_program(PROMTAIL), "-check-syntax", f"-config.file={COMMITTED}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Valid config file" in done.stdout + done.stderr


def test_lines_arrive_unchanged_with_labels_metadata_and_time(loki: LokiEndpoint, tmp_path: Path) -> None:
    promtail = Promtail(tmp_path, loki.url)
    promtail.write(*WRITTEN)
    with promtail.started():
        arrived(loki, *WRITTEN)
    entries = {entry.line: entry for entry in loki.entries}
    entry = entries[ERROR.decode().rstrip()]
    assert entry.labels == {"service_name": "tallow", "environment": "test"}
    assert entry.metadata == {
        "level": "error",
        "correlation_id": ID,
        "trace_id": TRACE,
        "span_id": SPAN,
    }
    times = dict(zip([entry.line for entry in loki.entries], loki.times, strict=True))
    assert times[entry.line] == round(datetime.fromisoformat(MOMENT).timestamp() * 1000) * 10**6
    assert entries[INFO.decode().rstrip()].metadata == {"level": "info"}
    traceback = entries[TRACEBACK.decode().rstrip()]
    assert (traceback.labels, traceback.metadata) == ({"service_name": "tallow"}, {})


def test_one_query_finds_what_promtail_and_the_library_send(loki: LokiEndpoint, tmp_path: Path) -> None:
    promtail = Promtail(tmp_path, loki.url)
    promtail.write(*WRITTEN)
    with promtail.started():
        arrived(loki, *WRITTEN)
    shipper = Shipper(MonitoringSettings.load(log_endpoint=loki.url), Metrics(Registry()))
    shipper.write([ERROR, INFO])
    shipper.close(time.monotonic() + 30)
    found = select(query(correlation_id=ID), loki.entries)
    assert [entry.line.encode() + b"\n" for entry in found] == [ERROR, ERROR]
    assert found[0].labels == found[1].labels
    assert found[0].metadata == found[1].metadata
    assert len(select(query(level="(error|fatal)"), loki.entries)) == 3
    assert len(select(query(), loki.entries)) == len(WRITTEN) + 2


async def test_the_lines_of_a_server_arrive_with_their_fields(loki: LokiEndpoint, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    promtail = Promtail(tmp_path, loki.url)
    async with tallow_serve(data, LOG_FILE=str(promtail.log), ENVIRONMENT="test") as server:
        with promtail.started():
            answer = await server.http.get("/no-such-page", headers={"x-request-id": ID})
            assert answer.status_code == 404
            wait_until(lambda: ID.encode() in promtail.log.read_bytes(), "the request is logged")
            arrived(loki, *promtail.log.read_bytes().splitlines(keepends=True))
    assert any(entry.metadata.get("correlation_id") == ID for entry in loki.entries)
    for entry in loki.entries:
        fields = orjson.loads(entry.line)
        assert entry.labels == {"service_name": fields["service"], "environment": fields["environment"]}
        assert entry.metadata == {name: fields[name] for name in METADATA if fields.get(name)}


def test_a_restart_repeats_no_line_and_misses_none(loki: LokiEndpoint, tmp_path: Path) -> None:
    promtail = Promtail(tmp_path, loki.url)
    promtail.write(ERROR)
    with promtail.started():
        arrived(loki, ERROR)
    promtail.write(INFO)
    with promtail.started():
        arrived(loki, INFO)
        promtail.write(FATAL)
        arrived(loki, FATAL)
    assert [entry.line.encode() + b"\n" for entry in loki.entries] == [ERROR, INFO, FATAL]


def test_a_rotated_file_is_read_to_its_end(loki: LokiEndpoint, tmp_path: Path) -> None:
    promtail = Promtail(tmp_path, loki.url)
    promtail.write(ERROR)
    with promtail.started():
        arrived(loki, ERROR)
        promtail.write(INFO)
        promtail.log.rename(tmp_path / "tallow.log.1")
        promtail.write(FATAL)
        arrived(loki, INFO, FATAL)
    assert sorted(entry.line.encode() + b"\n" for entry in loki.entries) == sorted([ERROR, INFO, FATAL])
