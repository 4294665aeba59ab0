"""Keep one program running: restart it with backoff after a failure, end and restart it on request."""

from __future__ import annotations

import asyncio
import contextlib
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor.child_process import append, created, kill_session, spawn, terminate
from tallow.stack.engines.supervisor.exits import exit_record, signal_name
from tallow.stack.engines.supervisor.liveness import LivenessCheck
from tallow.stack.engines.supervisor.log import line, log
from tallow.stack.engines.supervisor.state_files import ExitCause, ProcessStatus, RestartRequest, Task

REQUESTED_START_VARIABLE: Final = "TALLOW_REQUESTED_START"
"""Tells the program when somebody asked for its start: a restart after a failure leaves it as it was."""
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
STEADY_AFTER_S: Final = 60.0
"""A program that ran this long starts with the first pause again."""


@dataclass(frozen=True, slots=True)
class _EndRequest:
    """A wish that the program ends."""

    cause: Literal["restart", "stop"]
    reason: str
    number: int = 0
    """Of the restart request; 0 for a stop."""
    done: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the program has been started again."""


class ProcessKeeper:
    """Keeps one program running until :meth:`stop`.

    Args:
        task: the program.
        home: whose log folder it writes to.
        changed: called after each change of :attr:`running`.
        restart_request: the number of the last restart request that needs no answer any more.
        liveness_timeout: for how many seconds the program may fail to answer; 0: for ever.
    """

    def __init__(
        self,
        task: Task,
        home: StateDir,
        changed: Callable[[], None],
        *,
        restart_request: int = 0,
        liveness_timeout: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.task = task
        self.status = ProcessStatus("starting", since=time.time(), restart_request=restart_request)
        self._home = home
        self._changed = changed
        self._liveness_timeout = liveness_timeout
        self._requested_start = time.time()
        self._requests: asyncio.Queue[_EndRequest] = asyncio.Queue()
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the program and keep it running."""
        self._keeping = asyncio.get_running_loop().create_task(self._keep(), name=self.task.name)
        self._keeping.add_done_callback(self._keeping_ended)

    async def stop(self, reason: str) -> None:
        """End the program and its children: SIGTERM, and SIGKILL if that does not do."""
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
                    self._say(restarts=self.status.restarts + 1)

    def _keeping_ended(self, keeping: asyncio.Task[None]) -> None:
        """Say that nothing keeps the program running any more, should this class itself fail."""
        if not keeping.cancelled() and (error := keeping.exception()):
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = f"{type(error).__name__} at {where.name}:{where.lineno}"
            log("error", "is not supervised any more", component=self.task.name, reason=text)

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
        hung = asyncio.ensure_future(self._unresponsive())
        await asyncio.wait({requested, exited, hung}, return_when=asyncio.FIRST_COMPLETED)
        hung.cancel()
        if requested.done():
            request = requested.result()
            killed = await terminate(process)
            self._ended(request.cause, process, request.reason, killed=killed)
            return request
        requested.cancel()
        if exited.done():
            kill_session(process.pid)  # children that outlive it would hold its port
            self._ended("exited", process)
        else:
            killed = await terminate(process)
            self._ended("unresponsive", process, hung.result(), killed=killed)
        return None

    async def _unresponsive(self) -> str:
        """Return when the program hangs: why that is thought. Never, if nothing says how to ask it."""
        if self.task.probe is None:
            await asyncio.Future()

        def report(text: str) -> None:
            log("warning", text, component=self.task.name, pid=self.status.pid)

        assert self.task.probe is not None
        return await LivenessCheck(self.task.probe, self._liveness_timeout, report).wait_until_unresponsive()

    async def _spawn(self, restart: _EndRequest | None) -> asyncio.subprocess.Process | None:
        """Start the program; None if that failed, which the logs tell."""
        number = restart.number if restart else self.status.restart_request
        if restart:
            self._requested_start = time.time()
        told = {REQUESTED_START_VARIABLE: f"{self._requested_start:.3f}"}
        log_file = self._home.logs / f"{self.task.name}.log"
        try:
            process = await spawn(replace(self.task, environment={**self.task.environment, **told}), log_file)
        except OSError as error:
            ended = exit_record("not started", None, f"{error.strerror} ({self.task.command[0]})")
            self._say(last_exit=ended, restart_request=number)
            log("error", ended.reason, component=self.task.name)
            append(log_file, line("error", ended.reason, service=self.task.name))
            return None
        self._say(state="running", pid=process.pid, born=created(process.pid), restart_request=number)
        reason = restart.reason if restart else None
        log("info", "started", component=self.task.name, pid=process.pid, reason=reason)
        return process

    def _ended(
        self, cause: ExitCause, process: asyncio.subprocess.Process, detail: str = "", *, killed: bool = False
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
            restarts=self.status.restarts,
        )

    def _say(self, **changes: Any) -> None:
        if "state" in changes:
            changes["since"] = time.time()
        self.status = replace(self.status, **changes)
        self._changed()
