"""After SIGTERM each server is not ready, finishes requests, accepts new ones, and ends by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from conformance.servers import COMMANDS, ROOT, START_SECONDS, environment
from support.programs.databases import free_port
from tallow.monitoring.health.responses import LIVENESS, READINESS

# scripts/test runs tests/monitoring/health/test_draining.py on uvicorn.
pytestmark = [pytest.mark.integration, pytest.mark.proof]

SERVERS = [
    *((name, ()) for name in sorted(COMMANDS)),
    ("hypercorn", ("--workers", "0")),  # without supervisor
]
LONG = "600"
"""A grace time that a test does not reach."""


@contextmanager
def serving(
    server: str, folder: Path, grace: str, *options: str
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """Run ``support/draining_app.py``. Every request is sent on a new connection."""
    port = free_port()
    command = [part.format(port=port, app="support.draining_app:app") for part in COMMANDS[server]]
    command[2:2] = options
    paths = os.pathsep.join(str(ROOT / part) for part in ("src", "tests"))
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [environment(), *command],
            stdout=log,
            stderr=log,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": paths, "TALLOW_DRAIN_SECONDS": grace},
        )
    limits = httpx.Limits(max_keepalive_connections=0)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, limits=limits) as client:
            wait_for(lambda: status(client) == 200, process)
            yield process, client
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert process.poll() is None, f"the server has ended with status {process.returncode}"
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ends(process: subprocess.Popen[bytes]) -> bool:
    """Whether the server ends by itself."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(START_SECONDS)
    return process.returncode is not None


def status(client: httpx.Client) -> int:
    """The status of readiness; 0 if the server does not accept the connection."""
    try:
        return client.get(READINESS).status_code
    except httpx.TransportError:
        return 0


@pytest.mark.parametrize("grace", ["", "2"])
@pytest.mark.parametrize(("server", "options"), SERVERS)
def test_after_sigterm_requests_are_finished_and_accepted(
    server: str, options: tuple[str, ...], grace: str, tmp_path: Path
) -> None:
    with serving(server, tmp_path, grace, *options) as (process, client), ThreadPoolExecutor() as threads:
        waiting = threads.submit(client.get, "/wait")
        wait_for(lambda: client.get("/waiting").text == "1", process)
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: status(client) != 200, process)
        answer = client.get(READINESS)
        assert (answer.status_code, answer.json()["status"]) == (503, "draining")
        assert client.get(LIVENESS).status_code == 200
        assert client.get("/release").text == "released"
        assert waiting.result().text == "finished"
        assert ends(process)


@pytest.mark.parametrize(("server", "options"), SERVERS)
def test_a_second_sigterm_to_a_worker_ends_the_grace_time(
    server: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    """It is sent to the worker: supervisors do not pass on a second one."""
    with serving(server, tmp_path, LONG, *options) as (process, client):
        worker = int(client.get("/pid").text)
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: status(client) == 503, process)
        os.kill(worker, signal.SIGTERM)
        assert ends(process)


@pytest.mark.parametrize(("server", "options"), SERVERS)
def test_without_requests_and_without_a_grace_time_a_server_ends_at_once(
    server: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    with serving(server, tmp_path, "", *options) as (process, client):
        assert client.get(READINESS).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert ends(process)


@pytest.mark.parametrize("server", ["uvicorn", "gunicorn", "hypercorn", "granian"])
def test_every_worker_drains(server: str, tmp_path: Path) -> None:
    with serving(server, tmp_path, "3", "--workers", "2") as (process, client):
        wait_for(lambda: len({client.get("/pid").text for _ in range(20)}) == 2, process)
        for _ in range(20):
            assert client.get(READINESS).status_code == 200  # each worker has handled one probe
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: status(client) == 503, process)
        time.sleep(0.5)  # the other worker is told, or asks, a little later
        answers = [(status(client), client.get("/pid").text) for _ in range(20)]
        assert {code for code, _ in answers} == {503}
        assert len({pid for _, pid in answers}) == 2
        assert ends(process)
