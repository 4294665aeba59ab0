"""One Tallow of several processes: what each of them brings along."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.types import ASGIApp

from tallow.app.server.cluster.forwarding import InternalGateway, RequestForwarder
from tallow.app.server.cluster.room_directory import (
    RoomDirectory,
    SingleProcessDirectory,
    WorkerSlotDirectory,
)
from tallow.app.server.rooms.cache import Cache, MemoryCache
from tallow.app.server.rooms.store import RoomRecord
from tallow.app.server.settings import ServerSettings
from tallow.app.server.transport.uvicorn_config import InnerServer, listen, listen_unix, server_config
from tallow.monitoring.metrics import Metrics

CACHED_ROOMS = 10_000
CACHE_TTL_S = 3_600


@dataclass(slots=True)
class ClusterNode:
    """The house register, the secret of the inner doors, and this process's own door."""

    directory: RoomDirectory = field(default_factory=SingleProcessDirectory)
    secret: str = field(default="", repr=False)
    listener: socket.socket | None = None

    @property
    def forwarder(self) -> RequestForwarder:
        """Opens the other processes' doors."""
        return RequestForwarder(self.secret)

    @asynccontextmanager
    async def serve_internal(self, app: ASGIApp, settings: ServerSettings) -> AsyncIterator[None]:
        """Move in, and answer what others hand over with ``app``, until the block ends."""
        await self.directory.open()
        server = InnerServer(server_config(InternalGateway(app, self.secret), settings, lifespan="off"))
        task = (
            None
            if self.listener is None
            else asyncio.create_task(server.serve([self.listener]), name="inner door")
        )
        try:
            yield
        finally:
            server.should_exit = True
            if task is not None:
                await task
            await self.directory.close()


def join_cluster(settings: ServerSettings, folder: Path | None = None, workers: int = 1) -> ClusterNode:
    """Take a place among the servers of one Redis, among the workers of one server, or alone.

    Args:
        folder: the workers' own, for locks and sockets.

    Raises:
        BadSettingError: the address for the other servers cannot be had.
    """
    if settings.redis_url is not None and settings.cluster_secret is not None:
        from tallow.app.server.cluster.redis import (  # only who uses Redis pays for it
            RedisRoomDirectory,
            connect,
        )

        door = listen(settings.cluster_host, 0)
        host = f"[{settings.cluster_host}]" if ":" in settings.cluster_host else settings.cluster_host
        homes = RedisRoomDirectory(connect(settings.redis_url), f"{host}:{door.getsockname()[1]}")
        return ClusterNode(homes, settings.cluster_secret.get_secret_value(), door)
    if folder is not None and workers > 1:
        slots = WorkerSlotDirectory(folder, workers)
        return ClusterNode(slots, listener=listen_unix(slots.socket_path))
    return ClusterNode()


def room_cache(settings: ServerSettings, metrics: Metrics) -> Cache[RoomRecord]:
    """The cache of room records: Redis by URL, else this process's memory."""
    if settings.redis_url is None:
        return MemoryCache(size=CACHED_ROOMS, ttl=CACHE_TTL_S)
    from tallow.app.server.cluster.redis import RedisCache, connect

    return RedisCache(connect(settings.redis_url), metrics, ttl=CACHE_TTL_S)
