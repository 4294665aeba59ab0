"""A complete native stack for a drill: started with `tallow up` and operated with commands."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from tallow.monitoring.lifecycle.private_files import private_folder, write_private
from tallow.stack.drill.environment.server import DrillError
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.processes.environment import BASE_VARIABLES, inherited_environment
from tallow.stack.engines.processes.shell import run_shell
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.services.definitions import ports
from tallow.stack.engines.services.ports import is_taken
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import ProcessStatus
from tallow.stack.routing import AlertSettings

COMMAND_TIMEOUT_S: Final = 180.0
ATTEMPTS: Final = 3
"""Another program may take a port after it was found free."""
_PORT_OFFSETS: Final = range(11_000, 31_000)
_INHERITED: Final = (*BASE_VARIABLES, "TALLOW_PROGRAMS", "TALLOW_TOOLS", "XDG_CACHE_HOME")
"""Without the operator's settings: a drill must not notify the people that they name."""


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """The result of a command.

    Attributes:
        status: its exit status.
        output: standard output and error.
    """

    command: str
    status: int
    output: str


@dataclass(frozen=True, slots=True)
class NativeStack:
    """A running stack.

    Attributes:
        folder: where its commands run, with its ``.env``.
    """

    home: StateDir
    folder: Path
    port_offset: int

    def service_status(self, service: str) -> ProcessStatus:
        """The state of a service's process, from the supervisor."""
        return state_files.read_status(self.home).services[service]

    def instance_label(self, service: str) -> str:
        """The label ``instance`` of a service's series."""
        return f"127.0.0.1:{ports(self.port_offset)[service]}"

    async def run(self, command: str) -> CommandOutput:
        """Run a line of shell in which `tallow` commands are about this stack.

        Raises:
            DrillError: it does not end in time.
        """
        try:
            status, output = await run_shell(command, self.folder, _environment(self.home), COMMAND_TIMEOUT_S)
        except TimeoutError:
            raise DrillError(f"`{command}` did not end within {COMMAND_TIMEOUT_S:.0f} s") from None
        return CommandOutput(command, status, output)

    async def query(self, expr: str) -> float | None:
        """The first value of an instant query; None if it has none or Prometheus does not answer."""
        with contextlib.suppress(StackError):
            answer = await asyncio.to_thread(self._get, "/api/v1/query", query=expr)
            if answer["data"]["result"]:
                return float(answer["data"]["result"][0]["value"][1])
        return None

    async def alerts(self) -> list[dict[str, Any]]:
        """Prometheus's pending and firing alerts; empty while it does not answer."""
        with contextlib.suppress(StackError):
            answer = await asyncio.to_thread(self._get, "/api/v1/alerts")
            return list(answer["data"]["alerts"])
        return []

    def _get(self, path: str, **query: str) -> Any:
        return Api.of("prometheus", self.home).get(path, **query)


@asynccontextmanager
async def native_stack(
    folder: Path, settings: AlertSettings, scale: float, liveness_timeout: float
) -> AsyncIterator[NativeStack]:
    """Start a healthy stack in ``folder``; stop it when the block ends.

    Args:
        settings: the receivers of its alerts; PagerDuty is left out, because its address cannot be set.
        scale: multiplies all times.
        liveness_timeout: seconds without an answer after which a service is restarted; 0: never.

    Raises:
        DrillError: it does not start.
    """
    private_folder(folder)
    write_private(folder / ".env", _env_file(settings))
    home = StateDir(folder / "home")
    try:
        yield await _start(home, folder, f"--scale {scale} --liveness-timeout {liveness_timeout}")
    finally:
        await NativeStack(home, folder, 0).run("tallow down")


async def _start(home: StateDir, folder: Path, options: str) -> NativeStack:
    for attempt in range(1, ATTEMPTS + 1):
        stack = NativeStack(home, folder, _free_port_offset())
        result = await stack.run(f"tallow up --port-offset {stack.port_offset} {options}")
        if result.status == 0:
            return stack
        if attempt == ATTEMPTS or "is taken by" not in result.output:
            break
    raise DrillError(f"the stack does not start: {result.output.strip()}")


def _env_file(settings: AlertSettings) -> str:
    values = settings.model_dump(exclude_none=True, exclude={"pagerduty_routing_key", "heartbeat_url"})
    plain = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in values.items()
    }
    return "".join(f"{name.upper()}={value}\n" for name, value in plain.items())


def _environment(home: StateDir) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    own = {"PATH": path, "TALLOW_HOME": str(home.root), "COLUMNS": "200"}
    return inherited_environment(_INHERITED) | own


def _free_port_offset() -> int:
    while True:
        offset = random.choice(_PORT_OFFSETS)  # noqa: S311 - no secret
        if not any(is_taken(port) for port in ports(offset).values()):
            return offset
