"""Keep one program running: restart it with a growing pause after failures, and on request."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from tallow.stack.engines.processes.environment import (
    BASE_VARIABLES,
    PROXY_VARIABLES,
    inherited_environment,
)
from tallow.stack.engines.processes.managed_process import ManagedProcess
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor.exits import exit_record, signal_name
from tallow.stack.engines.supervisor.liveness import LivenessCheck
from tallow.stack.engines.supervisor.log import log, log_line
from tallow.stack.engines.supervisor.state_files import ExitCause, ProcessStatus, RestartRequest, Task

REQUESTED_START_VARIABLE: Final = "TALLOW_REQUESTED_START"
"""Environment variable of the program: when its start was last requested, in seconds since the epoch. A
restart after a failure does not change it."""
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
STEADY_AFTER_S: Final = 60.0
"""A program that ran this long is restarted after the first pause again."""


@dataclass(frozen=True, slots=True)
class _EndRequest:
    """A request to end the program, and for a restart to start it again.

    Attributes:
        number: of the restart request; 0 for a stop.
        done: set once the program has been started again.
    """

    cause: Literal["restart", "stop"]
    reason: str
    number: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)


class ProcessKeeper:
    """Keeps one program running until :meth:`stop`.

    Args:
        task: the program.
        home: the stack's folder, whose log folder the program writes to.
        changed: called after each change of :attr:`status`.
        restart_request: the number of the last restart request that was handled before.
        liveness_timeout: returns the seconds without an answer after which the program is restarted; 0:
            never.
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
        self._log_file = home.logs / f"{task.name}.log"
        self._changed = changed
        self._liveness_timeout = liveness_timeout
        self._requested_start = time.time()
        self._requests: asyncio.Queue[_EndRequest] = asyncio.Queue()
        self._loop_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the program and keep it running."""
        self._loop_task = asyncio.get_running_loop().create_task(self._keep_running(), name=self.task.name)
        self._loop_task.add_done_callback(self._log_own_failure)

    async def stop(self, reason: str) -> None:
        """Stop the program and its children: SIGTERM, then SIGKILL."""
        if self._loop_task:
            self._requests.put_nowait(_EndRequest("stop", reason))
            await asyncio.gather(self._loop_task, return_exceptions=True)
        self._update(state="stopped", pid=None, born=None)

    async def restart(self, request: RestartRequest) -> None:
        """Restart the program without a pause; return when it has been started.

        A requested restart is not counted as a failure, and the pause after the next failure is the first
        one.
        """
        if not self._loop_task:
            return
        end_request = _EndRequest("restart", request.reason, request.number)
        self._requests.put_nowait(end_request)
        done = asyncio.ensure_future(end_request.done.wait())
        await asyncio.wait({done, self._loop_task}, return_when=asyncio.FIRST_COMPLETED)
        done.cancel()

    async def _keep_running(self) -> None:
        pause, request = FIRST_PAUSE_S, None
        while request is None or request.cause == "restart":
            started = time.monotonic()
            request = await self._run_once(request)
            if request is not None or time.monotonic() - started > STEADY_AFTER_S:
                pause = FIRST_PAUSE_S
            if request is None:
                self._update(state="waiting", pid=None, born=None)
                request = await self._next_request(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
                if request is None:
                    self._update(restarts=self.status.restarts + 1)

    def _log_own_failure(self, loop_task: asyncio.Task[None]) -> None:
        """Log that the program is no longer supervised if :meth:`_keep_running` raised an exception."""
        if not loop_task.cancelled() and (error := loop_task.exception()):
            frame = traceback.extract_tb(error.__traceback__)[-1]
            text = f"{type(error).__name__} at {frame.name}:{frame.lineno}"
            log("fatal", "is not supervised any more", component=self.task.name, reason=text)

    async def _next_request(self, timeout_s: float) -> _EndRequest | None:
        """The next request; None if there is none in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                return await self._requests.get()
        return None

    async def _run_once(self, restart: _EndRequest | None) -> _EndRequest | None:
        """Run the program until it ends.

        Args:
            restart: the request that it is started for.

        Returns:
            The request that ended it; None if it failed.
        """
        process = await self._start_process(restart)
        if restart:
            restart.done.set()
        if process is None:
            return None
        requested = asyncio.ensure_future(self._requests.get())
        exited = asyncio.ensure_future(process.wait())
        unresponsive = asyncio.ensure_future(self._wait_until_unresponsive())
        await asyncio.wait({requested, exited, unresponsive}, return_when=asyncio.FIRST_COMPLETED)
        unresponsive.cancel()
        if requested.done():
            request = requested.result()
            killed = await process.stop()
            self._record_exit(request.cause, process, request.reason, killed=killed)
            return request
        requested.cancel()
        if exited.done():
            process.kill_session()
            self._record_exit("exited", process)
        else:
            killed = await process.stop()
            self._record_exit("unresponsive", process, unresponsive.result(), killed=killed)
        return None

    async def _wait_until_unresponsive(self) -> str:
        """Return when the program no longer answers, with the reason. Without a probe it never returns."""
        if self.task.probe is None:
            await asyncio.Future()

        def report(text: str) -> None:
            log("warning", text, component=self.task.name, pid=self.status.pid)

        assert self.task.probe is not None
        return await LivenessCheck(self.task.probe, self._liveness_timeout, report).wait_until_unresponsive()

    async def _start_process(self, restart: _EndRequest | None) -> ManagedProcess | None:
        """Start the program. A failure is logged, and None is returned."""
        number = restart.number if restart else self.status.restart_request
        if restart:
            self._requested_start = time.time()
        process = ManagedProcess(
            self.task.command, Path(self.task.folder), self._log_file, self._environment()
        )
        try:
            await process.start()
        except OSError as error:
            record = exit_record("not started", None, f"{error.strerror} ({self.task.command[0]})")
            self._update(last_exit=record, restart_request=number)
            log("error", record.reason, component=self.task.name)
            process.append_to_log(log_line("error", record.reason, service=self.task.name))
            return None
        self._update(state="running", pid=process.pid, born=process.created_at(), restart_request=number)
        reason = restart.reason if restart else None
        log("info", "started", component=self.task.name, pid=process.pid, reason=reason)
        return process

    def _environment(self) -> dict[str, str]:
        inherited = (
            dict(os.environ)
            if self.task.inherits
            else inherited_environment((*BASE_VARIABLES, *PROXY_VARIABLES))
        )
        requested_start = {REQUESTED_START_VARIABLE: f"{self._requested_start:.3f}"}
        return inherited | self.task.environment | requested_start

    def _record_exit(
        self, cause: ExitCause, process: ManagedProcess, detail: str = "", *, killed: bool = False
    ) -> None:
        status = process.exit_status
        record = exit_record(cause, status, detail, killed=killed)
        self._update(pid=None, born=None, last_exit=record)
        by_signal = status is not None and status < 0
        log(
            "info" if cause in {"restart", "stop"} else "error",
            record.reason,
            component=self.task.name,
            cause=cause,
            pid=process.pid,
            exit_status=None if by_signal else status,
            signal=signal_name(-status) if status is not None and by_signal else None,
            restarts=self.status.restarts,
        )

    def _update(self, **changes: Any) -> None:
        if "state" in changes:
            changes["since"] = time.time()
        self.status = replace(self.status, **changes)
        self._changed()
