"""A room manager on a real SQLite file, whose time the test sets."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from support.registries import tallow_metrics
from tallow.app.server.cluster.node import CACHE_TTL_S, CACHED_ROOMS
from tallow.app.server.limits.client_address import ClientAddressHasher
from tallow.app.server.rooms.cache import MemoryCache
from tallow.app.server.rooms.manager import RoomManager
from tallow.app.server.rooms.room import Room
from tallow.app.server.settings import ServerSettings
from tallow.app.server.storage.records import RoomRecord
from tallow.app.server.storage.room_store import SqlStore
from tallow.app.wire import CloseReason, ServerMessage, TransferOutcome

TOKEN = b"t" * 32
TOKEN_HASH = hashlib.sha256(TOKEN).hexdigest()
NETWORKS = ClientAddressHasher().networks({"client": ("192.0.2.1", 1)})
START = 1_800_000_000.0


class Connection:
    """A socket that nobody reads: rooms only tell it to close."""

    def __init__(self) -> None:
        self.ended: list[CloseReason] = []

    async def send(self, message: ServerMessage) -> None:
        pass

    def end_with(self, reason: CloseReason) -> None:
        self.ended.append(reason)


class RoomsInTime:
    """A room manager whose time the test sets.

    Args:
        now: seconds since :data:`START` at which its process starts.
        given: settings of the server.
    """

    def __init__(self, folder: Path, now: float = 0.0, **given: Any) -> None:
        self.now = now
        self.moved: set[str] = set()
        settings = ServerSettings.load(data_dir=folder, **given)
        metrics = self.metrics = tallow_metrics()
        self.store = SqlStore(settings.database, metrics, clock=self.wall_clock)
        self.cache: MemoryCache[RoomRecord] = MemoryCache(
            size=CACHED_ROOMS, ttl=CACHE_TTL_S, clock=self.clock
        )
        self.manager = RoomManager(
            settings,
            metrics,
            self.store,
            self.cache,
            clock=self.clock,
            wall_clock=self.wall_clock,
            owned_by_others=self.owned_by_others,
        )
        self.places = self.manager.places

    def clock(self) -> float:
        return self.now

    def wall_clock(self) -> float:
        return START + self.now

    async def owned_by_others(self, room_ids: Any) -> set[str]:
        return self.moved & set(room_ids)

    async def create(self) -> str:
        return (await self.manager.create(TOKEN_HASH, "0" * 32, NETWORKS)).id

    async def open(self, room_id: str) -> Room | None:
        return await self.manager.open_room(room_id, TOKEN)

    async def pair(self, room_id: str | None = None) -> Room:
        room = await self.open(room_id or await self.create())
        assert room is not None
        self.manager.join(room, "sender", Connection(), "cli", None)
        self.manager.join(room, "receiver", Connection(), "cli", None)
        return room

    def leave(self, room: Room) -> None:
        for member in list(room.members.values()):
            self.manager.leave(room, member, None)

    async def transfer(self, outcome: TransferOutcome = "success") -> Room:
        room = await self.pair()
        await self.manager.start_transfer(room, "p2p")
        assert await self.manager.conclude(room, outcome)
        self.leave(room)
        return room

    def lookups(self) -> tuple[float, float]:
        """Hits and misses of the cache."""
        value = self.metrics.registry.value
        return value("cache_hits_total", cache="rooms"), value("cache_misses_total", cache="rooms")

    async def after(self, seconds: float) -> None:
        self.now += seconds
        await self.manager.run_due_tasks()
