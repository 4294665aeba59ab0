"""Work that is done for many items at once: items that come during one batch are the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from tallow.app.peer.tasks import cancel_task, start_task

T = TypeVar("T")


class BatchQueue(Generic[T]):
    """Hands items to ``work`` in batches, one batch at a time. The first item does not wait for others.

    Args:
        work: is called with the items of a batch.
        limit: items of a batch, and items that may wait.
    """

    def __init__(self, work: Callable[[Sequence[T]], Awaitable[None]], limit: int) -> None:
        self._work = work
        self._limit = limit
        self._waiting: list[T] = []
        self._taken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def add(self, item: T) -> None:
        """Add an item; waits while too many do.

        Raises:
            Exception: what ``work`` raised for an earlier batch.
        """
        while len(self._waiting) >= self._limit and self._task is not None and not self._task.done():
            self._taken.clear()
            await self._taken.wait()
        if self._task is not None and self._task.done():
            self._task.result()
            self._task = None
        self._waiting.append(item)
        if self._task is None:
            self._task = start_task(self._run())

    async def finish(self) -> None:
        """Wait until nothing waits.

        Raises:
            Exception: what ``work`` raised.
        """
        if self._task is not None:
            await self._task

    async def close(self) -> None:
        """Cancel the batch that is being worked on, and wait for it briefly."""
        self._waiting.clear()
        if self._task is not None:
            task, self._task = self._task, None
            await cancel_task(task)

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                self._taken.set()
                await self._work(batch)
        finally:
            self._taken.set()
