"""The plan and the status of the supervisor are read safely, also if they are old or broken."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tallow.stack.engines.errors import StackError
from tallow.stack.engines.native import lifecycle
from tallow.stack.engines.reload.apply import reload
from tallow.stack.engines.services.control import hold
from tallow.stack.engines.state.locks import locked
from tallow.stack.engines.state.state_dir import StateDir, StateDirError
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import (
    ExitRecord,
    Probe,
    ProcessStatus,
    Release,
    RestartRequest,
    SupervisorPlan,
    SupervisorStatus,
    Task,
)


@pytest.fixture
def home(tmp_path: Path) -> StateDir:
    made = StateDir(tmp_path / "home")
    made.make()
    return made


def test_a_reused_pid_is_not_stopped(home: StateDir) -> None:
    mine = ProcessStatus("running", pid=os.getpid(), born=psutil.Process().create_time())
    assert mine.process() is not None
    stale = replace(mine, born=psutil.Process().create_time() - 3600)
    assert stale.process() is None
    state_files.write_status(home, SupervisorStatus(os.getpid(), {"prometheus": stale}))
    assert state_files.supervisor_pid(home) is None
    lifecycle.stop(home)  # would have ended this very process


def test_plan_and_status_are_read_unchanged(home: StateDir) -> None:
    release = Release("1.0.0", "digest", {"prometheus": "3.16.0"})
    probe = Probe("127.0.0.1", 3000, "/ready", "/alive", "user", "/password")
    task = Task("tallow", ["tallow"], "/", {"A": "b"}, inherits=True, probe=probe)
    plan = SupervisorPlan(
        (task,), ("tallow",), {"tallow": RestartRequest(3, "tallow reload")}, 30.0, release, "tallow down"
    )
    assert state_files.write_plan(home, plan)
    assert not state_files.write_plan(home, plan)
    assert state_files.read_plan(home) == plan
    ended = ExitRecord("exited", -9, 1.0, "ended by SIGKILL")
    report = SupervisorStatus(1, {"tallow": ProcessStatus("running", 2, 3.0, 4.0, 5, 6, ended)})
    state_files.write_status(home, report)
    assert state_files.read_status(home) == report


@pytest.mark.parametrize(
    "content", ["", "{", "null", '{"pid": 1, "services": {"x": {"state": "new", "later": 1}}}']
)
def test_a_broken_or_newer_status_file_is_tolerated(home: StateDir, content: str) -> None:
    (home.run / "report.json").write_text(content)
    assert state_files.read_status(home).services.keys() <= {"x"}
    lifecycle.stop(home)


def test_a_lock_has_one_holder(home: StateDir) -> None:
    with locked(home, "up") as first, locked(home, "up", wait=False) as second:
        assert (first, second) == (True, False)
    with locked(home, "up", wait=False) as again:
        assert again


def test_requests_to_a_stack_that_does_not_run_are_errors(home: StateDir) -> None:
    with pytest.raises(StackError, match="tallow up"):
        hold(home, ["tallow"])
    with pytest.raises(StackError, match="tallow up"):
        reload(home, {}, print)


def test_a_folder_that_cannot_be_made_is_a_one_line_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateDirError, match=r"cannot be made: .*; name another with --home"):
        StateDir(tmp_path / "file" / "home").make()
