"""A program is started again, stopped whole, and not bothered by a full disk."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tallow.stack.engines import keeper as module
from tallow.stack.engines.home import Home
from tallow.stack.engines.keeper import Keeper
from tallow.stack.engines.plan import Task


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.make()
    return made


def keeper(home: Home, code: str, **environment: str) -> Keeper:
    task = Task("job", [sys.executable, "-c", code], str(home.data), environment)
    return Keeper(task, home, lambda: None)


async def until(done: Callable[[], object]) -> None:
    while not done():
        await asyncio.sleep(0.01)


def log(home: Home) -> str:
    path = home.logs / "job.log"
    return path.read_text() if path.exists() else ""


async def test_a_program_that_ends_is_started_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.01)
    kept = keeper(home, "import sys; sys.exit(7)")
    kept.start()
    await until(lambda: kept.running.restarts >= 2)
    assert kept.running.exit == 7
    await kept.stop()
    assert kept.running.state == "stopped"


async def test_one_that_cannot_be_started_says_so_in_its_log(home: Home) -> None:
    kept = Keeper(Task("job", ["/no/such/program"], str(home.data), {}), home, lambda: None)
    kept.start()
    await until(lambda: kept.running.state == "waiting")
    await kept.stop()
    assert "cannot be started" in log(home)


async def test_stopping_ends_the_children_as_well(home: Home) -> None:
    code = "import subprocess as s, time; print(s.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    kept = keeper(home, code)
    kept.start()
    await until(lambda: log(home).endswith("\n"))
    child = psutil.Process(int(log(home)))
    await kept.stop()
    await until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


async def test_one_that_ignores_sigterm_is_killed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.2)
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    code = f"import signal, time; {deaf}; print(1, flush=True); time.sleep(60)"
    kept = keeper(home, code)
    kept.start()
    await until(lambda: log(home) == "1\n")
    process = kept.running.process()
    assert process
    await kept.stop()
    assert not process.is_running()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
async def test_a_full_disk_does_not_stop_a_program(home: Home) -> None:
    (home.logs / "job.log").symlink_to("/dev/full")
    done = home.data / "done"
    code = f"""
import os, pathlib, time
try:
    os.write(1, b"a line")
except OSError:
    pathlib.Path({str(done)!r}).touch()
time.sleep(60)
"""
    kept = keeper(home, code)
    kept.start()
    await until(done.exists)
    assert kept.running.state == "running"
    await kept.stop()


async def test_the_operators_environment_stays_with_those_who_need_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", "secret")
    kept = keeper(home, "import os, time; print(sorted(os.environ), flush=True); time.sleep(60)", OWN="1")
    kept.start()
    await until(lambda: log(home).endswith("\n"))
    await kept.stop()
    assert "PAGERDUTY_ROUTING_KEY" not in log(home)
    assert "'OWN'" in log(home)
    assert "'PATH'" in log(home)
    assert os.environ["PAGERDUTY_ROUTING_KEY"] == "secret"
