"""Caches of room records."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

V = TypeVar("V")


class Cache(Protocol[V]):
    """A cache in this process or shared.

    :func:`tallow.monitoring.integrations.caches.instrument_cache` counts hits and misses.
    """

    async def get(self, key: str) -> V | None:
        """The value; None if there is none or the cache is not available."""

    async def set(self, key: str, value: V) -> None:
        """Store a value until it expires."""

    async def delete(self, key: str) -> None:
        """Remove a value."""

    async def clear(self) -> None:
        """Remove all values."""

    async def ping(self) -> None:
        """Readiness check: raises if the cache is not available."""

    async def close(self) -> None:
        """Close all connections."""


class MemoryCache(Generic[V]):
    """A cache in this process. When it is full, the least recently used entry is removed.

    Args:
        size: maximum number of entries.
        ttl: seconds until an entry expires.
        clock: monotonic seconds.
    """

    def __init__(self, *, size: int, ttl: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._ttl = ttl
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, V]] = OrderedDict()

    async def get(self, key: str) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[0] <= self._clock():
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return entry[1]

    async def set(self, key: str, value: V) -> None:
        self._entries[key] = (self._clock() + self._ttl, value)
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)

    async def delete(self, key: str) -> None:
        self._entries.pop(key, None)

    async def ping(self) -> None:
        """Always available."""

    async def clear(self) -> None:
        self._entries.clear()

    async def close(self) -> None:
        await self.clear()

    def __len__(self) -> int:
        return len(self._entries)
