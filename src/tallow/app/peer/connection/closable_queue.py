"""A queue that can end: what one task hands to another, and the error after which nothing more comes."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class ClosableQueue(Generic[T]):
    """Items in order; after :meth:`fail`, the error for everybody who still waits."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._news = asyncio.Event()
        self._error: Exception | None = None

    def put(self, item: T) -> None:
        """Add an item; after the end it is dropped."""
        if self._error is None:
            self._items.append(item)
            self._news.set()

    def fail(self, error: Exception) -> None:
        """End it. The first error counts."""
        self._error = self._error or error
        self._news.set()

    async def get(self) -> T:
        """The next item.

        Raises:
            Exception: the one it was ended with, once what came before is taken.
        """
        while not self._items:
            if self._error is not None:
                raise self._error
            self._news.clear()
            await self._news.wait()
        return self._items.popleft()
