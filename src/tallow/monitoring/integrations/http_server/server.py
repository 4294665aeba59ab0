"""uvicorn's server, which accepts connections within limits."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Sequence
from typing import Any, Final, cast

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from tallow.monitoring.integrations.http_server.acceptor import Acceptor
from tallow.monitoring.integrations.http_server.connection_table import Connection, ConnectionTable
from tallow.monitoring.integrations.http_server.limits import ConnectionLimits, raise_descriptor_limit

SWEEP_S: Final = 0.5
"""Interval in which connections whose time has passed are closed."""
CLOSING_SWEEPS: Final = 20
"""Sweeps after which a connection that is closing is aborted."""


class LimitedConfig(uvicorn.Config):
    """uvicorn's configuration with limits on connections.

    Args:
        limits: on the connections.
        options: of :class:`uvicorn.Config`.
    """

    def __init__(self, app: Any, limits: ConnectionLimits, **options: Any) -> None:
        super().__init__(app, **options)
        self.connection_limits = limits


class LimitedServer(uvicorn.Server):
    """Serves within the limits of a :class:`LimitedConfig`.

    Attributes:
        connections: the open connections, while it serves.
    """

    def __init__(self, config: LimitedConfig) -> None:
        super().__init__(config)
        self._limits = config.connection_limits
        self.connections = ConnectionTable(self._limits, self._limits.total)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then accept connections on ``sockets`` or on the configured address."""
        listeners: Sequence[socket.socket] = sockets or [self.config.bind_socket()]
        for listener in listeners:
            listener.listen(self.config.backlog)
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        raise_descriptor_limit()
        self.connections = ConnectionTable(self._limits, self._limits.total)
        acceptors = [
            Acceptor(listener, self.connections, self._protocol, self.config.ssl) for listener in listeners
        ]
        self.servers = cast("list[asyncio.base_events.Server]", acceptors)  # it has the methods that are used
        self._sweeper = asyncio.create_task(self._sweep(), name="connection limits")
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop as uvicorn does; time limits hold until the last connection is closed."""
        try:
            await super().shutdown(sockets)
        finally:
            self._sweeper.cancel()

    def _protocol(self, connection: Connection) -> asyncio.Protocol:
        protocol: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            connection=connection,
        )
        return protocol

    async def _sweep(self) -> None:
        sweeps = 0
        while True:
            await asyncio.sleep(SWEEP_S)
            self.connections.close_expired()
            sweeps += 1
            if sweeps % CLOSING_SWEEPS == 0:
                self.connections.abort_closing()
