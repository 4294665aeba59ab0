"""One check: at most one run at a time, limited by its timeout. It never raises."""

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
    """The status of a component or of the service.

    Example::

        >>> Status("degraded") is Status.DEGRADED
        True
    """

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one run of a check.

    Args:
        status: of the component.
        critical: whether the service cannot work without the component.
        duration_s: of the run, in seconds.
        reason: why the component is not healthy, or None. Text of the check is scrubbed. Of an exception only
            the
            type is shown: its text may hold an address, a path or a password.

    Example::

        >>> CheckResult(Status.UNHEALTHY, critical=True, duration_s=0.02, reason="it raised OSError").status
        <Status.UNHEALTHY: 'unhealthy'>
    """

    status: Status
    critical: bool
    duration_s: float
    reason: str | None = None


class Check:
    """A named function that reports the status of a component.

    A function that is not a coroutine function runs in a thread. A run that exceeds its timeout is abandoned,
    and the check is not started again until that run has ended: a hanging component uses one thread or one
    task.

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
        self._task: asyncio.Task[Any] | None = None
        self._thread: threading.Thread | None = None

    async def run(self) -> CheckResult:
        """Run the check for at most its timeout. Never raises."""
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
                result = context.run(self._function)
            except Exception as raised:  # noqa: BLE001 - an exception is a result
                error = raised
            except BaseException as raised:  # noqa: BLE001 - sys.exit() in a check must not end the server
                error = RuntimeError(type(raised).__name__)
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(settle, result, error)

        self._thread = threading.Thread(target=work, name=f"health check {self.name}", daemon=True)
        self._thread.start()
        return await future


def _parse_result(found: Any) -> tuple[Status, str | None]:
    """Interpret what a check returned: False, a status, or a pair of either and a reason."""
    if isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], str):
        status, reason = _parse_result(found[0])
        return status, _public_reason(found[1]) or reason
    if isinstance(found, bool):
        return (Status.HEALTHY, None) if found else (Status.UNHEALTHY, "it returned False")
    if isinstance(found, str):
        try:
            return Status(found), None
        except ValueError:
            return Status.UNHEALTHY, "it returned an unknown status"
    return Status.HEALTHY, None


def _public_reason(text: str) -> str:
    """Return a check's reason as one scrubbed line of at most :data:`MAX_REASON_CHARACTERS`."""
    try:
        cleaned = scrub(" ".join(text[:MAX_REASON_CHARACTERS].split()))
    except Exception:  # noqa: BLE001 - without the scrubber the reason is not shown
        return "(the reason cannot be shown)"
    return cleaned[:MAX_REASON_CHARACTERS]


def _retrieve_exception(task: asyncio.Task[Any]) -> None:
    """Retrieve an exception raised after the timeout; asyncio logs exceptions that are not retrieved."""
    if not task.cancelled():
        task.exception()
