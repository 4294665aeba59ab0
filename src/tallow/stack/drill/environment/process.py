"""A program under the drill's own hand: started, killed, held and stopped at will."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tallow.monitoring.lifecycle.private_files import append_private

PATIENCE_S: Final = 10.0
_INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")

_given: set[int] = set()


def free_port() -> int:
    """A port of loopback that nobody has, and that was not given out before."""
    while True:
        with socket.socket() as trial:
            trial.bind(("127.0.0.1", 0))
            port: int = trial.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


class ManagedProcess:
    """Runs in a session of its own and writes to a log; nothing starts it again but the drill.

    Args:
        environment: what it gets besides the few variables that every program needs.
    """

    def __init__(
        self, command: Sequence[str], log: Path, folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._command, self._log, self._folder = list(command), log, folder
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        self._environment = inherited | dict(environment or {})
        self._process: asyncio.subprocess.Process | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start it, if it does not run."""
        if self.is_running:
            return
        output = append_private(self._log)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        finally:
            os.close(output)

    def signal(self, number: int) -> None:
        """Send a signal."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def kill(self) -> None:
        """SIGKILL to all of it."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL for what is left after a while."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        if self._process is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await self._process.wait()
        await self.kill()

    def last_lines(self, count: int = 3) -> str:
        """The end of its log."""
        with contextlib.suppress(OSError):
            return "\n".join(self._log.read_text(errors="replace").splitlines()[-count:])
        return ""
