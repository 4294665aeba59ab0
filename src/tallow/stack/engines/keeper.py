"""One program kept running: started again with growing pauses, stopped politely, then firmly."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import psutil

from tallow.stack.engines.home import Home, append_private
from tallow.stack.engines.plan import Running, Task

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
STEADY_AFTER_S: Final = 60.0
"""A program that ran this long starts with the first pause again."""
PATIENCE_S: Final = 15.0
"""From SIGTERM to SIGKILL: Prometheus may have a block to write."""

_ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


class Keeper:
    """Keeps one program running until :meth:`stop`."""

    def __init__(self, task: Task, home: Home, changed: Callable[[], None]) -> None:
        self.task = task
        self.running = Running("starting", since=time.time())
        self._home = home
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._keeping = asyncio.get_running_loop().create_task(self._keep(), name=self.task.name)

    async def stop(self) -> None:
        """End the program: SIGTERM, and SIGKILL for whatever is left of it after a while."""
        if self._keeping:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._process and self._process.returncode is None:
            await _end(self._process)
        self._say(Running("stopped", since=time.time(), restarts=self.running.restarts))

    async def _keep(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            started = time.monotonic()
            status = await self._once()
            if time.monotonic() - started > STEADY_AFTER_S:
                pause = FIRST_PAUSE_S
            self._say(
                replace(self.running, state="waiting", pid=None, born=None, since=time.time(), exit=status)
            )
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
            self._say(replace(self.running, restarts=self.running.restarts + 1))

    async def _once(self) -> int | None:
        """Run the program to its end: its exit status, None if it could not be started."""
        output = _open_log(self._home, self.task.name)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.task.command,
                cwd=self.task.folder,
                env=_environment(self.task),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        except OSError as error:
            _note(output, f"cannot be started: {error}")
            return None
        finally:
            if output >= 0:
                os.close(output)
        self._say(
            replace(
                self.running,
                state="running",
                pid=self._process.pid,
                born=_born(self._process.pid),
                since=time.time(),
            )
        )
        status = await self._process.wait()
        _end_session(self._process.pid)  # workers that outlived it hold its port
        return status

    def _say(self, running: Running) -> None:
        self.running = running
        self._changed()


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            await process.wait()
    _end_session(process.pid)
    await process.wait()


def _end_session(pid: int) -> None:
    """Kill what is left of a program's session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _environment(task: Task) -> Mapping[str, str]:
    inherited = dict(os.environ)
    if not task.inherits:
        names = {*_ENVIRONMENT, *_PROXIES, *(proxy.lower() for proxy in _PROXIES)}
        inherited = {name: value for name, value in inherited.items() if name in names}
    return inherited | task.environment


def _born(pid: int) -> float | None:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).create_time()
    return None


def _open_log(home: Home, name: str) -> int:
    """A descriptor that the program writes to by itself: it does not depend on the supervisor's life."""
    try:
        return append_private(home.logs / f"{name}.log")
    except OSError:
        return subprocess.DEVNULL


def _note(output: int, text: str) -> None:
    with contextlib.suppress(OSError):
        if output >= 0:
            os.write(output, f"{time.strftime('%FT%TZ', time.gmtime())} {text}\n".encode())
