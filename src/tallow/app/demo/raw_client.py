"""A seat in a room without a peer in it: what bad requests and browsers of the demo speak through."""

from __future__ import annotations

import ssl
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import httpx
import orjson
from websockets.asyncio.client import ClientConnection

from tallow.app.link import Link, new_secret, token_hash
from tallow.app.peer.server_client import ServerClient

Device = Literal["cli", "desktop", "mobile", "other"]


@dataclass
class RawRoomClient:
    """A seat, by its signaling socket and its telemetry token."""

    server: ServerClient
    socket: ClientConnection
    token: str

    async def report(self, metrics: dict[str, Any]) -> httpx.Response:
        """Hand in a report of one's own making."""
        answer = await self.server.post_report(self.token, {"version": 1, "metrics": metrics})
        if answer.status_code == 200:
            self.token = str(answer.json()["next"])
        return answer


@asynccontextmanager
async def join_as_raw_client(
    origin: str, context: ssl.SSLContext, device: Device
) -> AsyncIterator[RawRoomClient]:
    """A sender's seat in a fresh room.

    Raises:
        PeerError: the server gives none.
    """
    secret = new_secret()
    async with ServerClient(origin, context) as server:
        made = await server.create_room(token_hash(secret))
        link = Link(origin, made.room, secret)
        socket = await server.open_websocket("/api/signal")
        try:
            await socket.send(join_message(link, device))
            joined = orjson.loads(await socket.recv())
            yield RawRoomClient(server, socket, str(joined["telemetry_token"]))
            await socket.send('{"type":"leave"}')
        finally:
            await socket.close()


def join_message(link: Link, device: Device) -> str:
    """Asks for the sender's seat in a link's room."""
    token = urlsafe_b64encode(link.join_token).decode().rstrip("=")
    join = {"type": "join", "version": 1, "room": link.room, "token": token, "role": "sender"}
    return orjson.dumps(join | {"device": device}).decode()
