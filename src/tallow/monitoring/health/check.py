"""One check: at most one run at a time, limited by its timeout. It never raises.

A function that is not a coroutine function runs in a thread of its own. A coroutine function runs on the
event loop of the server, where the connections that it uses belong, until it has blocked that loop once;
after that, it runs on an event loop in a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from tallow.monitoring.health.loop_watch import StepTimer
from tallow.monitoring.health.result import CheckResult, Status, parse_result
from tallow.monitoring.lifecycle.warn_once import warn_once

MAX_VERDICT_AGE_S: Final = 120.0
"""Age up to which the last result stands in for a check that has not answered in time. A run fails at its
timeout in any case."""

CheckFunction = Callable[[], Any] | Callable[[], Awaitable[Any]]
_NOT_ENDED: Final = "an earlier run has not ended"


class Check:
    """A named function that reports the status of a component.

    A run that exceeds its timeout is abandoned, and the check is not started again until that run has ended:
    a hanging component uses one thread or one task.

    Args:
        name: of the component.
        fn: the function.
        critical: whether the service cannot work without the component.
        timeout: seconds.
    """

    def __init__(self, name: str, fn: CheckFunction, critical: bool, timeout: float) -> None:
        self.name = name
        self.critical = critical
        self.timeout = timeout
        self._function = fn
        self._blocks_loop = False
        self._last: tuple[float, CheckResult] | None = None
        self._run: asyncio.Task[CheckResult] | None = None
        self._call: asyncio.Task[tuple[Status, str | None]] | None = None
        self._thread: threading.Thread | None = None
        self._thread_done = False

    @property
    def has_result(self) -> bool:
        """Whether a run has ended."""
        return self._last is not None

    @property
    def last_duration_s(self) -> float:
        """Seconds that the last run took; 0 before the first one has ended."""
        return self._last[1].duration_s if self._last else 0.0

    def start(self) -> tuple[asyncio.Task[CheckResult] | None, bool]:
        """Start a run unless one is in progress.

        Returns:
            The run in progress, and whether it has just been started. The run is None if it has exceeded its
            timeout, or belongs to another event loop.
        """
        loop = asyncio.get_running_loop()
        if _is_active(self._run):
            return (self._run if self._run and self._run.get_loop() is loop else None), False
        if self._is_thread_busy() or _is_active(self._call):
            return None, False
        self._run = loop.create_task(self._timed_run(), name=f"health check {self.name}")
        return self._run, True

    def _is_thread_busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive() and not self._thread_done

    def result(self, run: asyncio.Task[CheckResult] | None) -> CheckResult:
        """Return the result of a run, or the last one with its age if the run has not ended.

        A critical check without a usable result is unhealthy, any other one degraded.
        """
        if run is not None and run.done() and not run.cancelled():
            return run.result()
        if run is None and not _is_active(self._run):
            return self._result(Status.UNHEALTHY, 0.0, _NOT_ENDED)
        unknown = Status.UNHEALTHY if self.critical else Status.DEGRADED
        if self._last is None:
            return self._result(unknown, 0.0, "no answer yet")
        ended, last = self._last
        age = time.monotonic() - ended
        if age > MAX_VERDICT_AGE_S:
            reason = f"no answer in time, and the last one is older than {MAX_VERDICT_AGE_S:g} s"
            last = replace(last, status=unknown, reason=reason)
        return replace(last, age_s=age)

    def _result(self, status: Status, duration_s: float, reason: str | None) -> CheckResult:
        return CheckResult(status, self.critical, duration_s, reason, blocks_event_loop=self._blocks_loop)

    async def _timed_run(self) -> CheckResult:
        """Run the function for at most the timeout. Never raises."""
        started = time.perf_counter()
        status, reason = await self._status_and_reason()
        result = self._result(status, time.perf_counter() - started, reason)
        self._last = (time.monotonic(), result)
        return result

    async def _status_and_reason(self) -> tuple[Status, str | None]:
        call = self._call = asyncio.create_task(self._guarded_call(), name=f"health check {self.name}")
        try:
            done, _ = await asyncio.wait({call}, timeout=self.timeout)
        finally:
            call.cancel()
        if not done:
            return Status.UNHEALTHY, f"no answer within {self.timeout:g} s"
        return (Status.UNHEALTHY, "it was cancelled") if call.cancelled() else call.result()

    async def _guarded_call(self) -> tuple[Status, str | None]:
        """Call the function. A ``SystemExit`` that left this task would end the server."""
        try:
            return parse_result(await self._call_function())
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - an exception is a result
            return Status.UNHEALTHY, f"it raised {type(error).__name__}"

    async def _call_function(self) -> Any:
        if self._blocks_loop:
            return await self._in_thread(self._call_on_own_loop)
        if inspect.iscoroutinefunction(self._function):
            found: Any = self._function()
        else:
            found = await self._in_thread(self._function)
        while inspect.isawaitable(found):
            found = await StepTimer(found, self._on_blocked)
        return found

    def _call_on_own_loop(self) -> Any:
        async def call() -> Any:
            found: Any = self._function()
            while inspect.isawaitable(found):
                found = await found
            return found

        return asyncio.run(call())

    def _on_blocked(self) -> None:
        self._blocks_loop = True
        warn_once("a health check blocks the event loop; from now on it runs in a thread", self.name)

    async def _in_thread(self, function: Callable[[], Any]) -> Any:
        """Call a function that may block in a daemon thread, which does not delay the exit."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        context = contextvars.copy_context()

        def settle(result: Any, error: BaseException | None) -> None:
            if future.done():  # after the timeout
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def work() -> None:
            result, error = None, None
            try:
                result = context.run(function)
            except BaseException as raised:  # noqa: BLE001 - an exception is a result
                error = raised if isinstance(raised, Exception) else _CheckExitError(raised)
            self._thread_done = True
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(settle, result, error)

        self._thread_done = False
        self._thread = threading.Thread(target=work, name=f"health check {self.name}", daemon=True)
        self._thread.start()
        return await future


class _CheckExitError(Exception):
    """A check raised an exception that is no ``Exception``, such as ``SystemExit``."""


def _is_active(task: asyncio.Task[Any] | None) -> bool:
    return task is not None and not task.done() and not task.get_loop().is_closed()
