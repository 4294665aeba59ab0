"""The supervisor: one small process per stack that keeps the stack's programs running.

`tallow up` starts it, and it outlives the terminal. It reads ``run/plan.json`` at its start and on SIGHUP,
writes ``run/report.json`` on every change, and on SIGTERM stops its programs and exits. If it is killed, the
programs keep running; the next `tallow up` or `tallow down` stops them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tallow.stack.engines.logs import rotation
from tallow.stack.engines.state.locks import locked
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor.log import log
from tallow.stack.engines.supervisor.process_keeper import ProcessKeeper
from tallow.stack.engines.supervisor.state_files import (
    SupervisorPlan,
    SupervisorStatus,
    Task,
    find_plan,
    read_plan,
    write_status,
)

ROTATE_EVERY_S: Final = 5
LOCK_WAIT_S: Final = 5
"""Longer than a process holds the lock that only tests whether a supervisor runs."""


class Supervisor:
    """Keeps exactly the tasks of the plan running.

    Args:
        home: the stack's folder.
    """

    def __init__(self, home: StateDir) -> None:
        self._home = home
        self._keepers: dict[str, ProcessKeeper] = {}
        self._shutdown = asyncio.Event()
        self._plan_lock = asyncio.Lock()
        self._liveness_timeout = 0.0

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._shutdown.set)
        loop.set_exception_handler(_log_failure)
        running: set[asyncio.Task[None]] = set()

        def apply() -> None:
            task = loop.create_task(self._apply(lambda: find_plan(self._home)))
            running.add(task)
            task.add_done_callback(running.discard)

        loop.add_signal_handler(signal.SIGHUP, apply)
        log("info", "supervisor started", pid=os.getpid())
        self._write_status()
        apply()
        rotation_task = loop.create_task(self._rotate_logs())
        await self._shutdown.wait()
        rotation_task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        reason = read_plan(self._home).stop_reason or "the supervisor got SIGTERM"
        log("info", "supervisor ends", reason=reason)
        await self._apply(SupervisorPlan, reason)
        self._write_status()

    async def _apply(self, read: Callable[[], SupervisorPlan | None], reason: str = "tallow down") -> None:
        """Start, restart and stop programs as a plan says. Plans are applied one after the other.

        Args:
            read: returns the plan, called once the plan before it has been applied; None changes nothing.
            reason: why services that are not in the plan are stopped.
        """
        async with self._plan_lock:
            plan = read()
            if plan is None:
                log("error", "the plan cannot be read; nothing is changed")
                return
            self._liveness_timeout = plan.liveness_timeout
            wanted = {task.name: task for task in plan.tasks if task.name not in plan.held}
            await self._stop_except(wanted, reason)
            for name, task in wanted.items():
                request = plan.restarts.get(name)
                keeper = self._keepers.get(name)
                if keeper is None or keeper.status.state == "stopped":
                    self._start(task, request.number if request else 0)
                elif request and request.number > keeper.status.restart_request:
                    await keeper.restart(request)

    def _start(self, task: Task, restart_request: int) -> None:
        previous = self._keepers.get(task.name)
        keeper = ProcessKeeper(
            task,
            self._home,
            self._write_status,
            restart_request=restart_request,
            liveness_timeout=lambda: self._liveness_timeout,
        )
        if previous:
            keeper.status = replace(keeper.status, last_exit=previous.status.last_exit)
        self._keepers[task.name] = keeper
        keeper.start()

    async def _stop_except(self, wanted: Mapping[str, Task], reason: str) -> None:
        """Stop the programs that are not in ``wanted`` with the same task, the last started first."""
        for name, keeper in reversed(self._keepers.items()):
            if wanted.get(name) != keeper.task and keeper.status.state != "stopped":
                await keeper.stop("its command changed" if name in wanted else reason)

    def _write_status(self) -> None:
        services = {name: keeper.status for name, keeper in self._keepers.items()}
        _log_os_errors(lambda: write_status(self._home, SupervisorStatus(os.getpid(), services)))

    async def _rotate_logs(self) -> None:
        while True:
            await asyncio.sleep(ROTATE_EVERY_S)
            _log_os_errors(lambda: rotation.rotate_all(self._home.logs, (*self._keepers, "supervisor")))


def _log_failure(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an exception of a task that no other task awaits."""
    log(
        "error",
        "the supervisor failed at something",
        reason=_describe(context.get("exception")),
        at=context["message"],
    )


def _describe(error: object) -> str | None:
    if not isinstance(error, BaseException):
        return None
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def _log_os_errors(action: Callable[[], object]) -> None:
    """Log an OSError, such as a full disk, instead of raising it: the programs must keep running."""
    try:
        action()
    except OSError as error:
        log("error", "a file could not be written", reason=str(error))


def _run(home: StateDir) -> int:
    try:
        asyncio.run(Supervisor(home).run())
    except Exception as error:  # noqa: BLE001 - the log file holds JSON, and a traceback is not JSON
        log("fatal", "the supervisor ended by an exception", reason=_describe(error))
        return 1
    return 0


def main() -> int:
    """Fork a supervisor for the folder in ``sys.argv[1]``; the parent exits at once with status 0."""
    if os.fork():
        os._exit(0)
    os.umask(0o077)
    home = StateDir(Path(sys.argv[1]))
    deadline = time.monotonic() + LOCK_WAIT_S
    while time.monotonic() < deadline:
        with locked(home, "supervisor", wait=False) as acquired:
            if acquired:
                return _run(home)
        time.sleep(0.05)
    return 1


if __name__ == "__main__":
    sys.exit(main())
