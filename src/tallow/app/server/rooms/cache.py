"""A small cache: entries live for a while, and the least recently used one makes room."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

V = TypeVar("V")


class Cache(Protocol[V]):
    """What the server asks of a cache, in this process or shared. Hits and misses are counted around it
    (:func:`tallow.monitoring.integrations.caches.instrument_cache`)."""

    async def get(self, key: str) -> V | None:
        """The value, or None. A cache that cannot be reached has nothing."""

    async def set(self, key: str, value: V) -> None:
        """Keep a value for the cache's time."""

    async def delete(self, key: str) -> None:
        """Forget a value."""

    async def clear(self) -> None:
        """Forget everything."""

    async def ping(self) -> None:
        """Ask for an answer, for the readiness probe; raises if there is none."""

    async def close(self) -> None:
        """Let go of all connections."""


class MemoryCache(Generic[V]):
    """A cache in this process.

    Args:
        size: most entries kept.
        ttl: seconds an entry is good for.
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
        """Always there."""

    async def clear(self) -> None:
        self._entries.clear()

    async def close(self) -> None:
        await self.clear()

    def __len__(self) -> int:
        return len(self._entries)
