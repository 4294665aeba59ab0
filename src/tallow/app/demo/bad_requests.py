"""Bad requests, as a server on the Internet receives them. Each is refused and counted."""

from __future__ import annotations

import random
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpx
from websockets.exceptions import ConnectionClosed

from tallow.app.demo.raw_client import join_as_raw_client, raw_join
from tallow.app.peer.errors import PeerError
from tallow.app.peer.link import Link, new_secret
from tallow.app.peer.server_client import TIMEOUT_S, ServerClient
from tallow.app.wire import REPORT_VERSION, ROOMS_PATH, SIGNAL_PATH
from tallow.monitoring.integrations.http_client import async_client

BadRequest = Callable[[str, ssl.SSLContext], Awaitable[object]]


async def _unknown_page(origin: str, context: ssl.SSLContext) -> object:
    async with async_client(transport={"verify": context}, timeout=TIMEOUT_S) as http:
        return await http.get(f"{origin}/wp-login.php")


async def _unknown_method(origin: str, context: ssl.SSLContext) -> object:
    async with async_client(transport={"verify": context}, timeout=TIMEOUT_S) as http:
        return await http.request("PROPFIND", f"{origin}{ROOMS_PATH}")


async def _invalid_json(origin: str, context: ssl.SSLContext) -> object:
    async with async_client(transport={"verify": context}, timeout=TIMEOUT_S) as http:
        return await http.post(
            f"{origin}{ROOMS_PATH}", content=b"{", headers={"content-type": "application/json"}
        )


async def _too_large(origin: str, context: ssl.SSLContext) -> object:
    async with async_client(transport={"verify": context}, timeout=TIMEOUT_S) as http:
        return await http.post(f"{origin}{ROOMS_PATH}", content=b" " * 200_000)


async def _forged_token(origin: str, context: ssl.SSLContext) -> object:
    async with ServerClient(origin, context) as server:
        return await server.post_report("forged", {"version": REPORT_VERSION, "metrics": {}})


async def _forbidden_metric(origin: str, context: ssl.SSLContext) -> object:
    async with join_as_raw_client(origin, context, "other") as client:
        return await client.report({"process_resident_memory_bytes": [{"labels": {}, "value": 1}]})


async def _oversized_report(origin: str, context: ssl.SSLContext) -> object:
    """More errors than the quota of a room: the excess is dropped and counted."""
    async with join_as_raw_client(origin, context, "other") as client:
        labels = {"type": "network", "severity": "low"}
        return await client.report({"errors_total": [{"labels": labels, "value": 50}]})


async def _unknown_room(origin: str, context: ssl.SSLContext) -> object:
    """A well-formed link to a room that does not exist."""
    async with ServerClient(origin, context) as server:
        return await _signal(server, raw_join(Link(origin, "a" * 16, new_secret()), "other"))


async def _invalid_signaling(origin: str, context: ssl.SSLContext) -> object:
    async with ServerClient(origin, context) as server:
        return await _signal(server, "hello?")


async def _signal(server: ServerClient, message: str) -> object:
    async with await server.open_websocket(SIGNAL_PATH) as socket:
        with suppress(ConnectionClosed):
            await socket.send(message)
            return await socket.recv()
        return None


BAD_REQUESTS: tuple[BadRequest, ...] = (
    _unknown_page,
    _unknown_method,
    _invalid_json,
    _too_large,
    _forged_token,
    _forbidden_metric,
    _oversized_report,
    _unknown_room,
    _invalid_signaling,
)


async def send_bad_requests(
    origin: str, context: ssl.SSLContext, chance: random.Random, round_number: int
) -> int:
    """Send one to three bad requests, in the first round all kinds. Returns the number sent."""
    requests = BAD_REQUESTS if round_number == 0 else chance.sample(BAD_REQUESTS, chance.randint(1, 3))
    sent = 0
    for request in requests:
        with suppress(httpx.HTTPError, PeerError, ValueError, KeyError):
            await request(origin, context)
            sent += 1
    return sent
