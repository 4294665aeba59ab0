"""A running stack keeps the commands of services that run; those of services that ended are replaced."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest

from tallow.stack.engines.errors import StackError
from tallow.stack.engines.native.lifecycle import ended_services, require_same_ports, with_tasks
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import (
    ProcessStatus,
    SupervisorPlan,
    SupervisorStatus,
    Task,
)


def task(name: str, *arguments: str) -> Task:
    return Task(name, ["program", *arguments], "/", {})


def test_services_without_a_process_have_ended(tmp_path: Path) -> None:
    home = StateDir(tmp_path / "home")
    home.make()
    names = ("running", "waiting", "held", "unknown")
    state_files.write_plan(home, SupervisorPlan(tuple(map(task, names)), held=("held",)))
    running = ProcessStatus("running", os.getpid(), psutil.Process().create_time())
    services = {"running": running, "waiting": ProcessStatus("waiting"), "held": ProcessStatus("stopped")}
    state_files.write_status(home, SupervisorStatus(1, services))
    assert ended_services(home) == {"waiting", "held", "unknown"}


@pytest.mark.parametrize(("restarts", "seconds", "ended"), [(1, 1, True), (1, 3600, False), (0, 1, False)])
def test_services_that_fail_again_and_again_have_ended(
    tmp_path: Path, restarts: int, seconds: float, *, ended: bool
) -> None:
    """Between two failures such a service has a process for a moment."""
    home = StateDir(tmp_path / "home")
    home.make()
    state_files.write_plan(home, SupervisorPlan((task("failing"),)))
    born = psutil.Process().create_time()
    status = ProcessStatus("running", os.getpid(), born, time.time() - seconds, restarts)
    state_files.write_status(home, SupervisorStatus(1, {"failing": status}))
    assert (ended_services(home) == {"failing"}) is ended


def test_tasks_are_replaced_by_name_and_keep_their_order() -> None:
    plan = SupervisorPlan((task("a"), task("b", "--old"), task("c")), held=("c",))
    changed = with_tasks(plan, [task("new"), task("b", "--new")])
    assert changed.tasks == (task("a"), task("b", "--new"), task("c"), task("new"))
    assert changed.held == ("c",)
    assert with_tasks(plan, []) == plan


def test_a_running_stack_cannot_get_other_ports() -> None:
    require_same_ports(StackOptions(port_offset=1), StackOptions(port_offset=1, scale=0.5))
    with pytest.raises(StackError, match="--port-offset 1; stop it first"):
        require_same_ports(StackOptions(port_offset=1), StackOptions(port_offset=2))
