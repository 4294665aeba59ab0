"""Faults of the database and the cache."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only

from tallow.app.server.rooms.cache import Cache

WIPE_EVERY_S: Final = 0.02


class SlowDatabase:
    """Delays every SQL statement within its measured time, without blocking the event loop."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._delay = 0.0
        event.listen(engine.sync_engine, "before_cursor_execute", self._wait)

    def set(self, seconds: float) -> None:
        """Delay each statement by this many seconds; 0 stops."""
        self._delay = seconds

    def _wait(self, *_: Any) -> None:
        if self._delay:
            await_only(asyncio.sleep(self._delay))


class EmptyCache:
    """Empties a cache faster than entries are read again."""

    def __init__(self, cache: Cache[Any]) -> None:
        self._cache = cache
        self._task: asyncio.Task[None] | None = None

    def set(self, on: float) -> None:
        """1: keep the cache empty; 0: stop."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if on:
            self._task = asyncio.create_task(self._wipe(), name="fault")

    async def _wipe(self) -> None:
        with suppress(asyncio.CancelledError):
            while True:
                await self._cache.clear()
                await asyncio.sleep(WIPE_EVERY_S)
