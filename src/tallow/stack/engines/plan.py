"""The supervisor's plan (what it is told to run) and its report: JSON files in the ``run`` folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_args

import psutil

from tallow.stack.engines.home import Home, append_private, read_json, write_private

State = Literal["starting", "running", "waiting", "stopped"]
Lock = Literal["up", "plan", "supervisor"]
PLAN_FILE: Final = "plan.json"
REPORT_FILE: Final = "report.json"
FILES: Final = (PLAN_FILE, REPORT_FILE, *(f"{name}.lock" for name in get_args(Lock)))
"""Everything in the ``run`` folder."""
Cause = Literal["exited", "not started", "unresponsive", "restart", "stop"]
SAME_START_S = 1.0
"""psutil's creation times of one process differ by less."""


@dataclass(frozen=True, slots=True)
class Task:
    """A program to keep running."""

    name: str
    command: list[str]
    folder: str
    environment: dict[str, str]
    inherits: bool = False
    """Whether it gets the whole environment of `up`; otherwise only what programs need to run."""


Record = TypeVar("Record", "Task", "Running", "RestartRequest", "Exit")


@dataclass(frozen=True, slots=True)
class RestartRequest:
    """A wish that one service is restarted; see :func:`tallow.stack.engines.restart.restart`."""

    number: int
    """Higher than that of the service's request before."""
    reason: str
    """Who asks and why, for the supervisor's log."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the supervisor is to run.

    Attributes:
        tasks: in the order in which they start.
        held: services that stay down until `up` asks for them again.
        restarts: the last restart request of each service.
        stop_reason: who asked the supervisor to end and why; empty until somebody does.
    """

    tasks: tuple[Task, ...] = ()
    held: tuple[str, ...] = ()
    restarts: Mapping[str, RestartRequest] = field(default_factory=dict)
    stop_reason: str = ""


@dataclass(frozen=True, slots=True)
class Exit:
    """Why a service's process ended, or did not start.

    Attributes:
        cause: ``exited``: by itself or by a signal that the supervisor did not send; ``not started``;
            ``unresponsive``: the supervisor ended it because it did not answer; ``restart`` and ``stop``: it
            was asked to end.
        status: the exit status, negative for a signal; None if the process did not start.
        at: seconds since the epoch.
        reason: one sentence for people.
    """

    cause: Cause
    status: int | None
    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class Running:
    """The state of a service. Times are seconds since the epoch."""

    state: State = "stopped"
    pid: int | None = None
    born: float | None = None
    """When the process was created. The pid alone may name another process later."""
    since: float = 0.0
    restarts: int = 0
    """Restarts after failures; requested ones are not counted."""
    restart_request: int = 0
    """The number of the last restart request that was carried out."""
    last_exit: Exit | None = None

    def process(self) -> psutil.Process | None:
        """The living process, if it still is the one that was started."""
        return living(self.pid, self.born)


@dataclass(frozen=True, slots=True)
class Report:
    """What the supervisor last said."""

    pid: int = 0
    services: Mapping[str, Running] = field(default_factory=dict)


def living(pid: int | None, born: float | None) -> psutil.Process | None:
    """The process with this pid and creation time, None if it ended (its pid may be another's by now)."""
    if pid is None or born is None:
        return None
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if abs(process.create_time() - born) < SAME_START_S and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def write_plan(home: Home, plan: Plan) -> bool:
    """Write the plan; whether it changed. A running supervisor reads it when it gets SIGHUP."""
    return write_private(home.run / PLAN_FILE, json.dumps(asdict(plan), indent=1))


def read_plan(home: Home) -> Plan:
    """The plan as it was written last."""
    found = read_json(home.run / PLAN_FILE) or {}
    return Plan(
        tuple(_made(Task, facts) for facts in found.get("tasks", ())),
        tuple(found.get("held", ())),
        {name: _made(RestartRequest, facts) for name, facts in found.get("restarts", {}).items()},
        found.get("stop_reason", ""),
    )


def update_plan(home: Home, change: Callable[[Plan], Plan], supervisor: int) -> Plan:
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


def write_report(home: Home, report: Report) -> None:
    """Write the supervisor's report."""
    write_private(home.run / REPORT_FILE, json.dumps(asdict(report), indent=1))


def read_report(home: Home) -> Report:
    """The supervisor's last report. The supervisor may have ended since: ask :func:`supervisor`."""
    found = read_json(home.run / REPORT_FILE)
    if not found:
        return Report()
    return Report(found["pid"], {name: _running(facts) for name, facts in found["services"].items()})


def _running(facts: dict[str, Any]) -> Running:
    ended = facts.get("last_exit")
    return _made(Running, {**facts, "last_exit": _made(Exit, ended) if ended else None})


def _made(kind: type[Record], facts: dict[str, Any]) -> Record:
    """A record from a file that another version may have written; unknown fields are left out."""
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in facts.items() if name in known})


@contextlib.contextmanager
def locked(home: Home, name: Lock, *, wait: bool = True) -> Iterator[bool]:
    """Hold a lock of the stack; yields whether it was had. The kernel frees it when its holder dies.

    Raises:
        OSError: the lock's file cannot be made.
    """
    path = home.run / f"{name}.lock"
    while True:
        with os.fdopen(append_private(path), "a") as file:
            had = _flock(file.fileno(), wait=wait)
            if not had or _is_at(file.fileno(), path):  # else a purge removed the file during the wait
                yield had
                return


def _flock(descriptor: int, *, wait: bool) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file still is the one at a path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def supervisor(home: Home) -> int | None:
    """The pid of the living supervisor, None if there is none."""
    if not home.run.is_dir():
        return None
    with locked(home, "supervisor", wait=False) as free:
        return None if free else read_report(home).pid or None
