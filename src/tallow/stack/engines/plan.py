"""What the supervisor is told and what it tells: small files in the stack's ``run`` folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypeVar

import psutil

from tallow.stack.engines.home import Home, append_private, read_json, write_private

State = Literal["starting", "running", "waiting", "stopped"]
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


Record = TypeVar("Record", "Task", "Running")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run; ``held`` names what stays down until it is asked for again."""

    tasks: tuple[Task, ...] = ()
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Running:
    """How a service does. Times are seconds since the epoch."""

    state: State = "stopped"
    pid: int | None = None
    born: float | None = None
    """When the process was created: with the pid it names one process for certain."""
    since: float = 0.0
    restarts: int = 0
    exit: int | None = None
    """The last exit status; negative for a signal."""

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
    """Tell the supervisor; whether anything changed."""
    return write_private(home.run / "plan.json", json.dumps(asdict(plan), indent=1))


def read_plan(home: Home) -> Plan:
    """What was told last."""
    found = read_json(home.run / "plan.json") or {"tasks": [], "held": []}
    return Plan(tuple(_made(Task, facts) for facts in found["tasks"]), tuple(found["held"]))


def write_report(home: Home, report: Report) -> None:
    """Tell everybody."""
    write_private(home.run / "report.json", json.dumps(asdict(report), indent=1))


def read_report(home: Home) -> Report:
    """What the supervisor last said; it may be gone by now: ask :func:`supervisor`."""
    found = read_json(home.run / "report.json")
    if not found:
        return Report()
    return Report(found["pid"], {name: _made(Running, facts) for name, facts in found["services"].items()})


def _made(kind: type[Record], facts: dict[str, Any]) -> Record:
    """A record from a file that another version may have written: what it does not know is left out."""
    known = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in facts.items() if name in known})


@contextlib.contextmanager
def locked(home: Home, name: str, *, wait: bool = True) -> Iterator[bool]:
    """Hold a lock of the stack; yields whether it was had. The kernel frees it when its holder dies."""
    with os.fdopen(append_private(home.run / f"{name}.lock"), "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True


def supervisor(home: Home) -> int | None:
    """The pid of the living supervisor, None if there is none."""
    if not home.run.is_dir():
        return None
    with locked(home, "supervisor", wait=False) as free:
        return None if free else read_report(home).pid or None
