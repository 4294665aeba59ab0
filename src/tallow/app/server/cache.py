"""A small cache: entries live for a while, and the least recently used one makes room."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from tallow.monitoring.metrics import Metrics

V = TypeVar("V")


class Cache(Protocol[V]):
    """What the server asks of a cache; a shared one (Redis) fits the same shape."""

    async def get(self, key: str) -> V | None:
        """The value, or None. Counts a hit or a miss."""

    async def put(self, key: str, value: V) -> None:
        """Keep a value for the cache's time."""

    async def drop(self, key: str) -> None:
        """Forget a value."""


class MemoryCache(Generic[V]):
    """A cache in this process.

    Args:
        name: registered as the ``cache`` label of its hits and misses.
        size: most entries kept.
        ttl: seconds an entry is good for.
    """

    def __init__(
        self,
        name: str,
        metrics: Metrics,
        *,
        size: int,
        ttl: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._metrics = metrics
        self._size = size
        self._ttl = ttl
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, V]] = OrderedDict()
        metrics.register_cache(name)

    async def get(self, key: str) -> V | None:
        entry = self._entries.get(key)
        fresh = entry is not None and entry[0] > self._clock()
        self._metrics.record_cache_access(self._name, fresh)
        if entry is None or not fresh:
            self._entries.pop(key, None)
            return None
        self._entries.move_to_end(key)
        return entry[1]

    async def put(self, key: str, value: V) -> None:
        self._entries[key] = (self._clock() + self._ttl, value)
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)

    async def drop(self, key: str) -> None:
        self._entries.pop(key, None)

    def __len__(self) -> int:
        return len(self._entries)
