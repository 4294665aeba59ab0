"""One check: run at most once at a time, cut off at its timeout, and never raising."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from tallow.monitoring.lazy_scrubber import scrub

MAX_REASON_CHARACTERS: Final = 200

CheckFunction = Callable[[], Any] | Callable[[], Awaitable[Any]]


class Status(StrEnum):
    """How a component, or the whole, is."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one run of a check found.

    ``reason`` says what is wrong in words of this module or, scrubbed, of the check; of an exception the type
    and never its text, which may hold an address, a path or a password. ``duration_s`` is in seconds.
    """

    status: Status
    critical: bool
    duration_s: float
    reason: str | None = None


class Check:
    """A named function that says how a component is.

    A function that is not a coroutine function runs in a thread of its own. One that outlives its timeout is
    left alone and not started again until it has ended: a hanging component costs one thread or one task.
    """

    def __init__(self, name: str, fn: CheckFunction, critical: bool, timeout: float) -> None:
        self.name = name
        self.critical = critical
        self.timeout = timeout
        self._function = fn
        self._task: asyncio.Task[Any] | None = None
        self._thread: threading.Thread | None = None

    async def run(self) -> CheckResult:
        """Run the check, for at most its timeout."""
        started = time.perf_counter()
        status, reason = await self._status_and_reason()
        return CheckResult(status, self.critical, time.perf_counter() - started, reason)

    async def _status_and_reason(self) -> tuple[Status, str | None]:
        if self._is_running():
            return Status.UNHEALTHY, "an earlier run has not ended"
        task = self._task = asyncio.create_task(self._run_function(), name=f"health check {self.name}")
        try:
            done, _ = await asyncio.wait({task}, timeout=self.timeout)
        finally:
            task.add_done_callback(_retrieve_exception)
            task.cancel()
        if not done:
            return Status.UNHEALTHY, f"no answer within {self.timeout:g} s"
        if task.cancelled():
            return Status.UNHEALTHY, "it was cancelled"
        error = task.exception()
        if error is not None:
            return Status.UNHEALTHY, f"it raised {type(error).__name__}"
        return _parse_result(task.result())

    def _is_running(self) -> bool:
        if self._thread is not None and self._thread.is_alive():
            return True
        task = self._task
        return task is not None and not task.done() and task.get_loop() is asyncio.get_running_loop()

    async def _run_function(self) -> Any:
        if inspect.iscoroutinefunction(self._function):
            return await self._function()
        found = await self._run_in_thread()
        return await found if inspect.isawaitable(found) else found

    async def _run_in_thread(self) -> Any:
        """The result of a function that may block: in a daemon thread, which no exit waits for."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        context = contextvars.copy_context()

        def settle(result: Any, error: BaseException | None) -> None:
            if future.done():  # too late: nobody waits
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def work() -> None:
            result, error = None, None
            try:
                result = context.run(self._function)
            except Exception as raised:  # noqa: BLE001 - whatever it raises is its finding
                error = raised
            except BaseException as raised:  # noqa: BLE001 - sys.exit() in a check ends no server
                error = RuntimeError(type(raised).__name__)
            with suppress(RuntimeError):  # the loop has closed meanwhile
                loop.call_soon_threadsafe(settle, result, error)

        self._thread = threading.Thread(target=work, name=f"health check {self.name}", daemon=True)
        self._thread.start()
        return await future


def _parse_result(found: Any) -> tuple[Status, str | None]:
    """A check's answer: False and a status say how it is; anything else means that it did not fail. With a
    line beside it, that is the reason."""
    if isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], str):
        status, reason = _parse_result(found[0])
        return status, _public_reason(found[1]) or reason
    if isinstance(found, bool):
        return (Status.HEALTHY, None) if found else (Status.UNHEALTHY, "it said no")
    if isinstance(found, str):
        try:
            return Status(found), None
        except ValueError:
            return Status.UNHEALTHY, "it answered with no status that is known"
    return Status.HEALTHY, None


def _public_reason(text: str) -> str:
    """A check's own words as they may be shown: one line, scrubbed, of bounded length."""
    try:
        cleaned = scrub(" ".join(text[:MAX_REASON_CHARACTERS].split()))
    except Exception:  # noqa: BLE001 - what cannot be scrubbed is not shown, and a probe is answered
        return "(its words cannot be shown)"
    return cleaned[:MAX_REASON_CHARACTERS]


def _retrieve_exception(task: asyncio.Task[Any]) -> None:
    """Take note of an exception that comes after the timeout, or asyncio would complain about it."""
    if not task.cancelled():
        task.exception()
