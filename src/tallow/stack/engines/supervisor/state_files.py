"""The supervisor's plan (what it must run) and its status: JSON files in the ``run`` folder.

After an upgrade a running supervisor of the version before reads and writes the same files: keys are added,
never renamed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal, TypeVar

import psutil

from tallow.monitoring.lifecycle.private_files import write_private
from tallow.stack.engines.state.locks import LOCK_FILES, locked
from tallow.stack.engines.state.state_dir import LIVENESS_TIMEOUT_S, StateDir, read_json

ProcessState = Literal["starting", "running", "waiting", "stopped"]
PLAN_FILE: Final = "plan.json"
STATUS_FILE: Final = "report.json"
FILES: Final = (PLAN_FILE, STATUS_FILE, *LOCK_FILES)
"""Every file of the supervisor in the ``run`` folder."""
ExitCause = Literal["exited", "not started", "unresponsive", "restart", "stop"]
SMTP: Final = "smtp"
"""Used instead of an HTTP path: the greeting of a mail server is checked."""
SAME_START_S = 1.0
"""Creation times that psutil reports for one process differ by less than this many seconds."""


@dataclass(frozen=True, slots=True)
class Probe:
    """The addresses of a service's readiness and liveness checks.

    Attributes:
        ready: a path that answers 2xx when the service is ready, or :data:`SMTP`.
        alive: a path that is answered while the service is alive, or :data:`SMTP`.
        user: for HTTP basic authentication; empty if none is required.
        password_file: the path of the password's file.
    """

    host: str
    port: int
    ready: str
    alive: str
    user: str = ""
    password_file: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A program to keep running.

    Attributes:
        inherits: whether it inherits the whole environment of `up`; otherwise only what every program needs.
        probe: None switches its liveness check off.
    """

    name: str
    command: list[str]
    folder: str
    environment: dict[str, str]
    inherits: bool = False
    probe: Probe | None = None


Record = TypeVar("Record", "Probe", "Release", "Task", "ProcessStatus", "RestartRequest", "ExitRecord")


@dataclass(frozen=True, slots=True)
class RestartRequest:
    """A request to restart one service; see :func:`tallow.stack.engines.services.control.restart`.

    Attributes:
        number: higher than that of the request before for the same service.
        reason: who requests it and why, for the supervisor's log.
    """

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Release:
    """The versions that a stack was started with.

    Attributes:
        version: of Tallow.
        code: a digest of Tallow's code and of the installed libraries.
        programs: versions of the other programs, by name.
    """

    version: str
    code: str
    programs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SupervisorPlan:
    """What the supervisor must run.

    Attributes:
        tasks: in the order in which they start.
        held: services that stay down until the next `up`.
        restarts: the last restart request of each service.
        liveness_timeout: seconds without an answer after which a service is restarted; 0: never.
        release: what the stack was started with; None if a version started it that did not record it.
        stop_reason: who requested the end of the supervisor and why; empty before that.
    """

    tasks: tuple[Task, ...] = ()
    held: tuple[str, ...] = ()
    restarts: Mapping[str, RestartRequest] = field(default_factory=dict)
    liveness_timeout: float = LIVENESS_TIMEOUT_S
    release: Release | None = None
    stop_reason: str = ""


@dataclass(frozen=True, slots=True)
class ExitRecord:
    """Why a service's process ended, or did not start.

    Attributes:
        cause: ``exited``: by itself or by a signal that the supervisor did not send; ``not started``;
            ``unresponsive``: the supervisor ended it because it did not answer; ``restart`` and ``stop``: on
            request.
        status: the exit status, negative for a signal; None if the process did not start.
        at: seconds since the epoch.
        reason: one sentence for the operator.
    """

    cause: ExitCause
    status: int | None
    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """The state of a service's process. Times are seconds since the epoch.

    Attributes:
        born: when the process was created; a pid alone may be another process later.
        since: when :attr:`state` last changed.
        restarts: restarts after failures; requested ones are not counted.
        restart_request: the number of the last restart request that was carried out.
    """

    state: ProcessState = "stopped"
    pid: int | None = None
    born: float | None = None
    since: float = 0.0
    restarts: int = 0
    restart_request: int = 0
    last_exit: ExitRecord | None = None

    def process(self) -> psutil.Process | None:
        """The process, if it still runs."""
        return live_process(self.pid, self.born)


