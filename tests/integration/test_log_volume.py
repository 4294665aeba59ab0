"""The number of log lines that strangers can cause: it does not grow with the number of their requests."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from support.raw_http import HANDSHAKE, request, send
from support.transfers.server import ServerProcess, join_message, tallow_serve
from tallow.monitoring.http.uvicorn_records import MESSAGE

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

Attack = Callable[[ServerProcess, int], Awaitable[object]]

REQUESTS = 200
"""Of each kind; two tenths of a second of an attack of 1,000 requests a second."""
AT_ONCE = 20
MAX_LINES = 4
"""Of one kind of request: a refusal and a response, each with one summary when the server ends."""


async def _forged_token(server: ServerProcess, number: int) -> object:
    return await server.report(f"forged{number}", {})


async def _forged_room_request(server: ServerProcess, number: int) -> object:
    return await server.http.post("/api/rooms", json={"token_hash": str(number)})


async def _metrics_without_token(server: ServerProcess, number: int) -> object:
    headers = {"authorization": f"Bearer guess{number}"}
    return await server.http.get("/metrics", headers=headers)


async def _unknown_page(server: ServerProcess, number: int) -> object:
    return await server.http.get(f"/wp-login-{number}.php")


async def _unknown_room(server: ServerProcess, _number: int) -> object:
    return await _socket(server, "/api/signal", json.dumps(join_message("a" * 16, os.urandom(32), "sender")))


async def _unknown_ticket(server: ServerProcess, number: int) -> object:
    return await _socket(server, "/api/relay", json.dumps({"type": "relay", "ticket": f"forged{number}"}))


async def _socket_without_message(server: ServerProcess, _number: int) -> object:
    socket = await server.connect("/api/signal")
    socket.transport.abort()
    return socket


async def _unreadable_request(server: ServerProcess, number: int) -> object:
    return await send(server.url, b"GARBAGE %d\r\n\r\n" % number)


async def _unknown_upgrade(server: ServerProcess, _number: int) -> object:
    headers = {"Host": "x", "Connection": "Upgrade, close", "Upgrade": "h2c"}
    return await send(server.url, request("GET", "/api/signal", headers))


async def _unreadable_handshake(server: ServerProcess, number: int) -> object:
    headers = {"Host": "x", **HANDSHAKE, "Sec-WebSocket-Key": f"short{number}"}
    return await send(server.url, request("GET", "/api/signal", headers))


async def _socket(server: ServerProcess, path: str, message: str) -> object:
    """Send one message on a socket, and wait until the server closes it."""
    async with await server.connect(path) as socket:
        with suppress(ConnectionClosed):
            await socket.send(message)
            while True:
                await socket.recv()
    return None


ATTACKS: tuple[Attack, ...] = (
    _forged_token,
    _forged_room_request,
    _metrics_without_token,
    _unknown_page,
    _unknown_room,
    _unknown_ticket,
    _socket_without_message,
    _unreadable_request,
    _unknown_upgrade,
    _unreadable_handshake,
)


async def _attack(server: ServerProcess) -> None:
    for attack in ATTACKS:
        for first in range(0, REQUESTS, AT_ONCE):
            await asyncio.gather(*(attack(server, first + number) for number in range(AT_ONCE)))


async def test_an_attack_causes_few_lines(tmp_path: Path) -> None:
    log = tmp_path / "tallow.log"
    settings = {"LOG_FILE": str(log), "METRICS_TOKEN": "operator-token-0123456789"}
    async with tallow_serve(tmp_path, **settings) as server:
        await _attack(server)
    records = [json.loads(line) for line in log.read_bytes().splitlines()]
    lifecycle = {"tallow", "uvicorn.error"}
    caused = [one for one in records if one["logger"] not in lifecycle or one["message"] == MESSAGE]
    assert len(records) - len(caused) < 20, Counter(one["message"] for one in records).most_common(5)
    assert len(caused) <= MAX_LINES * len(ATTACKS)
    _check_summaries(caused)
    assert log.stat().st_size < 500 * len(records)


def _check_summaries(caused: list[dict[str, Any]]) -> None:
    """The summaries stand for what was not written: each answered request is counted."""
    unread = {one["reason"] for one in caused if one["message"] == MESSAGE}
    assert unread == {
        "Invalid HTTP request received.",
        "Unsupported upgrade request.",
        "connection rejected (400 Bad Request)",
    }
    answered = [record for record in caused if record["message"] == "Response"]
    assert sum(record.get("repeated", 1) for record in answered) == 5 * REQUESTS
