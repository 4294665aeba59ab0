"""People at the server, as far as it can tell: rooms, joins and reports over HTTP and WebSocket."""

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

from tallow.monitoring.integrations.websocket_client import connect_websocket
from tallow.stack.drill.environment.server import ServerUnderTest

MAX_CONCURRENT_JOINS: Final = 10


@dataclass(frozen=True, slots=True)
class JoinedClient:
    """A joined side: its socket, and what the server said to its join."""

    socket: ClientConnection
    join_reply: Mapping[str, Any]

    async def send(self, **message: Any) -> None:
        """Send a signaling message."""
        await self.socket.send(json.dumps(message))


async def create_room(instance: ServerUnderTest) -> tuple[str, bytes]:
    """Make a room: its name and its join token.

    Raises:
        httpx.HTTPError: the server does not make one.
    """
    token = os.urandom(32)
    answer = await instance.http.post("/api/rooms", json={"token_hash": hashlib.sha256(token).hexdigest()})
    answer.raise_for_status()
    return str(answer.json()["room"]), token


@asynccontextmanager
async def join_room(
    instance: ServerUnderTest, name: str, token: bytes, role: str
) -> AsyncIterator[JoinedClient]:
    """A seat in a room, until the block ends.

    Raises:
        OSError, websockets.WebSocketException: the server does not let it in.
    """
    url = instance.url.replace("http", "ws", 1) + "/api/signal"
    async with await connect_websocket(url, direct=True, compression=None, open_timeout=30) as socket:
        shown = urlsafe_b64encode(token).decode().rstrip("=")
        join = {"type": "join", "version": 1, "room": name, "token": shown, "role": role, "device": "cli"}
        await socket.send(json.dumps(join))
        answer = json.loads(await socket.recv())
        if answer["type"] != "joined":
            raise ConnectionError(f"the server refused to let {role} in")
        yield JoinedClient(socket, answer)


@asynccontextmanager
async def join_pair(instance: ServerUnderTest) -> AsyncIterator[tuple[JoinedClient, JoinedClient]]:
    """Both sides of a new room."""
    name, token = await create_room(instance)
    async with (
        join_room(instance, name, token, "sender") as sender,
        join_room(instance, name, token, "receiver") as receiver,
    ):
        yield sender, receiver


@asynccontextmanager
async def join_pairs(instance: ServerUnderTest, count: int) -> AsyncIterator[None]:
    """So many pairs that sit and wait."""
    gate = asyncio.Semaphore(MAX_CONCURRENT_JOINS)
    async with AsyncExitStack() as stack:

        async def one() -> None:
            async with gate:
                await stack.enter_async_context(join_pair(instance))

        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(one())
        yield


async def send_report(instance: ServerUnderTest, token: str, metrics: Mapping[str, Any]) -> httpx.Response:
    """Report telemetry with a seat's token."""
    return await instance.http.post(
        "/api/telemetry",
        json={"version": 1, "metrics": metrics},
        headers={"authorization": f"Bearer {token}"},
    )
