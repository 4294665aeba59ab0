"""Have containers use new files, and check that they do: neither SIGHUP nor a restart reports it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from tallow.stack.engines.docker.client import CHANGE_S, Project
from tallow.stack.engines.docker.containers import containers
from tallow.stack.engines.docker.failure import describe_failure
from tallow.stack.engines.docker.project import project
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.reload.acceptance import reload_state
from tallow.stack.engines.state.state_dir import StateDir

READY_S: Final = 90.0
POLL_S: Final = 0.2
CLOCK_S: Final = 1.0
"""Prometheus says in whole seconds when it accepted a configuration."""


def restart(home: StateDir, names: Iterable[str]) -> tuple[str, ...]:
    """Restart services that run, and wait until each is healthy.

    Returns:
        The services that were restarted; those that `down` stopped stay down.

    Raises:
        StackError: a service is not healthy in time.
    """
    used = project(home)
    found = containers(used)
    chosen = tuple(name for name in names if name in found and found[name].state().name != "stopped")
    if chosen:
        used.compose("restart", *chosen, seconds=CHANGE_S)
        wait_until_healthy(used, chosen)
    return chosen


def wait_until_healthy(used: Project, names: Iterable[str]) -> None:
    """Wait for services.

    Raises:
        StackError: one is not healthy in time, or ended; one line with the reason.
    """
    deadline = time.monotonic() + READY_S
    for name in names:
        while not (found := containers(used)[name]).state().is_healthy:
            if found.restarts > 0 or time.monotonic() > deadline:
                raise StackError(describe_failure(found))
            time.sleep(POLL_S)


def read_again(home: StateDir, service: str) -> bool:
    """Send SIGHUP, and wait until its metrics show the result. A service that does not answer is restarted.

    Returns:
        Whether it uses the files now; not if it was stopped on request.

    Raises:
        StackError: it rejects the configuration, or does not start.
    """
    before = reload_state(service, home)
    if before is None:
        return bool(restart(home, [service]))
    at = time.time()
    project(home).compose("kill", "--signal", "SIGHUP", service)
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        state = reload_state(service, home)
        if state and state.successful and state.at >= at - CLOCK_S:
            return True
        # If the configuration before was rejected too, a failure tells nothing about this one.
        if state and not state.successful and before.successful:
            break
        time.sleep(POLL_S)
    raise StackError(describe_failure(containers(project(home))[service], "refuses the configuration"))
