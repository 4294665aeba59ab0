"""Fake clients of a server under test: they make rooms, join them and send telemetry reports."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
from websockets.asyncio.client import ClientConnection

from tallow.monitoring.integrations.http_client import TransportOptions, async_client
from tallow.monitoring.integrations.websocket_client import connect_websocket
from tallow.stack.drill.environment.server import ServerUnderTest

MAX_CONCURRENT_JOINS: Final = 10


@dataclass(frozen=True, slots=True)
class JoinedClient:
    """A client in a room.

    Attributes:
        socket: its signaling socket.
        join_reply: the server's answer to its join message.
    """

    socket: ClientConnection
    join_reply: Mapping[str, Any]

    async def send(self, **message: Any) -> None:
        """Send a signaling message."""
        await self.socket.send(json.dumps(message))


async def create_room(server: ServerUnderTest) -> tuple[str, bytes]:
    """Make a room.

    Returns:
        Its name and its join token.

    Raises:
        httpx.HTTPError: the server does not make one.
    """
    token = os.urandom(32)
    response = await server.http.post("/api/rooms", json={"token_hash": hashlib.sha256(token).hexdigest()})
    response.raise_for_status()
    return str(response.json()["room"]), token


@asynccontextmanager
async def join_room(
    server: ServerUnderTest, room: str, token: bytes, role: str
) -> AsyncIterator[JoinedClient]:
    """Join a room until the block ends.

    Raises:
        OSError, websockets.WebSocketException: the server refuses the client.
    """
    url = server.url.replace("http", "ws", 1) + "/api/signal"
    async with await connect_websocket(url, direct=True, compression=None, open_timeout=30) as socket:
        encoded = urlsafe_b64encode(token).decode().rstrip("=")
        join = {"type": "join", "version": 2, "room": room, "token": encoded, "role": role, "device": "cli"}
        await socket.send(json.dumps(join))
        reply = json.loads(await socket.recv())
        if reply["type"] != "joined":
            raise ConnectionError(f"the server refused the {role}")
        yield JoinedClient(socket, reply)


@asynccontextmanager
async def join_pair(server: ServerUnderTest) -> AsyncIterator[tuple[JoinedClient, JoinedClient]]:
    """Make a room with a sender and a receiver in it, until the block ends."""
    room, token = await create_room(server)
    async with (
        join_room(server, room, token, "sender") as sender,
        join_room(server, room, token, "receiver") as receiver,
    ):
        yield sender, receiver


@asynccontextmanager
async def join_pairs(server: ServerUnderTest, count: int) -> AsyncIterator[None]:
    """Make ``count`` rooms with idle pairs in them, until the block ends."""
    limit = asyncio.Semaphore(MAX_CONCURRENT_JOINS)
    async with AsyncExitStack() as stack:

        async def join_one() -> None:
            async with limit:
                await stack.enter_async_context(join_pair(server))

        joins = [asyncio.create_task(join_one()) for _ in range(count)]
        try:
            await asyncio.gather(*joins)
        finally:
            for join in joins:
                join.cancel()
            await asyncio.gather(*joins, return_exceptions=True)
        yield


async def send_report(
    server: ServerUnderTest, token: str, metrics: Mapping[str, Any], address: str | None = None
) -> httpx.Response:
    """Send a telemetry report with a client's telemetry token.

    Args:
        address: the loopback address that it is sent from, so that several clients look like several hosts.
    """
    body = {"version": 1, "metrics": metrics}
    headers = {"authorization": f"Bearer {token}"}
    if address is None:
        return await server.http.post("/api/telemetry", json=body, headers=headers)
    own: TransportOptions = {"local_address": address}
    async with async_client(base_url=server.url, transport=own, direct=True) as http:
        return await http.post("/api/telemetry", json=body, headers=headers)
