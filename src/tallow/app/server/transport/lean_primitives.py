"""A queue and an event that take little memory.

asyncio's own hold up to three deques of 620 bytes each, for many tasks that wait. A WebSocket has one task.
"""

from __future__ import annotations

import asyncio
from typing import Any


class LeanQueue:
    """The part of :class:`asyncio.Queue` that uvicorn's WebSocket protocol uses. One task may wait."""

    __slots__ = ("_items", "_waiter")

    def __init__(self) -> None:
        self._items: list[Any] = []
        self._waiter: asyncio.Future[None] | None = None

    def empty(self) -> bool:
        """Whether nothing is in the queue."""
        return not self._items

    def put_nowait(self, item: Any) -> None:
        """Add an item."""
        self._items.append(item)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def get(self) -> Any:
        """Remove and return the oldest item; wait for one."""
        while not self._items:
            self._waiter = waiter = asyncio.get_running_loop().create_future()
            try:
                await waiter
            finally:
                if self._waiter is waiter:  # else this task was cancelled, and another one waits already
                    self._waiter = None
        return self._items.pop(0)


class LeanEvent:
    """:class:`asyncio.Event` without memory while nobody waits. It is set at first."""

    __slots__ = ("_event", "_is_set")

    def __init__(self) -> None:
        self._is_set = True
        self._event: asyncio.Event | None = None

    def is_set(self) -> bool:
        """Whether the event is set."""
        return self._is_set

    def set(self) -> None:
        """Set the event, and wake those who wait."""
        self._is_set = True
        if self._event is not None:
            self._event.set()
            self._event = None

    def clear(self) -> None:
        """Reset the event."""
        self._is_set = False

    async def wait(self) -> bool:
        """Return when the event is set."""
        if not self._is_set:
            if self._event is None:
                self._event = asyncio.Event()
            await self._event.wait()
        return True
