"""Keep one program running: restart it with backoff after a failure, end and restart it on request."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import psutil

from tallow.stack.engines.exits import exit_record, signal_name
from tallow.stack.engines.home import Home, append_private
from tallow.stack.engines.plan import Cause, RestartRequest, Running, Task
from tallow.stack.engines.supervisor_log import line, log

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
STEADY_AFTER_S: Final = 60.0
"""A program that ran this long starts with the first pause again."""
PATIENCE_S: Final = 15.0
"""From SIGTERM to SIGKILL: Prometheus may have a block to write."""

_ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True, slots=True)
class _EndRequest:
    """A wish that the program ends."""

    cause: Literal["restart", "stop"]
    reason: str
    number: int = 0
    """Of the restart request; 0 for a stop."""
    done: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the program has been started again."""


class Keeper:
    """Keeps one program running until :meth:`stop`.

    Args:
        task: the program.
        home: whose log folder it writes to.
        changed: called after each change of :attr:`running`.
        restart_request: the number of the last restart request that needs no answer any more.
    """

    def __init__(
        self, task: Task, home: Home, changed: Callable[[], None], *, restart_request: int = 0
    ) -> None:
        self.task = task
        self.running = Running("starting", since=time.time(), restart_request=restart_request)
        self._home = home
        self._changed = changed
        self._requests: asyncio.Queue[_EndRequest] = asyncio.Queue()
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the program and keep it running."""
        self._keeping = asyncio.get_running_loop().create_task(self._keep(), name=self.task.name)

    async def stop(self, reason: str) -> None:
        """End the program and its children: SIGTERM, and SIGKILL after :data:`PATIENCE_S`."""
        if self._keeping:
            self._requests.put_nowait(_EndRequest("stop", reason))
            await asyncio.gather(self._keeping, return_exceptions=True)
        self._say(state="stopped", pid=None, born=None)

    async def restart(self, request: RestartRequest) -> None:
        """End the program and start it at once; returns when it has been started.

        It is no failure: it is not counted, and the pauses between restarts begin with the first one again.
        """
        if not self._keeping:
            return
        wish = _EndRequest("restart", request.reason, request.number)
        self._requests.put_nowait(wish)
        done = asyncio.ensure_future(wish.done.wait())
        await asyncio.wait({done, self._keeping}, return_when=asyncio.FIRST_COMPLETED)
        done.cancel()

    async def _keep(self) -> None:
        pause, request = FIRST_PAUSE_S, None
        while request is None or request.cause == "restart":
            started = time.monotonic()
            request = await self._run(request)
            if request is not None or time.monotonic() - started > STEADY_AFTER_S:
                pause = FIRST_PAUSE_S
            if request is None:
                self._say(state="waiting", pid=None, born=None)
                request = await self._next_request(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
                if request is None:
                    self._say(restarts=self.running.restarts + 1)

    async def _next_request(self, seconds: float) -> _EndRequest | None:
        """Wait so long for a request."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._requests.get()
        return None

    async def _run(self, restart: _EndRequest | None) -> _EndRequest | None:
        """Run the program once: the request that ended it, None if it failed.

        Args:
            restart: the request that it is started for.
        """
        process = await self._spawn(restart)
        if restart:
            restart.done.set()
        if process is None:
            return None
        requested = asyncio.ensure_future(self._requests.get())
        exited = asyncio.ensure_future(process.wait())
        await asyncio.wait({requested, exited}, return_when=asyncio.FIRST_COMPLETED)
        if not requested.done():
            requested.cancel()
            await exited
            _kill_session(process.pid)  # children that outlive it would hold its port
            self._ended("exited", process)
            return None
        request = requested.result()
        killed = await _end(process)
        self._ended(request.cause, process, request.reason, killed=killed)
        return request

    async def _spawn(self, restart: _EndRequest | None) -> asyncio.subprocess.Process | None:
        """Start the program; None if that failed, which the logs tell."""
        number = restart.number if restart else self.running.restart_request
        output = _open_log(self._home, self.task.name)
        try:
            process = await asyncio.create_subprocess_exec(
                *self.task.command,
                cwd=self.task.folder,
                env=_environment(self.task),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        except OSError as error:
            self._not_started(output, error, number)
            return None
        finally:
            if output >= 0:
                os.close(output)
        self._say(state="running", pid=process.pid, born=_born(process.pid), restart_request=number)
        reason = restart.reason if restart else None
        log("info", "started", component=self.task.name, pid=process.pid, reason=reason)
        return process

    def _not_started(self, output: int, error: OSError, restart_request: int) -> None:
        ended = exit_record("not started", None, f"{error.strerror} ({self.task.command[0]})")
        self._say(last_exit=ended, restart_request=restart_request)
        log("error", ended.reason, component=self.task.name)
        with contextlib.suppress(OSError):
            if output >= 0:
                os.write(output, line("error", ended.reason, service=self.task.name).encode())

    def _ended(
        self, cause: Cause, process: asyncio.subprocess.Process, detail: str = "", *, killed: bool = False
    ) -> None:
        """Report and log an end."""
        ended = exit_record(cause, process.returncode, detail, killed=killed)
        self._say(pid=None, born=None, last_exit=ended)
        status = process.returncode or 0
        log(
            "info" if cause in {"restart", "stop"} else "error",
            ended.reason,
            component=self.task.name,
            cause=cause,
            pid=process.pid,
            exit_status=process.returncode if status >= 0 else None,
            signal=signal_name(-status) if status < 0 else None,
            restarts=self.running.restarts,
        )

    def _say(self, **changes: Any) -> None:
        if "state" in changes:
            changes["since"] = time.time()
        self.running = replace(self.running, **changes)
        self._changed()


async def _end(process: asyncio.subprocess.Process) -> bool:
    """End a program and its children; whether SIGKILL was needed."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        process.send_signal(signal.SIGCONT)  # a stopped process does not handle SIGTERM
    killed = False
    try:
        async with asyncio.timeout(PATIENCE_S):
            await process.wait()
    except TimeoutError:
        killed = True
    _kill_session(process.pid)
    await process.wait()
    return killed


def _kill_session(pid: int) -> None:
    """Kill what is left of a program's session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
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
