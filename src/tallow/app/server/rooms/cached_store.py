"""Room records in the database, behind a cache."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tallow.app.server.rooms.cache import Cache
from tallow.app.server.rooms.room import Room
from tallow.app.server.storage.database import StoreError
from tallow.app.server.storage.records import OPEN, RoomRecord
from tallow.app.server.storage.room_store import NEVER, Store
from tallow.monitoring.errors import report_error
from tallow.monitoring.integrations.caches import instrument_cache
from tallow.monitoring.logging import transfer_logger
from tallow.monitoring.metrics import Metrics

CACHE_NAME: Final = "rooms"
"""The label ``cache`` of ``cache_hits_total`` and ``cache_misses_total``."""


@dataclass(frozen=True, slots=True)
class RoomLookup:
    """What was found.

    Attributes:
        record: of the room; None: there is no such room.
        was_cached: whether the cache answered; None if it could not have done so: there is no such room, or
            it was created before this process started. Strangers ask for as many of these as the limits on
            joins allow. They must not move the share of misses.
    """

    record: RoomRecord | None
    was_cached: bool | None


class CachedRoomStore:
    """Adds, finds and changes room records.

    Args:
        started: when this process started, in seconds since the Unix epoch.
    """

    def __init__(self, store: Store, cache: Cache[RoomRecord], metrics: Metrics, started: float) -> None:
        self._store = store
        self._cache = cache
        self._metrics = metrics
        self._started = started
        instrument_cache(self, CACHE_NAME, metrics, lookup="look_up", is_hit=lambda found: found.was_cached)

    async def add(self, records: Sequence[RoomRecord]) -> None:
        """Add the rooms of a new link: all of them, or none.

        If the connection to the database is lost during the commit, nobody knows whether they were added.
        They expire then, and their link was given to nobody.

        Raises:
            StoreError: the database is not available.
        """
        await self._store.add(*records)
        for record in records:
            await self._cache.set(record.id, record)

    async def look_up(self, room_id: str) -> RoomLookup:
        """Find a room. Look-ups count in ``cache_hits_total`` and ``cache_misses_total``.

        Raises:
            StoreError: the database is not available.
        """
        cached = await self._cache.get(room_id)
        if cached is not None:
            return RoomLookup(cached, was_cached=True)
        stored = await self._store.find(room_id)
        if stored is None:
            return RoomLookup(None, was_cached=None)
        await self._cache.set(room_id, stored)
        return RoomLookup(stored, was_cached=None if stored.created < self._started else False)

    async def save_state(self, room: Room, latest: float = NEVER) -> None:
        """Store the room's state. If the database fails the transfer goes on; a restart loses the state.

        Args:
            latest: time at which the link expires, in seconds since the Unix epoch, unless it does so before.
        """
        try:
            await self._store.set_state(room.record.id, room.state, latest)
            await self._cache.set(room.record.id, room.snapshot(latest))
        except StoreError as error:
            report_error(
                "storage",
                "high",
                "A room's state cannot be stored",
                error=error,
                log=transfer_logger,
                metrics=self._metrics,
            )

    async def expire(self, room_id: str, now: float) -> None:
        """Let a room that nobody joined expire now. If the database fails, it expires at its time.

        Args:
            now: seconds since the Unix epoch.
        """
        with suppress(StoreError):
            await self._store.set_state(room_id, OPEN, now)
        await self._cache.delete(room_id)
