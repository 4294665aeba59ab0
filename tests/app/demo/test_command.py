"""``tallow demo`` as a user runs it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from support.transfers.server import RunningServer

pytestmark = pytest.mark.slow


async def demo(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "tallow", "demo", "--no-browser", *arguments]
    return await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)


async def test_json_output_ends_with_a_summary(server: RunningServer) -> None:
    running = await demo(
        "--server", server.url, "--transfers", "3", "--rate", "600", "--size", "200kB", "--json"
    )
    out, errors = await running.communicate()
    assert (running.returncode, errors) == (0, b"")
    *transfers, summary = map(json.loads, out.splitlines())
    assert [event["event"] for event in transfers] == ["transfer"] * 3
    assert summary["event"] == "summary"
    assert (summary["transfers"], summary["unmeant"]) == (3, 0)


@pytest.mark.parametrize("wanted", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_ends_an_unlimited_run(
    server: RunningServer, home: Path, wanted: signal.Signals
) -> None:
    running = await demo("--server", server.url, "--rate", "600", "--size", "50MB", "--relay-share", "1")
    await server.wait_for_value("active_transfers", 1)
    running.send_signal(wanted)
    out, errors = await running.communicate()
    assert (running.returncode, errors) == (0, b"")
    assert " bad request" in out.decode().splitlines()[-1]
    assert list((home / "tmp").iterdir()) == []


async def test_files_of_a_killed_demo_are_removed_by_the_next_start(
    server: RunningServer, home: Path
) -> None:
    running = await demo("--server", server.url, "--rate", "600", "--size", "50MB", "--relay-share", "1")
    await server.wait_for_value("active_transfers", 1)
    running.kill()
    await running.communicate()
    [abandoned] = (home / "tmp").iterdir()
    again = await demo("--server", server.url, "--transfers", "1", "--size", "10kB")
    await again.communicate()
    assert not abandoned.exists()
    assert list((home / "tmp").iterdir()) == []


@pytest.mark.parametrize("wanted", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_interrupts_a_limited_run(
    server: RunningServer, home: Path, wanted: signal.Signals
) -> None:
    running = await demo("--server", server.url, "--transfers", "1000", "--rate", "600", "--size", "200kB")
    await server.wait_for_value("active_transfers", 1)
    running.send_signal(wanted)
    out, errors = await running.communicate()
    assert (running.returncode, errors.split()) == (130, [b"Interrupted"])
    assert " bad request" in out.decode().splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--server", "http://127.0.0.1:9"], "Error: the server cannot be reached at http://127.0.0.1:9"),
        (["--server", "nonsense"], "Error: "),
        (["--size", "huge"], "accepted: bytes from 1 to 100GB, such as 250000, 5MB or 1.5GiB"),
        (["--relay-share", "2"], "is not in the range 0<=x<=1"),
    ],
)
async def test_invalid_options_are_refused_in_one_line(arguments: list[str], expected: str) -> None:
    running = await demo(*arguments, "--transfers", "1")
    _, error = await running.communicate()
    assert running.returncode in {1, 2, 3}
    assert expected in error.decode().splitlines()[-1]
    assert "Traceback" not in error.decode()
