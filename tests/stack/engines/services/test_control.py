"""Requested restarts reach the supervisor, are carried out once, and are not failures."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from support.stack import wait_until
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.native import lifecycle
from tallow.stack.engines.services.control import hold, restart
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import SupervisorPlan, Task


def sleeper(name: str, home: StateDir) -> Task:
    return Task(name, [sys.executable, "-c", "import time; time.sleep(600)"], str(home.data), {})


@pytest.fixture
def home(tmp_path: Path) -> Iterator[StateDir]:
    """A stack of two programs that do nothing, under a real supervisor."""
    made = StateDir(tmp_path / "home")
    made.make()
    state_files.write_plan(made, SupervisorPlan((sleeper("tallow", made), sleeper("prometheus", made))))
    with (made.logs / "supervisor.log").open("a") as log:
        command = [sys.executable, "-m", "tallow.stack.engines.supervisor", str(made.root)]
        subprocess.run(command, check=True, timeout=30, stdout=log, stderr=log)
    wait_until(
        lambda: len([one for one in state_files.read_status(made).services.values() if one.pid]) == 2,
        "both run",
    )
    try:
        yield made
    finally:
        lifecycle.stop(made)


def pid(home: StateDir, name: str) -> int | None:
    return state_files.read_status(home).services[name].pid


def test_only_the_named_service_is_restarted(home: StateDir) -> None:
    tallow, prometheus = pid(home, "tallow"), pid(home, "prometheus")
    assert restart(home, ["tallow"], "tallow reload: LOG_LEVEL changed") == ("tallow",)
    assert pid(home, "tallow") not in {None, tallow}
    assert pid(home, "prometheus") == prometheus
    after = state_files.read_status(home).services["tallow"]
    assert after.restarts == 0
    assert after.last_exit
    assert after.last_exit.reason == "restarted on request: tallow reload: LOG_LEVEL changed"


def test_each_request_restarts_once(home: StateDir) -> None:
    seen = {pid(home, "tallow")}
    for number in range(1, 4):
        restart(home, ["tallow"], "tallow reload")
        seen.add(pid(home, "tallow"))
        assert len(seen) == number + 1


def test_a_held_service_stays_down(home: StateDir) -> None:
    hold(home, ["tallow"])
    assert restart(home, ["tallow", "prometheus"], "tallow reload") == ("prometheus",)
    assert pid(home, "tallow") is None


def test_a_supervisor_that_was_killed_is_one_clear_line(home: StateDir) -> None:
    supervisor = state_files.supervisor_pid(home)
    assert supervisor
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(supervisor).kill()
    wait_until(lambda: state_files.supervisor_pid(home) is None, "the supervisor is gone")
    with pytest.raises(StackError, match="tallow up"):
        restart(home, ["tallow"], "tallow reload")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"tasks": [{}]}', '{"tasks": 3}'])
def test_a_plan_that_cannot_be_read_stops_nothing(home: StateDir, content: str) -> None:
    before = pid(home, "tallow"), pid(home, "prometheus")
    (home.run / "plan.json").write_text(content)
    supervisor = state_files.supervisor_pid(home)
    assert supervisor
    os.kill(supervisor, signal.SIGHUP)
    log = home.logs / "supervisor.log"
    wait_until(lambda: "the plan cannot be read" in log.read_text(), "it is logged")
    assert (pid(home, "tallow"), pid(home, "prometheus")) == before
