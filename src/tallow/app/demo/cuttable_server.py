"""A server client whose connections can be cut."""

from __future__ import annotations

import ssl
from typing import Any

from websockets.asyncio.client import ClientConnection

from tallow.app.peer.server_client import ServerClient


class CuttableServer(ServerClient):
    """Remembers its WebSockets, to lose them as an unstable network would."""

    def __init__(self, origin: str, context: ssl.SSLContext, *, do_not_track: bool = False) -> None:
        super().__init__(origin, context, do_not_track=do_not_track)
        self._opened: dict[str, ClientConnection] = {}

    async def open_websocket(self, path: str, **options: Any) -> ClientConnection:
        """See :meth:`ServerClient.open_websocket`."""
        self._opened[path] = await super().open_websocket(path, **options)
        return self._opened[path]

    def cut(self, path: str) -> None:
        """Lose the connection at a path without closing it properly."""
        if path in self._opened:
            self._opened[path].transport.abort()
