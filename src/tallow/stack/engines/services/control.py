"""Requests to a running supervisor: restart services, or stop them and keep them down.

A requested restart is not a failure: the supervisor neither counts it nor waits before it. Its log and
`tallow status` show the reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from tallow.stack.engines.errors import NotRunningError, StackError
from tallow.stack.engines.processes.managed_process import TERMINATE_S
from tallow.stack.engines.services.definitions import SERVICES
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import RestartRequest, SupervisorPlan

STOP_S: Final = len(SERVICES) * TERMINATE_S + 10.0
"""Seconds to wait for services to stop: the supervisor stops one after the other."""
POLL_S: Final = 0.05


def restart(home: StateDir, names: Iterable[str], reason: str) -> tuple[str, ...]:
    """Restart services and wait until each has a new process. Their health is not checked.

    Args:
        home: the stack's folder.
        names: the services. Those that `down` stopped stay down.
        reason: who requests the restart and why, such as ``tallow reload: LOG_LEVEL changed``.

    Returns:
        The services that were restarted.

    Raises:
        NotRunningError: no stack runs in ``home``.
        StackError: a service was not restarted in time.
    """
    supervisor = require_supervisor(home)
    requested = set(names)
    plan = state_files.update_plan(home, lambda old: _with_requests(old, requested, reason), supervisor)
    restarted = tuple(task.name for task in plan.tasks if task.name in requested - set(plan.held))

    def pending() -> list[str]:
        return [name for name in restarted if _last_handled(home, name) < plan.restarts[name].number]

    deadline = time.monotonic() + STOP_S
    while waiting := pending():
        if time.monotonic() > deadline or state_files.supervisor_pid(home) is None:
            raise StackError(f"{', '.join(waiting)} did not restart; see: tallow logs supervisor")
        time.sleep(POLL_S)
    return restarted


def hold(home: StateDir, names: Iterable[str]) -> None:
    """Stop services and keep them down until the next `tallow up`.

    Args:
        home: the stack's folder.
        names: the services.

    Raises:
        NotRunningError: no stack runs in ``home``.
        StackError: a service does not stop in time.
    """
    supervisor = require_supervisor(home)
    stopped = set(names)
    state_files.update_plan(
        home, lambda old: replace(old, held=tuple(sorted({*old.held, *stopped}))), supervisor
    )
    wait_until(
        lambda: all(state_files.read_status(home).services[name].pid is None for name in stopped),
        STOP_S,
        f"{', '.join(sorted(stopped))} did not stop",
    )


def require_supervisor(home: StateDir) -> int:
    """The pid of the supervisor of the stack in ``home``.

    Raises:
        NotRunningError: there is none.
    """
    supervisor = state_files.supervisor_pid(home)
    if supervisor is None:
        raise NotRunningError("nothing runs here; start it with: tallow up")
    return supervisor


def wait_until(condition: Callable[[], bool], seconds: float, message: str) -> None:
    """Wait until a condition holds.

    Raises:
        StackError: it does not hold after ``seconds``; ``message`` is its text.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise StackError(message)
        time.sleep(POLL_S)


def _with_requests(plan: SupervisorPlan, names: set[str], reason: str) -> SupervisorPlan:
    """The plan with one more restart request for each named service that is not held."""
    added = {
        task.name: RestartRequest(_last_requested(plan, task.name) + 1, reason)
        for task in plan.tasks
        if task.name in names - set(plan.held)
    }
    return replace(plan, restarts={**plan.restarts, **added})


def _last_requested(plan: SupervisorPlan, name: str) -> int:
    return plan.restarts[name].number if name in plan.restarts else 0


def _last_handled(home: StateDir, name: str) -> int:
    """The number of the last restart request of a service that the supervisor carried out."""
    report = state_files.read_status(home)
    return report.services[name].restart_request if name in report.services else 0
