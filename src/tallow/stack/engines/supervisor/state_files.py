"""The supervisor's plan (what it is told to run) and its report: JSON files in the ``run`` folder."""

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
"""The plan's part of the ``run`` folder."""
ExitCause = Literal["exited", "not started", "unresponsive", "restart", "stop"]
SMTP: Final = "smtp"
"""In the place of an HTTP path: the greeting of a mail server."""
SAME_START_S = 1.0
"""psutil's creation times of one process differ by less."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Where a service is asked whether it is ready, and whether it is alive.

    Attributes:
        ready: a path that answers 2xx when the service can work, or :data:`SMTP`.
        alive: a path that is answered as long as the service lives, or :data:`SMTP`.
        user: for HTTP basic authentication; empty if none is asked for.
        password_file: the path of its password.
    """

    host: str
    port: int
    ready: str
    alive: str
    user: str = ""
    password_file: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A program to keep running."""

    name: str
    command: list[str]
    folder: str
    environment: dict[str, str]
    inherits: bool = False
    """Whether it gets the whole environment of `up`; otherwise only what programs need to run."""
    probe: Probe | None = None
    """Without one it is never found to hang."""


Record = TypeVar("Record", "Probe", "Release", "Task", "ProcessStatus", "RestartRequest", "ExitRecord")


@dataclass(frozen=True, slots=True)
class RestartRequest:
    """A wish that one service is restarted; see :func:`tallow.stack.engines.services.control.restart`."""

    number: int
    """Higher than that of the service's request before."""
    reason: str
    """Who asks and why, for the supervisor's log."""


@dataclass(frozen=True, slots=True)
class Release:
    """What a stack was started with.

    Attributes:
        version: Tallow's.
        code: a digest of its code and of the libraries it uses.
        programs: the versions of the other programs, by name.
    """

    version: str
    code: str
    programs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SupervisorPlan:
    """What the supervisor is to run.

    Attributes:
        tasks: in the order in which they start.
        held: services that stay down until `up` asks for them again.
        restarts: the last restart request of each service.
        liveness_timeout: after so many seconds without an answer a service is restarted; 0: never.
        release: what the stack was started with; None if an older version started it.
        stop_reason: who asked the supervisor to end and why; empty until somebody does.
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
            ``unresponsive``: the supervisor ended it because it did not answer; ``restart`` and ``stop``: it
            was asked to end.
        status: the exit status, negative for a signal; None if the process did not start.
        at: seconds since the epoch.
        reason: one sentence for people.
    """

    cause: ExitCause
    status: int | None
    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """The state of a service. Times are seconds since the epoch."""

    state: ProcessState = "stopped"
    pid: int | None = None
    born: float | None = None
    """When the process was created. The pid alone may name another process later."""
    since: float = 0.0
    restarts: int = 0
    """Restarts after failures; requested ones are not counted."""
    restart_request: int = 0
    """The number of the last restart request that was carried out."""
    last_exit: ExitRecord | None = None

    def process(self) -> psutil.Process | None:
        """The living process, if it still is the one that was started."""
        return live_process(self.pid, self.born)


@dataclass(frozen=True, slots=True)
class SupervisorStatus:
    """What the supervisor last said."""

    pid: int = 0
    services: Mapping[str, ProcessStatus] = field(default_factory=dict)


def live_process(pid: int | None, born: float | None) -> psutil.Process | None:
    """The process with this pid and creation time, None if it ended (its pid may be another's by now)."""
    if pid is None or born is None:
        return None
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if abs(process.create_time() - born) < SAME_START_S and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def write_plan(home: StateDir, plan: SupervisorPlan) -> bool:
    """Write the plan; whether it changed. A running supervisor reads it when it gets SIGHUP."""
    return write_private(home.run / PLAN_FILE, json.dumps(asdict(plan), indent=1))


def find_plan(home: StateDir) -> SupervisorPlan | None:
    """The plan as it was written last; None if there is none that can be read."""
    found = read_json(home.run / PLAN_FILE)
    try:
        return _plan(found)
    except (AttributeError, KeyError, TypeError):
        return None


def read_plan(home: StateDir) -> SupervisorPlan:
    """The plan as it was written last; one with nothing in it if there is none that can be read."""
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
    """Change the plan of a running supervisor and tell it to read it: the new plan.

    Args:
        change: called with the present plan; nobody else changes it meanwhile.
        supervisor: its pid.
    """
    with locked(home, "plan"):
        changed = change(read_plan(home))
        if write_plan(home, changed):
            os.kill(supervisor, signal.SIGHUP)
    return changed


def write_status(home: StateDir, report: SupervisorStatus) -> None:
    """Write the supervisor's report."""
    write_private(home.run / STATUS_FILE, json.dumps(asdict(report), indent=1))


def read_status(home: StateDir) -> SupervisorStatus:
    """The supervisor's last report. The supervisor may have ended since: ask :func:`supervisor`."""
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
    """A record from a file that another version may have written; unknown fields are left out."""
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in facts.items() if name in known})


def supervisor_pid(home: StateDir) -> int | None:
    """The pid of the living supervisor, None if there is none."""
    if not home.run.is_dir():
        return None
    with locked(home, "supervisor", wait=False) as free:
        return None if free else read_status(home).pid or None
