"""The state of a service, from the supervisor's status and from the service's readiness check."""

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
"""Seconds from the start of a process in which it may be unready; after that it is failing."""
RECENT_S: Final = 86_400.0
"""Seconds for which the last failure of a healthy service is shown."""

StateName = Literal["healthy", "starting", "failing", "ended", "stopped"]


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A service as `tallow status` shows it.

    Attributes:
        name: ``stopped`` is on request; ``ended`` is not.
        detail: what is wrong or what happened, as a sentence without a full stop; may be empty.
    """

    name: StateName
    detail: str = ""

    @property
    def is_healthy(self) -> bool:
        """Whether the service works."""
        return self.name == "healthy"


def service_states(home: StateDir) -> dict[str, ServiceState]:
    """The state of every service of the stack in ``home``, in the order in which they start."""
    status = state_files.read_status(home)
    return {
        name: service_state(status.services.get(name), health) for name, health in probe_all(home).items()
    }


def service_state(status: ProcessStatus | None, health: Health) -> ServiceState:
    """The state of one service. Without a process a good answer does not count: another program gave it.

    Args:
        status: the supervisor's; None if it does not know the service.
        health: the readiness check on the service's port.
    """
    if status is None:
        return ServiceState("ended", "not started")
    process = status.process()
    if process is None:
        name: StateName = "stopped" if status.state == "stopped" else "ended"
        return ServiceState(name, _describe_exit(status, health))
    if _is_suspended(process):
        return ServiceState("failing", f"suspended by SIGSTOP; to resume it: kill -CONT {process.pid}")
    if health.healthy:
        return ServiceState("healthy", _recent_failure(status.last_exit))
    is_new = time.time() - status.since < START_S
    return ServiceState("starting" if is_new else "failing", health.why)


def format_age(since: float) -> str:
    """The time since ``since`` in its largest unit, such as ``12 m``.

    Args:
        since: seconds since the epoch.
    """
    seconds = int(max(0, time.time() - since))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _describe_exit(status: ProcessStatus, health: Health) -> str:
    """Why a service has no process, and what happens next."""
    last_exit = status.last_exit
    parts = [f"{last_exit.reason}, {format_age(last_exit.at)} ago" if last_exit else "its process has ended"]
    if status.state == "waiting":
        parts.append("it will be restarted")
    if health.healthy:
        parts.append("another program answers on its port")
    return "; ".join(parts)


def _recent_failure(last_exit: ExitRecord | None) -> str:
    """The last failure of a healthy service, if it is recent."""
    if last_exit is None or last_exit.cause in {"restart", "stop"}:
        return ""
    if time.time() - last_exit.at > RECENT_S:
        return ""
    return f"restarted {format_age(last_exit.at)} ago: {last_exit.reason}"


def _is_suspended(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False


def unhealthy(states: Mapping[str, ServiceState]) -> list[str]:
    """The names of the services that are not healthy."""
    return [name for name, state in states.items() if not state.is_healthy]
