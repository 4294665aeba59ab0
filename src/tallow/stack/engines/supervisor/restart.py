"""Requested restarts: a running service is ended and started again at once, which is no failure.

The supervisor neither counts a requested restart nor waits before it. Its log and `tallow status` name the
reason.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from tallow.stack.engines.native import STOP_S, NotRunningError, StackError
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import RestartRequest, SupervisorPlan

POLL_S: Final = 0.05


def restart(home: StateDir, names: Iterable[str], reason: str) -> tuple[str, ...]:
    """Restart services and wait until each has a new process. Whether it is healthy is not looked at.

    Args:
        names: the services. Those that `down` holds stay down.
        reason: who asks and why, such as ``tallow reload: LOG_LEVEL changed``.

    Returns:
        The services that were restarted.

    Raises:
        NotRunningError: nothing runs here.
        StackError: a service was not restarted in time.
    """
    supervisor = state_files.supervisor(home)
    if supervisor is None:
        raise NotRunningError("nothing runs here; start it with: tallow up")
    asked = set(names)
    told = state_files.update_plan(home, lambda before: _requested(before, asked, reason), supervisor)
    chosen = tuple(task.name for task in told.tasks if task.name in asked - set(told.held))
    deadline = time.monotonic() + STOP_S
    while waiting := [name for name in chosen if _number(home, name) < told.restarts[name].number]:
        if time.monotonic() > deadline or state_files.supervisor(home) is None:
            raise StackError(f"{', '.join(waiting)} did not restart; see: tallow logs supervisor")
        time.sleep(POLL_S)
    return chosen


def _requested(before: SupervisorPlan, names: set[str], reason: str) -> SupervisorPlan:
    """The plan with one more request for each service that is to run."""
    added = {
        task.name: RestartRequest(_last(before, task.name) + 1, reason)
        for task in before.tasks
        if task.name in names - set(before.held)
    }
    return replace(before, restarts={**before.restarts, **added})


def _last(before: SupervisorPlan, name: str) -> int:
    return before.restarts[name].number if name in before.restarts else 0


def _number(home: StateDir, name: str) -> int:
    """The last request of a service that was carried out."""
    report = state_files.read_report(home)
    return report.services[name].restart_request if name in report.services else 0
