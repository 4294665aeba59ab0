"""Bad requests, as a server on the Internet gets them all day: each is refused, and counted."""

from __future__ import annotations

import random
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpx
from websockets.exceptions import ConnectionClosed

from tallow.app.demo.raw_client import join_as_raw_client, join_message
from tallow.app.link import Link, new_secret
from tallow.app.peer.errors import PeerError
from tallow.app.peer.server_client import TIMEOUT_S, ServerClient
from tallow.monitoring.integrations.http_client import async_client

BadRequest = Callable[[str, ssl.SSLContext], Awaitable[object]]


async def _unknown_page(origin: str, context: ssl.SSLContext) -> object:
    async with async_client(transport={"verify": context}, timeout=TIMEOUT_S) as http:
        return await http.get(f"{origin}/wp-login.php")


async def _unknown_method(origin: str, context: ssl.SSLContext) -> object:
    async with async_client(transport={"verify": context}, timeout=TIMEOUT_S) as http:
        return await http.request("BREW", f"{origin}/api/rooms")


async def _no_json(origin: str, context: ssl.SSLContext) -> object:
    async with async_client(transport={"verify": context}, timeout=TIMEOUT_S) as http:
        return await http.post(
            f"{origin}/api/rooms", content=b"{", headers={"content-type": "application/json"}
        )


async def _too_large(origin: str, context: ssl.SSLContext) -> object:
    async with async_client(transport={"verify": context}, timeout=TIMEOUT_S) as http:
        return await http.post(f"{origin}/api/rooms", content=b" " * 200_000)


async def _forged_token(origin: str, context: ssl.SSLContext) -> object:
    async with ServerClient(origin, context) as server:
        return await server.post_report("forged", {"version": 1, "metrics": {}})


async def _nonsense_report(origin: str, context: ssl.SSLContext) -> object:
    async with join_as_raw_client(origin, context, "other") as seat:
        return await seat.report({"process_resident_memory_bytes": [{"labels": {}, "value": 1}]})


async def _greedy_report(origin: str, context: ssl.SSLContext) -> object:
    """More errors than one room can have: what is too much is dropped, and counted."""
    async with join_as_raw_client(origin, context, "other") as seat:
        labels = {"type": "network", "severity": "low"}
        return await seat.report({"errors_total": [{"labels": labels, "value": 50}]})


async def _unknown_room(origin: str, context: ssl.SSLContext) -> object:
    """What a mistyped link does that still looks like one."""
    async with ServerClient(origin, context) as server:
        return await _signal(server, join_message(Link(origin, "a" * 16, new_secret()), "other"))


async def _nonsense_signaling(origin: str, context: ssl.SSLContext) -> object:
    async with ServerClient(origin, context) as server:
        return await _signal(server, "hello?")


async def _signal(server: ServerClient, message: str) -> object:
    async with await server.open_websocket("/api/signal") as socket:
        with suppress(ConnectionClosed):
            await socket.send(message)
            return await socket.recv()
        return None


BAD_REQUESTS: tuple[BadRequest, ...] = (
    _unknown_page,
    _unknown_method,
    _no_json,
    _too_large,
    _forged_token,
    _nonsense_report,
    _greedy_report,
    _unknown_room,
    _nonsense_signaling,
)


async def send_bad_requests(
    origin: str, context: ssl.SSLContext, chance: random.Random, first: int | None
) -> int:
    """One to three bad requests (all of them with ``first`` 0): how many were made."""
    asks = BAD_REQUESTS if first == 0 else chance.sample(BAD_REQUESTS, chance.randint(1, 3))
    made = 0
    for ask in asks:
        with suppress(httpx.HTTPError, PeerError, ValueError, KeyError):
            await ask(origin, context)
            made += 1
    return made
