"""A queue that can be closed with an error."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class ClosableQueue(Generic[T]):
    """Items in order. After :meth:`fail`, readers get the remaining items and then the error."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._changed = asyncio.Event()
        self._error: Exception | None = None

    def put(self, item: T) -> None:
        """Add an item; a closed queue drops it."""
        if self._error is None:
            self._items.append(item)
            self._changed.set()

    def fail(self, error: Exception) -> None:
        """Close the queue. Only the first error counts."""
        self._error = self._error or error
        self._changed.set()

    async def get(self) -> T:
        """Wait for the next item.

        Raises:
            Exception: the error that the queue was closed with, once it is empty.
        """
        while not self._items:
            if self._error is not None:
                raise self._error
            self._changed.clear()
            await self._changed.wait()
        return self._items.popleft()
