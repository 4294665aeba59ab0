"""The state of a service, from the supervisor's report and from the service's own answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import psutil

from tallow.stack.engines.services.health import Health, probe_all
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import ExitRecord, ProcessStatus

START_S: Final = 60.0
"""How long a process may take until it answers; after that it is failing."""
RECENT_S: Final = 86_400.0
"""How long the failure of a service that is healthy again is shown."""

StateName = Literal["healthy", "starting", "failing", "ended", "stopped"]


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A service as `tallow status` shows it.

    Attributes:
        name: ``stopped`` is on request; ``ended`` is not.
        detail: what is wrong or happened, in a sentence without a full stop; empty where there is nothing.
    """

    name: StateName
    detail: str = ""

    @property
    def is_healthy(self) -> bool:
        return self.name == "healthy"


def service_states(home: StateDir) -> dict[str, ServiceState]:
    """Ask every service of the stack in ``home``; in the order of the services."""
    report = state_files.read_status(home)
    return {
        name: service_state(report.services.get(name), health) for name, health in probe_all(home).items()
    }


def service_state(running: ProcessStatus | None, health: Health) -> ServiceState:
    """Judge one service.

    An answer alone does not make a service healthy: another program may have taken its port.

    Args:
        running: what the supervisor says; None if it does not know the service.
        health: the answer on the service's port.
    """
    if running is None:
        return ServiceState("ended", "not started")
    process = running.process()
    if process is None:
        name: StateName = "stopped" if running.state == "stopped" else "ended"
        return ServiceState(name, _why_no_process(running, health))
    if _is_suspended(process):
        return ServiceState("failing", f"suspended by SIGSTOP; to let it go on: kill -CONT {process.pid}")
    if health.healthy:
        return ServiceState("healthy", _recent_failure(running.last_exit))
    is_new = time.time() - running.since < START_S
    return ServiceState("starting" if is_new else "failing", health.why)


def format_age(since: float) -> str:
    """How long ago a time is, in its largest unit: ``12 m``. The argument is in seconds since the epoch."""
    seconds = int(max(0, time.time() - since))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _why_no_process(running: ProcessStatus, health: Health) -> str:
    """Why a service has no process, and what happens next."""
    ended = running.last_exit
    parts = [f"{ended.reason}, {format_age(ended.at)} ago" if ended else "its process has ended"]
    if running.state == "waiting":
        parts.append("it is started again in a moment")
    if health.healthy:
        parts.append("another program answers on its port")
    return "; ".join(parts)


def _recent_failure(ended: ExitRecord | None) -> str:
    """Why a healthy service was started again, unless somebody asked for it."""
    if ended is None or ended.cause in {"restart", "stop"} or time.time() - ended.at > RECENT_S:
        return ""
    return f"started again {format_age(ended.at)} ago: {ended.reason}"


def _is_suspended(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False


def unhealthy(states: Mapping[str, ServiceState]) -> list[str]:
    """The names of the services that are not healthy."""
    return [name for name, state in states.items() if not state.is_healthy]
