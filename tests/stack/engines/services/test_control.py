"""Requested restarts are carried out once by the supervisor, and are not failures."""

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

pytestmark = pytest.mark.slow


def sleeper(name: str, home: StateDir) -> Task:
    return Task(name, [sys.executable, "-c", "import time; time.sleep(600)"], str(home.data), {})


@contextlib.contextmanager
def supervised(folder: Path) -> Iterator[StateDir]:
    """A stack of two programs that do nothing, under a real supervisor."""
    home = StateDir(folder / "home")
    home.make()
    state_files.write_plan(home, SupervisorPlan((sleeper("tallow", home), sleeper("prometheus", home))))
    with (home.logs / "supervisor.log").open("a") as log:
        command = [sys.executable, "-m", "tallow.stack.engines.supervisor", str(home.root)]
        subprocess.run(command, check=True, timeout=30, stdout=log, stderr=log)
    wait_until(
        lambda: len([one for one in state_files.read_status(home).services.values() if one.pid]) == 2,
        "both run",
    )
    try:
        yield home
    finally:
        lifecycle.stop(home)


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StateDir]:
    """For tests that leave both programs running."""
    with supervised(tmp_path_factory.mktemp("shared")) as home:
        yield home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[StateDir]:
    """For tests that stop a program or the supervisor."""
    with supervised(tmp_path) as home:
        yield home


def pid(home: StateDir, name: str) -> int | None:
    return state_files.read_status(home).services[name].pid


def test_only_the_named_service_is_restarted(shared_home: StateDir) -> None:
    tallow, prometheus = pid(shared_home, "tallow"), pid(shared_home, "prometheus")
    assert restart(shared_home, ["tallow"], "tallow reload: LOG_LEVEL changed") == ("tallow",)
    assert pid(shared_home, "tallow") not in {None, tallow}
    assert pid(shared_home, "prometheus") == prometheus
    after = state_files.read_status(shared_home).services["tallow"]
    assert after.restarts == 0
    assert after.last_exit
    assert after.last_exit.reason == "restarted on request: tallow reload: LOG_LEVEL changed"


def test_each_request_restarts_once(shared_home: StateDir) -> None:
    seen = {pid(shared_home, "tallow")}
    for number in range(1, 4):
        restart(shared_home, ["tallow"], "tallow reload")
        seen.add(pid(shared_home, "tallow"))
        assert len(seen) == number + 1


def test_a_held_service_stays_down(home: StateDir) -> None:
    hold(home, ["tallow"])
    assert restart(home, ["tallow", "prometheus"], "tallow reload") == ("prometheus",)
    assert pid(home, "tallow") is None


def test_without_a_supervisor_a_restart_is_a_one_line_error(home: StateDir) -> None:
    supervisor = state_files.supervisor_pid(home)
    assert supervisor
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(supervisor).kill()
    wait_until(lambda: state_files.supervisor_pid(home) is None, "the supervisor has ended")
    with pytest.raises(StackError, match="tallow up"):
        restart(home, ["tallow"], "tallow reload")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"tasks": [{}]}', '{"tasks": 3}'])
def test_an_unreadable_plan_changes_nothing(shared_home: StateDir, content: str) -> None:
    before = pid(shared_home, "tallow"), pid(shared_home, "prometheus")
    plan, log = shared_home.run / "plan.json", shared_home.logs / "supervisor.log"
    good, logged = plan.read_text(), log.stat().st_size
    plan.write_text(content)
    supervisor = state_files.supervisor_pid(shared_home)
    assert supervisor
    os.kill(supervisor, signal.SIGHUP)
    try:
        wait_until(lambda: "the plan cannot be read" in log.read_text()[logged:], "it is logged")
    finally:
        plan.write_text(good)
    assert (pid(shared_home, "tallow"), pid(shared_home, "prometheus")) == before
