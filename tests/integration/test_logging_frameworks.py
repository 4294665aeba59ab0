"""A real worker of Celery and a real gunicorn log through the pipeline; nothing private reaches a stream."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from pathlib import Path

import httpx
import orjson
import pytest

from tallow.monitoring.testing import assert_absent

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / ".venv-frameworks/bin"
PRIVATE = ["alice@example.org", "hunter2secret"]


@pytest.fixture(scope="module", autouse=True)
def _environment() -> None:
    subprocess.run([ROOT / "scripts/env", "frameworks"], check=True, capture_output=True, timeout=280)


def variables(**more: str) -> dict[str, str]:
    path = f"{ROOT}/src:{ROOT}/tests"
    return {"PATH": os.environ["PATH"], "PYTHONPATH": path, "LOG_FORMAT": "json", **more}


def messages(output: str) -> list[str]:
    """The messages of the JSON lines: Celery prints a banner beside them."""
    return [orjson.loads(line)["message"] for line in output.splitlines() if line.startswith("{")]


@pytest.mark.proof
@pytest.mark.parametrize(
    ("pool", "order"),
    [
        ("solo", "before"),
        ("solo", "between"),
        ("solo", "after"),
        ("prefork", "before"),
        ("prefork", "between"),
    ],
)
def test_a_worker_of_celery_logs_each_line_once(pool: str, order: str) -> None:
    options = ["-P", pool, "-c", "1", "-l", "INFO", "--without-gossip", "--without-mingle"]
    done = subprocess.run(
        [PROGRAMS / "celery", "-A", "support.celery_shop", "worker", *options],
        env=variables(ORDER=order, POOL=pool),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    logged = messages(done.stdout)
    assert logged.count("working for [email]") == 1
    assert sum("raised unexpected" in message for message in logged) == 1
    assert_absent(PRIVATE, done.stdout, done.stderr)


@pytest.mark.proof
@pytest.mark.parametrize("preload", [(), ("--preload",)])
def test_gunicorn_logs_each_line_once(preload: tuple[str, ...]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    logs = ("--access-logfile", "-", "--error-logfile", "-", "--no-control-socket")
    server = subprocess.Popen(
        [PROGRAMS / "gunicorn", *preload, *logs, "-b", address, "support.gunicorn_shop:app"],
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 20
    answered = False
    while not answered and time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"http://{address}/?user={PRIVATE[0]}", trust_env=False)
            answered = True
        time.sleep(0.1)
    server.terminate()
    output, errors = server.communicate(timeout=20)
    logged = messages(output)
    assert (logged.count("seen by [email]"), logged.count("GET other 500")) == (1, 1)
    assert logged.count("Error handling request GET other") == 1
    assert_absent(PRIVATE, output, errors)
