"""The containers of a stack, and their states as `tallow status` shows them."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tallow.stack.engines.docker.client import Project, docker, docker_json, docker_logs
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.services.service_state import ServiceState

_SERVICE: Final = "com.docker.compose.service"
_ANSI: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
REASON_LINES: Final = 5
_SIGNALLED: Final = 128
"""The exit code of a process that a signal ended is this and the signal's number."""
_ON_REQUEST: Final = frozenset({0, _SIGNALLED + signal.SIGTERM, _SIGNALLED + signal.SIGINT})
"""The exit codes of programs that were asked to stop."""
_KILLED: Final = _SIGNALLED + signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Container:
    """A container, as the engine describes it.

    Attributes:
        status: ``created``, ``running``, ``restarting``, ``exited``, ``paused`` or ``dead``.
        health: ``healthy``, ``starting`` or ``unhealthy``; empty without a health check.
        health_output: what the last health check printed, as one line.
        exit_code: of its last end.
        error: why it could not be started; may be empty.
        restarts: by the engine, after failures.
        since: when it was started, in seconds since the epoch.
        killed_for_memory: whether the kernel ended it for its use of memory.
    """

    service: str
    id: str
    status: str
    health: str = ""
    health_output: str = ""
    exit_code: int = 0
    error: str = ""
    restarts: int = 0
    since: float = 0.0
    killed_for_memory: bool = False

    @property
    def is_running(self) -> bool:
        """Whether it has a process."""
        return self.status in {"running", "paused"}

    @property
    def has_failed(self) -> bool:
        """Whether it ended, or could not be started, and was not stopped on request."""
        ended = self.status == "exited" and self.exit_code not in _ON_REQUEST
        return self.status in {"restarting", "dead"} or ended or bool(self.error)

    @property
    def was_killed(self) -> bool:
        """Whether its process was killed, so that its log does not tell why it ended."""
        return self.killed_for_memory or self.exit_code == _KILLED

    def state(self) -> ServiceState:
        """Its state."""
        if self.status == "paused":
            return ServiceState("failing", f"paused; to go on: docker unpause {self.id}")
        if self.status != "running":
            return ServiceState("ended" if self.has_failed else "stopped", self._describe_end())
        if self.health == "starting":
            return ServiceState("starting", self._restarted())
        if self.health == "unhealthy":
            return ServiceState("failing", f"its health check fails: {self.health_output or 'no output'}")
        return ServiceState("healthy", self._restarted())

    def _restarted(self) -> str:
        return f"restarted {self.restarts} times after failures" if self.restarts else ""

    def _describe_end(self) -> str:
        if self.error:
            return self.error
        if self.status == "created":
            return "not started"
        reason = _describe_exit(self.exit_code)
        if self.killed_for_memory:
            reason = f"killed: out of memory (status {self.exit_code})"
        return f"{reason}; it will be restarted" if self.status == "restarting" else reason


def _describe_exit(code: int) -> str:
    if code == _KILLED:
        return f"killed by SIGKILL (status {code}): by docker kill, or since it did not end in time"
    return f"ended with status {code}"


def containers(project: Project) -> dict[str, Container]:
    """The containers of a project by service. One that was never made is missing.

    Raises:
        StackError: the daemon does not answer.
    """
    ids = docker(
        "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label=com.docker.compose.project={project.name}"
    ).split()
    found = [_container(facts) for facts in docker_json("inspect", *ids)] if ids else []
    return {one.service: one for one in found}


def states(project: Project, services: Iterable[str]) -> Mapping[str, ServiceState]:
    """The state of each service, in the order that was given."""
    found = containers(project)
    missing = ServiceState("ended", "not started")
    return {name: found[name].state() if name in found else missing for name in services}


def last_lines(container: Container, count: int = REASON_LINES) -> list[str]:
    """The last lines that a container wrote, without colours; none if it cannot be read."""
    try:
        output = docker_logs(container.id, count)
    except StackError:
        return []
    return [plain(line) for line in output.splitlines() if line.strip()]


def plain(line: str) -> str:
    """A line without the control sequences that a program writes to a terminal."""
    return _ANSI.sub("", line).rstrip("\r\n")


def _container(facts: Mapping[str, Any]) -> Container:
    state = facts["State"]
    health = state.get("Health") or {}
    log = health.get("Log") or [{}]
    return Container(
        service=facts["Config"]["Labels"].get(_SERVICE, ""),
        id=facts["Id"][:12],
        status=state["Status"],
        health=health.get("Status", ""),
        health_output=" ".join(str(log[-1].get("Output", "")).split())[-300:],
        exit_code=state["ExitCode"],
        error=" ".join(str(state.get("Error", "")).split()),
        restarts=facts.get("RestartCount", 0),
        since=_seconds(state["StartedAt"]),
        killed_for_memory=state.get("OOMKilled", False),
    )


def _seconds(text: str) -> float:
    """A time of the engine, which has nine digits after the point, in seconds since the epoch."""
    try:
        moment = datetime.fromisoformat(re.sub(r"\.(\d{1,6})\d*", r".\1", text))
        return moment.timestamp()
    except ValueError:
        return 0.0
