"""A server process as a member of a cluster of servers, or of a server's workers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from starlette.types import ASGIApp

from tallow.app.server.cluster.forwarding import InternalGateway, RequestForwarder
from tallow.app.server.cluster.room_directory import (
    NodeAddress,
    RoomDirectory,
    SingleProcessDirectory,
    WorkerSlotDirectory,
)
from tallow.app.server.cluster.socket_handoff import HandoffListener, WorkerSockets
from tallow.app.server.rooms.cache import Cache, MemoryCache
from tallow.app.server.settings import ServerSettings
from tallow.app.server.storage.records import RoomRecord
from tallow.app.server.transport.movable_websocket import MovableWebSocket
from tallow.app.server.transport.uvicorn_config import listen, listen_unix, server_config
from tallow.monitoring.integrations.uvicorn_config import EmbeddedServer
from tallow.monitoring.metrics import Metrics

CACHED_ROOMS: Final = 100_000
"""More than the 14,400 rooms that one address prefix can create while the cache keeps them: it displaces
nobody's. They take 65 MB."""
CACHE_TTL_S: Final = 3_600
"""At least as long as the link of a room is good that has left the memory of the process."""


@dataclass(slots=True)
class ClusterNode:
    """Room directory, shared secret, and this process's internal listening socket.

    Attributes:
        workers: of this server.
        quota_file: of the quotas that the workers have in common; None: there is one process.
        sockets: on which they pass on connections.
        host_port: at which other servers reach this process; empty if there are none.
    """

    directory: RoomDirectory = field(default_factory=SingleProcessDirectory)
    secret: str = field(default="", repr=False)
    listener: socket.socket | None = None
    workers: int = 1
    quota_file: Path | None = None
    sockets: WorkerSockets | None = None
    host_port: str = ""

    @property
    def forwarder(self) -> RequestForwarder:
        """Forwards requests to the other processes."""
        return RequestForwarder(self.secret, self.sockets)

    @asynccontextmanager
    async def serve_internal(
        self, app: ASGIApp, public_app: ASGIApp, settings: ServerSettings
    ) -> AsyncIterator[None]:
        """Open the directory, and serve what other processes forward until the block ends.

        Args:
            app: see :class:`InternalGateway`.
            public_app: see there.
        """
        await self.directory.open()
        gateway = InternalGateway(app, public_app, self.secret)
        server = EmbeddedServer(server_config(gateway, settings, is_internal=True, lifespan="off"))
        task: asyncio.Task[None] | None = None
        if self.listener is not None:
            task = asyncio.create_task(server.serve([self.listener]), name="internal gateway")
        handoffs = None if self.sockets is None else take_over_connections(self.sockets, server)
        try:
            yield
        finally:
            if handoffs is not None:
                await handoffs.close()
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
    if slots is None or folder is None:
        return node
    own = NodeAddress(node.host_port, None if node.host_port else str(slots.socket_path))
    return replace(node, workers=workers, quota_file=folder / "quotas", sockets=WorkerSockets(folder, own))


def take_over_connections(sockets: WorkerSockets, server: EmbeddedServer) -> HandoffListener:
    """Serve the connections that other workers pass on, beside a server's own."""
    config = server.config
    if not config.loaded:
        config.load()

    def protocol() -> MovableWebSocket | None:
        connection = server.connections.open("")  # the worker that accepted it has counted it for its address
        if connection.limit:  # it got a reserved place, as there is no other
            connection.release()
            return None
        connection.upgrade()
        websocket = MovableWebSocket(config, server.server_state, {})
        websocket.count_as(connection)
        return websocket

    return HandoffListener(listen_unix(sockets.path), protocol)


def _redis_node(url: str, cluster_host: str, secret: SecretStr) -> ClusterNode:
    from tallow.app.server.cluster.redis import (  # loads redis only where it is used
        RedisRoomDirectory,
        connect,
    )

    listener = listen(cluster_host, 0)
    host = f"[{cluster_host}]" if ":" in cluster_host else cluster_host
    host_port = f"{host}:{listener.getsockname()[1]}"
    directory = RedisRoomDirectory(connect(url), host_port)
    return ClusterNode(directory, secret.get_secret_value(), listener, host_port=host_port)


def room_cache(settings: ServerSettings, metrics: Metrics) -> Cache[RoomRecord]:
    """The cache of room records: in Redis if ``redis_url`` is set, else in memory."""
    if settings.redis_url is None:
        return MemoryCache(size=CACHED_ROOMS, ttl=CACHE_TTL_S)
    from tallow.app.server.cluster.redis import RedisCache, connect

    return RedisCache(connect(settings.redis_url), metrics, ttl=CACHE_TTL_S)
