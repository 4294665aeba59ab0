"""Outputs that take nothing delay the end of a process by at most five seconds.

The bound is the promise itself. A process that hangs is killed after :data:`KILL_S`; one that ends shows by
its status and by its line on standard error that it has given up by itself.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest

from tallow.monitoring.lifecycle.shutdown import ExitAllowance

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="uses /dev/full and the size of Linux's pipes"
)

LINES = 2000
KILL_S = 60
PROMISE_S = 5.0
START_S = 40.0
"""The start of the program on a machine that runs other tests; without the promise nothing would end it."""
"""Seconds that a loaded machine may take to start Python and the library."""

PROGRAM = f"""
from tallow.monitoring.logging import logger
for _ in range({LINES}):
    logger.info("x" * 100)
"""
EVERYTHING = f"""
import sentry_sdk
from tallow.monitoring.analytics import analytics
from tallow.monitoring.sentry import init_monitoring
init_monitoring()
analytics.goal("opened")
sentry_sdk.capture_message("opened")
{PROGRAM}
"""
CRASH = "raise ValueError('alice@example.org')\n"

Running = tuple["subprocess.Popen[str]", float]


@contextmanager
def full_pipe() -> Iterator[int]:
    """The writing end of a full pipe that nobody reads."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"." * 4096)
    except BlockingIOError:
        os.set_blocking(writing, True)
    yield writing
    os.close(reading)
    os.close(writing)


@contextmanager
def black_hole() -> Iterator[str]:
    """The address of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def start(
    code: str,
    stdout: int,
    stderr: int = subprocess.PIPE,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Running:
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=stdout,
        stderr=stderr,
        text=True,
        env={**os.environ, **environment},
    )
    return process, time.monotonic()


def finish(running: Running) -> tuple[int, str]:
    """Return the status and the text on standard error of a process that ends by itself."""
    process, started = running
    try:
        _, errors = process.communicate(timeout=KILL_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        pytest.fail(f"the process did not end within {KILL_S} s")
    assert time.monotonic() - started < START_S + PROMISE_S
    return process.returncode, errors or ""


def test_a_standard_output_that_nobody_reads_is_given_up_and_counted_once() -> None:
    with full_pipe() as pipe:
        # All at once, as each takes the seconds that it may take.
        plain = start(PROGRAM, pipe)
        crashed = start(PROGRAM + CRASH, pipe)
        silent = start(PROGRAM + CRASH, pipe, pipe)
        assert finish(plain) == (0, f"tallow: telemetry was lost: {LINES} log lines\n")
        status, errors = finish(crashed)
        assert status == 1
        assert errors == (
            "ended by an uncaught ValueError; see the log\n"
            f"tallow: telemetry was lost: {LINES + 1} log lines\n"
        )
        assert finish(silent)[0] == 1


def test_dead_endpoints_share_the_time_and_standard_output_gets_its_lines() -> None:
    with black_hole() as address:
        environment = {
            "LOG_ENDPOINT": f"http://{address}",
            "PLAUSIBLE_HOST": f"http://{address}",
            "PLAUSIBLE_DOMAIN": "example.org",
            "SENTRY_DSN": f"http://key@{address}/1",
        }
        reading, writing = os.pipe()
        crashed = start(EVERYTHING + CRASH, writing, environment=environment)
        os.close(writing)
        with os.fdopen(reading) as output:
            lines = output.readlines()
        status, errors = finish(crashed)
    assert status == 1
    assert sum('"message":"xxx' in line for line in lines) == LINES
    lost = re.search(r"lost: 1 analytics events, (\d+) log lines, 2 Sentry items", errors)
    assert lost is not None, errors
    assert int(lost[1]) > LINES


@pytest.mark.parametrize("crash", ["", CRASH])
def test_a_full_disk_costs_the_lines_and_no_time(crash: str) -> None:
    with Path("/dev/full").open("wb") as full:
        status, errors = finish(start(PROGRAM + crash, full.fileno()))
    assert status == (1 if crash else 0)
    assert errors.endswith(f"lost: {LINES + bool(crash)} log lines\n")
    assert errors.count("lost") == 1


def test_waits_share_one_allowance_until_the_process_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    allowance = ExitAllowance(4)
    given: list[float] = []

    def wait(seconds: float) -> None:
        given.append(seconds)
        now[0] += seconds

    allowance.spend(wait, 1)
    allowance.spend(wait, 10)
    allowance.spend(wait, 10)
    now[0] += 3600
    allowance.spend(wait, 10)
    assert given == [1, 3, 0, 4]