@dataclass(frozen=True, slots=True)
class SupervisorStatus:
    """The supervisor and the processes of its services, as it last wrote them."""

    pid: int = 0
    services: Mapping[str, ProcessStatus] = field(default_factory=dict)


def live_process(pid: int | None, born: float | None) -> psutil.Process | None:
    """The process with this pid and creation time; None if it has exited, even if the pid is in use again."""
    if pid is None or born is None:
        return None
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if abs(process.create_time() - born) < SAME_START_S and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def write_plan(home: StateDir, plan: SupervisorPlan) -> bool:
    """Write the plan and return whether it changed. A running supervisor reads it on SIGHUP."""
    return write_private(home.run / PLAN_FILE, json.dumps(asdict(plan), indent=1))


def find_plan(home: StateDir) -> SupervisorPlan | None:
    """The plan; None if it is missing or cannot be read."""
    found = read_json(home.run / PLAN_FILE)
    try:
        return _plan(found)
    except (AttributeError, KeyError, TypeError):
        return None


def read_plan(home: StateDir) -> SupervisorPlan:
    """The plan; an empty one if it is missing or cannot be read."""
    return find_plan(home) or SupervisorPlan()


def _plan(found: dict[str, Any]) -> SupervisorPlan:
    release = found.get("release")
    return SupervisorPlan(
        tuple(_task(facts) for facts in found.get("tasks", ())),
        tuple(found.get("held", ())),
        {name: _made(RestartRequest, facts) for name, facts in found.get("restarts", {}).items()},
        found.get("liveness_timeout", LIVENESS_TIMEOUT_S),
        _made(Release, release) if release else None,
        found.get("stop_reason", ""),
    )


def update_plan(
    home: StateDir, change: Callable[[SupervisorPlan], SupervisorPlan], supervisor: int
) -> SupervisorPlan:
    """Change the plan and have the running supervisor read it.

    Args:
        change: returns the new plan; called with the present one under a lock.
        supervisor: the supervisor's pid.

    Returns:
        The new plan.
    """
    with locked(home, "plan"):
        changed = change(read_plan(home))
        if write_plan(home, changed):
            os.kill(supervisor, signal.SIGHUP)
    return changed


def write_status(home: StateDir, status: SupervisorStatus) -> None:
    """Write the supervisor's status."""
    write_private(home.run / STATUS_FILE, json.dumps(asdict(status), indent=1))


def read_status(home: StateDir) -> SupervisorStatus:
    """The status as the supervisor last wrote it; :func:`supervisor_pid` tells whether it still runs."""
    found = read_json(home.run / STATUS_FILE)
    if not found:
        return SupervisorStatus()
    return SupervisorStatus(
        found["pid"], {name: _running(facts) for name, facts in found["services"].items()}
    )


def _task(facts: dict[str, Any]) -> Task:
    probe = facts.get("probe")
    return _made(Task, {**facts, "probe": _made(Probe, probe) if probe else None})


def _running(facts: dict[str, Any]) -> ProcessStatus:
    ended = facts.get("last_exit")
    return _made(ProcessStatus, {**facts, "last_exit": _made(ExitRecord, ended) if ended else None})


def _made(kind: type[Record], facts: dict[str, Any]) -> Record:
    """A record from a file that another version may have written; unknown fields are ignored."""
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in facts.items() if name in known})


def supervisor_pid(home: StateDir) -> int | None:
    """The pid of the running supervisor; None if none runs."""
    if not home.run.is_dir():
        return None
    with locked(home, "supervisor", wait=False) as acquired:
        return None if acquired else read_status(home).pid or None
