"""One scrape shows the sums of all workers, whoever starts them and how."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from conformance.server_process import ServerProcess, running
from conformance.servers import START_SECONDS

pytestmark = pytest.mark.integration

REQUESTS = 40
COUNTED = re.compile(
    rb'^app_http_request_duration_seconds_count\{method="GET",route="/item/\{name\}",[^}]*\} (\d+)',
    re.MULTILINE,
)
DECLARED = re.compile(rb"^items_total (\d+)", re.MULTILINE)
WORKERS = ("--workers", "2")
SERVERS = [
    ("uvicorn", WORKERS),
    pytest.param("gunicorn", WORKERS, marks=pytest.mark.proof),
    pytest.param("gunicorn", (*WORKERS, "--preload"), marks=pytest.mark.proof),
    pytest.param("hypercorn", WORKERS, marks=pytest.mark.proof),
    pytest.param("granian", WORKERS, marks=pytest.mark.proof),
]


@pytest.mark.parametrize(("server", "options"), SERVERS)
def test_each_scrape_shows_the_requests_and_declared_metrics_of_all_workers(
    server: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    variables = {"TALLOW_METRICS_DIR": str(tmp_path / "metrics")}
    with running(server, tmp_path, options, variables) as started:
        for number in range(REQUESTS):
            assert b" 200 " in started.get(f"/item/{number}")[:20]
        for _ in range(6):  # each on a new connection, which any worker may take
            page = started.get("/metrics")
            assert [int(found) for found in COUNTED.findall(page)] == [REQUESTS]
            assert [int(found) for found in DECLARED.findall(page)] == [REQUESTS]
        assert len(list((tmp_path / "metrics").glob("*.index"))) >= 2
        assert started.stop()
    assert "TALLOW_METRICS_DIR" not in (tmp_path / "server.log").read_text()


@pytest.mark.parametrize(("server", "options"), SERVERS)
def test_a_worker_that_finds_siblings_says_once_how_to_sum_them(
    server: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    log = tmp_path / "server.log"
    with running(server, tmp_path, options) as started:
        found = wait_for_warnings(started, log)
    assert found >= 1
    assert log.read_text().count("TALLOW_METRICS_DIR") <= 2  # at most once for each worker


def test_a_single_worker_finds_no_siblings(tmp_path: Path) -> None:
    with running("uvicorn", tmp_path) as started:
        time.sleep(3)  # the first check is two seconds after the start
        assert started.stop()
    assert "TALLOW_METRICS_DIR" not in (tmp_path / "server.log").read_text()


def wait_for_warnings(started: ServerProcess, log: Path) -> int:
    """The number of warnings in the log, once there is one."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        started.get("/item/x")
        if count := log.read_text().count("TALLOW_METRICS_DIR"):
            return count
        time.sleep(0.2)
    return 0
