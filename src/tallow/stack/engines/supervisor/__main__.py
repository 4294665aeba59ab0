"""The supervisor: one small process per stack that keeps its programs running.

Started by `tallow up`, it outlives the terminal. It reads ``run/plan.json`` at the start and on SIGHUP,
writes ``run/report.json`` on every change, and ends on SIGTERM after its programs have. Should it be killed,
the programs go on without it; the next `up` or `down` clears up after it.
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
"""Longer than anybody who merely asks whether there is a supervisor holds the lock."""


class Supervisor:
    """Keeps what the plan says running, and nothing else."""

    def __init__(self, home: StateDir) -> None:
        self._home = home
        self._keepers: dict[str, ProcessKeeper] = {}
        self._ending = asyncio.Event()
        self._applying = asyncio.Lock()
        self._liveness_timeout = 0.0

    async def run(self) -> None:
        """Until told to end."""
        loop = asyncio.get_running_loop()
        for wanted in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(wanted, self._ending.set)
        loop.set_exception_handler(_log_failure)
        applying: set[asyncio.Task[None]] = set()

        def apply() -> None:
            task = loop.create_task(self._apply(lambda: find_plan(self._home)))
            applying.add(task)
            task.add_done_callback(applying.discard)

        loop.add_signal_handler(signal.SIGHUP, apply)
        log("info", "supervisor started", pid=os.getpid())
        self._report()
        apply()
        rotating = loop.create_task(self._rotate())
        await self._ending.wait()
        rotating.cancel()
        await asyncio.gather(*applying, return_exceptions=True)
        reason = read_plan(self._home).stop_reason or "the supervisor got SIGTERM"
        log("info", "supervisor ends", reason=reason)
        await self._apply(SupervisorPlan, reason)
        self._report()

    async def _apply(self, read: Callable[[], SupervisorPlan | None], reason: str = "tallow down") -> None:
        """Bring about a plan; one after the other, should several come at once.

        Args:
            read: the plan, when its turn has come. Without one nothing changes.
            reason: why services that are not in it end.
        """
        async with self._applying:
            plan = read()
            if plan is None:
                log("error", "the plan cannot be read; nothing is changed")
                return
            self._liveness_timeout = plan.liveness_timeout
            wanted = {task.name: task for task in plan.tasks if task.name not in plan.held}
            await self._stop_others(wanted, reason)
            for name, task in wanted.items():
                request = plan.restarts.get(name)
                keeper = self._keepers.get(name)
                if keeper is None or keeper.status.state == "stopped":
                    self._start(task, request.number if request else 0)
                elif request and request.number > keeper.status.restart_request:
                    await keeper.restart(request)

    def _start(self, task: Task, restart_request: int) -> None:
        before = self._keepers.get(task.name)
        keeper = ProcessKeeper(
            task,
            self._home,
            self._report,
            restart_request=restart_request,
            liveness_timeout=lambda: self._liveness_timeout,
        )
        if before:
            keeper.status = replace(keeper.status, last_exit=before.status.last_exit)
        self._keepers[task.name] = keeper
        keeper.start()

    async def _stop_others(self, wanted: Mapping[str, Task], reason: str) -> None:
        """Stop what is not wanted as it is, last started first."""
        for name, keeper in reversed(self._keepers.items()):
            if wanted.get(name) != keeper.task and keeper.status.state != "stopped":
                await keeper.stop("its command changed" if name in wanted else reason)

    def _report(self) -> None:
        services = {name: keeper.status for name, keeper in self._keepers.items()}
        _survive(lambda: write_status(self._home, SupervisorStatus(os.getpid(), services)))

    async def _rotate(self) -> None:
        while True:
            await asyncio.sleep(ROTATE_EVERY_S)
            _survive(lambda: rotation.rotate_all(self._home.logs, (*self._keepers, "supervisor")))


def _log_failure(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what went wrong in a task that nobody waits for."""
    log(
        "error",
        "the supervisor failed at something",
        reason=_words(context.get("exception")),
        at=context["message"],
    )


def _words(error: object) -> str | None:
    if not isinstance(error, BaseException):
        return None
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def _survive(action: Callable[[], object]) -> None:
    """Do something that a full disk may prevent: the programs matter more."""
    try:
        action()
    except OSError as error:
        log("error", "a file could not be written", reason=str(error))


def _run(home: StateDir) -> int:
    try:
        asyncio.run(Supervisor(home).run())
    except Exception as error:  # noqa: BLE001 - its log is JSON, and a traceback is not
        log("error", "the supervisor ended by an exception", reason=_words(error))
        return 1
    return 0


def main() -> int:
    """``python -m tallow.stack.engines.supervisor HOME``: returns at once, the supervisor lives on."""
    if os.fork():
        os._exit(0)  # whoever called has no child to wait for
    os.umask(0o077)
    home = StateDir(Path(sys.argv[1]))
    deadline = time.monotonic() + LOCK_WAIT_S
    while time.monotonic() < deadline:
        with locked(home, "supervisor", wait=False) as free:
            if free:
                return _run(home)
        time.sleep(0.05)
    return 1


if __name__ == "__main__":
    sys.exit(main())
