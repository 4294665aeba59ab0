"""A complete native stack for a drill: started by `tallow up`, and worked with as its operator would."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
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
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.services.definitions import ports
from tallow.stack.engines.services.ports import is_taken
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import ProcessStatus
from tallow.stack.routing import AlertSettings

COMMAND_S: Final = 180.0
ATTEMPTS: Final = 3
"""Another program may take a port between the choice of ports and their use."""
_OFFSETS: Final = range(11_000, 31_000)
_INHERITED: Final = (
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "TALLOW_PROGRAMS",
    "TALLOW_TOOLS",
    "XDG_CACHE_HOME",
)
"""Not the settings of the operator: a drill must not page the people that they name."""


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """What a command came to."""

    command: str
    status: int
    output: str


@dataclass(frozen=True, slots=True)
class NativeStack:
    """A stack that runs.

    Attributes:
        folder: where its commands are run, with its ``.env``.
        offset: of its ports.
    """

    home: StateDir
    folder: Path
    port_offset: int

    def service_status(self, service: str) -> ProcessStatus:
        """What the supervisor says of a service."""
        return state_files.read_status(self.home).services[service]

    def instance_label(self, service: str) -> str:
        """Its ``instance`` label."""
        return f"127.0.0.1:{ports(self.port_offset)[service]}"

    async def run(self, line: str) -> CommandOutput:
        """Run a line of shell with this stack as the one that `tallow` works with.

        Raises:
            DrillError: it does not end.
        """
        process = await asyncio.create_subprocess_shell(
            line,
            cwd=self.folder,
            env=_environment(self.home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(COMMAND_S):
                said, _ = await process.communicate()
        except TimeoutError:
            raise DrillError(f"`{line}` did not end within {COMMAND_S:.0f} s") from None
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        return CommandOutput(line, process.returncode or 0, said.decode("utf-8", "replace"))

    async def query(self, expr: str) -> float | None:
        """An instant query's first value; None if there is none, or Prometheus does not answer."""
        with contextlib.suppress(StackError):
            answer = await asyncio.to_thread(self._get, "/api/v1/query", query=expr)
            if answer["data"]["result"]:
                return float(answer["data"]["result"][0]["value"][1])
        return None

    async def alerts(self) -> list[dict[str, Any]]:
        """Prometheus's alerts, pending and firing; none while it does not answer."""
        with contextlib.suppress(StackError):
            found: list[dict[str, Any]] = (await asyncio.to_thread(self._get, "/api/v1/alerts"))["data"][
                "alerts"
            ]
            return found
        return []

    def _get(self, path: str, **query: str) -> Any:
        return Api.of("prometheus", self.home).get(path, **query)


@asynccontextmanager
async def native_stack(
    folder: Path, settings: AlertSettings, scale: float, liveness_timeout: float
) -> AsyncIterator[NativeStack]:
    """A healthy stack in ``folder``, stopped at the end.

    Args:
        settings: whom it tells of alerts; PagerDuty is left out, as its address cannot be set.
        scale: multiplies all times.
        liveness_timeout: seconds without an answer after which a service is restarted; 0: never.

    Raises:
        DrillError: it does not come up.
    """
    private_folder(folder)
    write_private(folder / ".env", _env_file(settings))
    home = StateDir(folder / "home")
    try:
        yield await _started(home, folder, f"--scale {scale} --liveness-timeout {liveness_timeout}")
    finally:
        await NativeStack(home, folder, 0).run("tallow down")


async def _started(home: StateDir, folder: Path, options: str) -> NativeStack:
    for attempt in range(1, ATTEMPTS + 1):
        stack = NativeStack(home, folder, _free_offset())
        done = await stack.run(f"tallow up --port-offset {stack.port_offset} {options}")
        if done.status == 0:
            return stack
        if attempt == ATTEMPTS or "is taken by" not in done.output:
            break
    raise DrillError(f"the stack does not come up: {done.output.strip()}")


def _env_file(settings: AlertSettings) -> str:
    given = settings.model_dump(exclude_none=True, exclude={"pagerduty_routing_key", "heartbeat_url"})
    plain = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in given.items()
    }
    return "".join(f"{name.upper()}={value}\n" for name, value in plain.items())


def _environment(home: StateDir) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return inherited | {"PATH": path, "TALLOW_HOME": str(home.root), "COLUMNS": "200"}


def _free_offset() -> int:
    while True:
        offset = random.choice(_OFFSETS)  # noqa: S311 - ports, no secret
        if not any(is_taken(port) for port in ports(offset).values()):
            return offset
