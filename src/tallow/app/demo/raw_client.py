"""A room client without a transfer: for bad requests and for the reports of browsers."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from websockets.asyncio.client import ClientConnection

from tallow.app.peer.connection.signaling_messages import join_message
from tallow.app.peer.link import Link, new_secret, token_hash
from tallow.app.peer.server_client import ServerClient
from tallow.app.wire import REPORT_VERSION, SIGNAL_PATH, Device, LeaveMessage


@dataclass
class RawRoomClient:
    """The sender of a new room, with its signaling socket and telemetry token."""

    server: ServerClient
    socket: ClientConnection
    token: str

    async def report(self, metrics: dict[str, Any]) -> httpx.Response:
        """Send a telemetry report with these metrics."""
        body = {"version": REPORT_VERSION, "metrics": metrics}
        response = await self.server.post_report(self.token, body)
        if response.status_code == 200:
            self.token = str(response.json()["next"])
        return response


@asynccontextmanager
async def join_as_raw_client(
    origin: str, context: ssl.SSLContext, device: Device
) -> AsyncIterator[RawRoomClient]:
    """Join a new room as its sender, and leave it at the end of the block.

    Raises:
        PeerError: the server does not create a room.
    """
    secret = new_secret()
    leave: LeaveMessage = {"type": "leave"}
    async with ServerClient(origin, context) as server:
        room = await server.create_room(token_hash(secret))
        socket = await server.open_websocket(SIGNAL_PATH)
        try:
            await socket.send(raw_join(Link(origin, room.room, secret), device))
            joined = orjson.loads(await socket.recv())
            yield RawRoomClient(server, socket, str(joined["telemetry_token"]))
            await socket.send(orjson.dumps(leave).decode())
        finally:
            await socket.close()


def raw_join(link: Link, device: Device) -> str:
    """The text of a sender's join message."""
    return orjson.dumps(join_message(link, "sender", device)).decode()
