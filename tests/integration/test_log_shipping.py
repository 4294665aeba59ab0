"""A real Collector and a real Promtail ship Tallow's log file with the committed configurations.

Loki is a stand-in that keeps what Loki would store: index labels, structured metadata and the line.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from support.log_shippers import Collector, LogShipper, Promtail
from support.loki_endpoint import LokiEndpoint
from support.loki_entries import Entry, select
from support.programs.own_programs import alloy_parser
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
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.shipping import Shipper
from tallow.monitoring.testing.fake_backend import running
from tallow.stack.log_pipeline.alloy import alloy_config

pytestmark = [pytest.mark.proof, pytest.mark.integration]

IDS = {"correlation_id": ID, "trace_id": TRACE, "span_id": SPAN}


@pytest.fixture
def loki() -> Iterator[LokiEndpoint]:
    with running(LokiEndpoint()) as endpoint:
        yield endpoint


@pytest.fixture(params=[Collector, Promtail], ids=["collector", "promtail"])
def follower(request: pytest.FixtureRequest, loki: LokiEndpoint, tmp_path: Path) -> LogShipper:
    """The program that follows the log file; it is not started yet."""
    kind: type[LogShipper] = request.param
    return kind(tmp_path, loki.url)


def by_line(loki: LokiEndpoint) -> dict[bytes, Entry]:
    return {entry.line.encode() + b"\n": entry for entry in loki.entries}


def stored_lines(loki: LokiEndpoint) -> list[bytes]:
    return [entry.line.encode() + b"\n" for entry in loki.entries]


def test_lines_arrive_unchanged_and_with_their_time(follower: LogShipper, loki: LokiEndpoint) -> None:
    follower.write(*WRITTEN)
    with follower.started():
        arrived(loki, *WRITTEN)
    assert sorted(stored_lines(loki)) == sorted(WRITTEN)
    times = dict(zip(stored_lines(loki), loki.times, strict=True))
    assert times[ERROR] == round(datetime.fromisoformat(MOMENT).timestamp() * 1000) * 10**6
    assert by_line(loki)[TRACEBACK].labels["service_name"] == "tallow"


def test_the_collector_s_labels_and_metadata(loki: LokiEndpoint, tmp_path: Path) -> None:
    collector = Collector(tmp_path, loki.url)
    collector.write(*WRITTEN)
    with collector.started():
        arrived(loki, *WRITTEN)
    error = by_line(loki)[ERROR]
    assert error.labels == {"service_name": "tallow", "deployment_environment_name": "test"}
    assert error.metadata == {"level": "error", "severity_text": "ERROR", **IDS}
    # The long field stays in the line: structured metadata has a limit.
    assert by_line(loki)[INFO].metadata == {"level": "info", "severity_text": "INFO"}


def test_the_labels_and_metadata_of_promtail(loki: LokiEndpoint, tmp_path: Path) -> None:
    promtail = Promtail(tmp_path, loki.url)
    promtail.write(*WRITTEN)
    with promtail.started():
        arrived(loki, *WRITTEN)
    error = by_line(loki)[ERROR]
    assert error.labels == {"service_name": "tallow", "environment": "test"}
    assert error.metadata == {"level": "error", **IDS}
    assert by_line(loki)[INFO].metadata == {"level": "info"}
    traceback = by_line(loki)[TRACEBACK]
    assert (traceback.labels, traceback.metadata) == ({"service_name": "tallow"}, {})


def test_one_query_finds_what_the_program_and_the_library_send(
    follower: LogShipper, loki: LokiEndpoint
) -> None:
    follower.write(*WRITTEN)
    with follower.started():
        arrived(loki, *WRITTEN)
    shipper = Shipper(MonitoringSettings.load(log_endpoint=loki.url), Metrics(Registry()))
    shipper.write([ERROR, INFO])
    shipper.close(time.monotonic() + 30)
    found = select(query(correlation_id=ID), loki.entries)
    assert [entry.line.encode() + b"\n" for entry in found] == [ERROR, ERROR]
    assert found[0].labels["service_name"] == found[1].labels["service_name"]
    assert found[0].metadata.items() >= found[1].metadata.items()
    assert len(select(query(level="(error|fatal)"), loki.entries)) == 3
    assert len(select(query(), loki.entries)) == len(WRITTEN) + 2


def test_a_restart_repeats_no_line_and_misses_none(follower: LogShipper, loki: LokiEndpoint) -> None:
    follower.write(ERROR)
    with follower.started():
        arrived(loki, ERROR)
    follower.write(INFO)
    with follower.started():
        arrived(loki, INFO)
        follower.write(FATAL)
        arrived(loki, FATAL)
    assert stored_lines(loki) == [ERROR, INFO, FATAL]


def test_a_rotated_file_is_read_to_its_end(follower: LogShipper, loki: LokiEndpoint, tmp_path: Path) -> None:
    follower.write(ERROR)
    with follower.started():
        arrived(loki, ERROR)
        follower.write(INFO)
        follower.log.rename(tmp_path / "tallow.log.1")
        follower.write(FATAL)
        arrived(loki, INFO, FATAL)
    assert sorted(stored_lines(loki)) == sorted([ERROR, INFO, FATAL])


def test_a_file_that_is_rotated_while_the_collector_is_down_is_followed(
    loki: LokiEndpoint, tmp_path: Path
) -> None:
    """Promtail knows a file by its name alone, and would start at the position of the old one."""
    collector = Collector(tmp_path, loki.url)
    collector.write(ERROR)
    with collector.started():
        arrived(loki, ERROR)
    collector.log.rename(tmp_path / "tallow.log.1")
    collector.write(INFO)
    with collector.started():
        arrived(loki, INFO)
    assert stored_lines(loki) == [ERROR, INFO]


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


@pytest.mark.parametrize(("text", "status"), [(alloy_config(), 0), (alloy_config()[:-3], 1)])
def test_the_parser_of_alloy_reads_its_file(text: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "tallow.alloy").write_text(text)
    done = subprocess.run(
        [alloy_parser(), tmp_path / "tallow.alloy"], check=False, capture_output=True, text=True
    )
    assert done.returncode == status, done.stderr
