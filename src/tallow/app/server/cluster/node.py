"""A server process as a member of a cluster of servers, or of a server's workers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import SecretStr
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
from tallow.app.server.transport.uvicorn_config import listen, listen_unix, server_config
from tallow.monitoring.integrations.uvicorn_config import EmbeddedServer
from tallow.monitoring.metrics import Metrics

CACHED_ROOMS = 10_000
CACHE_TTL_S = 3_600


@dataclass(slots=True)
class ClusterNode:
    """Room directory, shared secret, and this process's internal listening socket.

    Attributes:
        slot: of this process among the workers of its server, from 0.
        workers: their number.
    """

    directory: RoomDirectory = field(default_factory=SingleProcessDirectory)
    secret: str = field(default="", repr=False)
    listener: socket.socket | None = None
    slot: int = 0
    workers: int = 1

    @property
    def forwarder(self) -> RequestForwarder:
        """Forwards requests to the other processes."""
        return RequestForwarder(self.secret)

    @asynccontextmanager
    async def serve_internal(self, app: ASGIApp, settings: ServerSettings) -> AsyncIterator[None]:
        """Open the directory, and serve forwarded requests with ``app`` until the block ends."""
        await self.directory.open()
        server = EmbeddedServer(server_config(InternalGateway(app, self.secret), settings, lifespan="off"))
        task: asyncio.Task[None] | None = None
        if self.listener is not None:
            task = asyncio.create_task(server.serve([self.listener]), name="internal gateway")
        try:
            yield
        finally:
            server.should_exit = True
            if task is not None:
                await task
            await self.directory.close()


def join_cluster(settings: ServerSettings, folder: Path | None = None, workers: int = 1) -> ClusterNode:
    """This process as one of the servers that share a Redis, as one of several workers, or alone.

    Args:
        folder: holds the workers' locks and sockets.
        workers: their number.

    Raises:
        BadSettingError: cannot listen on ``cluster_host``.
    """
    slots = WorkerSlotDirectory(folder, workers) if folder is not None and workers > 1 else None
    if settings.redis_url is not None and settings.cluster_secret is not None:
        node = _redis_node(settings.redis_url, settings.cluster_host, settings.cluster_secret)
    elif slots is not None:
        node = ClusterNode(slots, listener=listen_unix(slots.socket_path))
    else:
        return ClusterNode()
    return node if slots is None else replace(node, slot=slots.slot, workers=workers)


def _redis_node(url: str, cluster_host: str, secret: SecretStr) -> ClusterNode:
    from tallow.app.server.cluster.redis import (  # loads redis only where it is used
        RedisRoomDirectory,
        connect,
    )

    listener = listen(cluster_host, 0)
    host = f"[{cluster_host}]" if ":" in cluster_host else cluster_host
    directory = RedisRoomDirectory(connect(url), f"{host}:{listener.getsockname()[1]}")
    return ClusterNode(directory, secret.get_secret_value(), listener)


def room_cache(settings: ServerSettings, metrics: Metrics) -> Cache[RoomRecord]:
    """The cache of room records: in Redis if ``redis_url`` is set, else in memory."""
    if settings.redis_url is None:
        return MemoryCache(size=CACHED_ROOMS, ttl=CACHE_TTL_S)
    from tallow.app.server.cluster.redis import RedisCache, connect

    return RedisCache(connect(settings.redis_url), metrics, ttl=CACHE_TTL_S)
