"""A real OpenTelemetry Collector ships Tallow's log file with the committed configuration.

Loki is a stand-in that keeps what Loki would store: index labels, structured metadata and the line.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from support.log_shippers import Collector
from support.loki_endpoint import LokiEndpoint
from support.loki_entries import select
from support.shipped_lines import ERROR, FATAL, ID, INFO, MOMENT, SPAN, TRACE, WRITTEN, arrived, query
from support.stack import wait_until
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.shipping import Shipper
from tallow.monitoring.testing.fake_backend import running

pytestmark = [pytest.mark.proof, pytest.mark.integration]


@pytest.fixture
def loki() -> Iterator[LokiEndpoint]:
    with running(LokiEndpoint()) as endpoint:
        yield endpoint


def test_lines_arrive_unchanged_with_labels_metadata_and_time(loki: LokiEndpoint, tmp_path: Path) -> None:
    collector = Collector(tmp_path, loki.url)
    collector.write(*WRITTEN)
    with collector.started():
        arrived(loki, *WRITTEN)
    entries = {entry.line: entry for entry in loki.entries}
    entry = entries[ERROR.decode().rstrip()]
    assert entry.labels == {"service_name": "tallow", "deployment_environment_name": "test"}
    assert entry.metadata == {
        "level": "error",
        "severity_text": "ERROR",
        "correlation_id": ID,
        "trace_id": TRACE,
        "span_id": SPAN,
    }
    times = dict(zip([entry.line for entry in loki.entries], loki.times, strict=True))
    assert times[entry.line] == round(datetime.fromisoformat(MOMENT).timestamp() * 1000) * 10**6
    # The long field stays in the line: structured metadata has a limit.
    assert entries[INFO.decode().rstrip()].metadata == {"level": "info", "severity_text": "INFO"}
    assert entries["Traceback (most recent call last):"].labels["service_name"] == "tallow"


def test_one_query_finds_what_the_collector_and_the_library_send(loki: LokiEndpoint, tmp_path: Path) -> None:
    collector = Collector(tmp_path, loki.url)
    collector.write(*WRITTEN)
    with collector.started():
        arrived(loki, *WRITTEN)
    shipper = Shipper(MonitoringSettings.load(log_endpoint=loki.url), Metrics(Registry()))
    shipper.write([ERROR, INFO])
    shipper.close(time.monotonic() + 30)
    lines = [entry.line.encode() + b"\n" for entry in select(query(correlation_id=ID), loki.entries)]
    assert lines == [ERROR, ERROR]
    assert len(select(query(level="(error|fatal)"), loki.entries)) == 3
    assert len(select(query(), loki.entries)) == len(WRITTEN) + 2
    assert select('{service_name="tallow"} | severity_text="ERROR"', loki.entries) != []


def test_a_restart_repeats_no_line_and_misses_none(loki: LokiEndpoint, tmp_path: Path) -> None:
    collector = Collector(tmp_path, loki.url)
    collector.write(ERROR)
    with collector.started():
        arrived(loki, ERROR)
    collector.log.rename(tmp_path / "tallow.log.1")
    collector.write(INFO)
    with collector.started():
        arrived(loki, INFO)
        collector.write(FATAL)
        arrived(loki, FATAL)
    assert [entry.line.encode() + b"\n" for entry in loki.entries] == [ERROR, INFO, FATAL]


def test_a_rotated_file_is_read_to_its_end(loki: LokiEndpoint, tmp_path: Path) -> None:
    collector = Collector(tmp_path, loki.url)
    collector.write(ERROR)
    with collector.started():
        arrived(loki, ERROR)
        collector.write(INFO)
        collector.log.rename(tmp_path / "tallow.log.1")
        collector.write(FATAL)
        arrived(loki, INFO, FATAL)
    assert sorted(entry.line.encode() + b"\n" for entry in loki.entries) == sorted([ERROR, INFO, FATAL])


def test_lines_wait_on_disk_while_loki_is_down(loki: LokiEndpoint, tmp_path: Path) -> None:
    collector = Collector(tmp_path, loki.url)
    collector.write(ERROR)
    loki.fail(status=503)
    with collector.started():
        wait_until(lambda: loki.requests, "the Collector tries")
    assert loki.entries == []
    loki.recover()
    with collector.started():
        arrived(loki, ERROR)
