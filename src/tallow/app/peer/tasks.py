"""Helpers for asyncio tasks: cancellable work in threads, groups of tasks, and cancelling."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Final, TypeVar

from tallow.app.channels.channel import ChannelClosedError

T = TypeVar("T")

CANCEL_TIMEOUT_S: Final = 0.3


def start_task(work: Coroutine[Any, Any, T], name: str | None = None) -> asyncio.Task[T]:
    """Start a task whose exception is its waiter's.

    A waiter that is cancelled never reads the exception. asyncio would then print a traceback to the user.
    """
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(retrieve_exception)
    return task


async def run_interruptible(
    work: Callable[[Callable[[], bool]], T], release: Callable[[T], None] | None = None
) -> T:
    """Run ``work`` in a thread and return its result.

    Args:
        work: is called with a function that returns true once the caller was cancelled. It must call that
            function often and end soon after.
        release: is called with the result if the caller was cancelled.

    Raises:
        CancelledError: the caller was cancelled. The work has ended by then, unless the caller was cancelled
            twice.
        Exception: whatever ``work`` raises.
    """
    cancelled = threading.Event()
    running = start_task(asyncio.to_thread(work, cancelled.is_set))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        cancelled.set()
        running.add_done_callback(lambda done: _release(done, release))
        await asyncio.wait({running})
        raise


def _release(done: asyncio.Future[T], release: Callable[[T], None] | None) -> None:
    if release is not None and not done.cancelled() and done.exception() is None:
        release(done.result())


async def cancel_task(task: asyncio.Future[Any]) -> None:
    """Cancel a task and wait briefly: closing a connection may block if the other end does not answer."""
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=CANCEL_TIMEOUT_S)
    for ended in done or {task}:
        ended.add_done_callback(retrieve_exception)


def retrieve_exception(task: asyncio.Future[Any]) -> None:
    """Mark a task's exception as retrieved, so that asyncio does not log it. For ``add_done_callback``."""
    if not task.cancelled():
        task.exception()


async def end_task(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end. Its exception is not raised."""
    task.cancel()
    await wait_for_end(task)


async def wait_for_end(task: asyncio.Task[Any]) -> None:
    """Wait for the end of a task that was cancelled. Its exception is not raised.

    To await the task and suppress ``CancelledError`` would ignore that the caller is cancelled meanwhile.
    """
    task.add_done_callback(retrieve_exception)
    await asyncio.wait({task})


async def run_all_or_fail(*work: Coroutine[Any, Any, None]) -> None:
    """Run coroutines side by side. The first failure cancels the others and is raised when they have ended.

    An :class:`asyncio.TaskGroup` cancels the task that waits for it. That request stays when a member fails
    during the wait; with it, :func:`asyncio.timeout` of Python 3.11.2 ends in ``CancelledError``.
    """
    tasks = [start_task(each) for each in work]
    try:
        await _wait_for_failure(tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    errors = [task.exception() for task in tasks if not task.cancelled()]
    if failures := [error for error in errors if error is not None]:
        raise _most_specific(failures)
    for task in tasks:
        task.result()  # raises, if the task was cancelled by its own work


async def _wait_for_failure(tasks: Collection[asyncio.Task[None]]) -> None:
    """Wait until a task has failed or was cancelled, or all have ended."""
    running = set(tasks)
    while running and not any(map(_has_failed, tasks)):
        _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)


def _has_failed(task: asyncio.Task[None]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _most_specific(errors: list[BaseException]) -> BaseException:
    """The first error that is not just a closed channel: a protocol error closes the channel, too."""
    return next((error for error in errors if not isinstance(error, ChannelClosedError)), errors[0])
