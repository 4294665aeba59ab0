"""What a limit refuses is answered, counted, and logged once a minute for each limit."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from support.transfers.server import RunningServer, join_message, serving
from tallow.app.wire import MAX_SIGNALING_BYTES, SIGNALING_BURST
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.testing import captured_logs

ROOM = {"token_hash": "0" * 64}
TIMES = 4


async def create_rooms(server: RunningServer) -> None:
    for _ in range(TIMES):
        answer = await server.http.post("/api/rooms", json=ROOM)
    assert answer.json()["error"] == "rate_limited"
    assert int(answer.headers["retry-after"]) > 0


async def send_reports(server: RunningServer) -> None:
    for _ in range(TIMES):
        answer = await server.report("nonsense", {})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


async def send_large_reports(server: RunningServer) -> None:
    sender, _ = await server.pair()
    headers = {"authorization": f"Bearer {sender.joined['telemetry_token']}"}
    for _ in range(TIMES):
        answer = await server.http.post("/api/telemetry", content=bytes(100_000), headers=headers)
        assert answer.status_code == 413


async def join(server: RunningServer) -> None:
    for _ in range(TIMES):
        await _first_answer(server, json.dumps(join_message("a" * 16, bytes(32), "sender")))


async def send_large_messages(server: RunningServer) -> None:
    for _ in range(TIMES):
        assert (await _first_answer(server, " " * (MAX_SIGNALING_BYTES + 1)))["code"] == "too_large"


async def send_many_messages(server: RunningServer) -> None:
    token = os.urandom(32)
    sender = await server.join(await server.room(token), token, "sender")
    for _ in range(SIGNALING_BURST + 100):
        await sender.send(type="candidate", data={})
    while (await sender.receive())["code"] != "rate_limited":
        pass


async def _first_answer(server: RunningServer, message: str) -> dict[str, str]:
    socket = await server.connect("/api/signal")
    await socket.send(message)
    answer: dict[str, str] = json.loads(await socket.recv())
    await socket.close()
    return answer


CASES: dict[str, tuple[dict[str, float], Callable[[RunningServer], Awaitable[None]], int]] = {
    "rooms_per_minute": ({"rooms_per_minute": 1}, create_rooms, TIMES - 1),
    "rooms_per_address": ({"rooms_per_address": 1}, create_rooms, TIMES - 1),
    "room_share": ({"max_rooms": 20}, create_rooms, TIMES - 2),
    "max_rooms": ({"max_rooms": 1}, create_rooms, TIMES - 1),
    "reports_per_minute": ({"reports_per_minute": 1}, send_reports, TIMES - 1),
    "joins_per_minute": ({"joins_per_minute": 1}, join, TIMES - 1),
    "request_bytes": ({}, send_large_reports, TIMES),
    "signaling_message_bytes": ({}, send_large_messages, TIMES),
    "signaling_messages_per_second": ({}, send_many_messages, 1),
}
"""Settings, what a client does, and how often the limit refuses it."""


@pytest.mark.parametrize("limit", CASES)
async def test_a_refusal_is_counted_and_logged_once_a_minute(tmp_path: Path, limit: str) -> None:
    settings, attack, refused = CASES[limit]
    async with serving(tmp_path, **settings) as server:
        REPEATS.clear()
        with captured_logs() as logs:
            await attack(server)
            await server.wait_for_value("limit_rejections_total", refused, limit=limit)
            lines = [record for record in logs.records if record["message"].endswith(" refused")]
        REPEATS.clear()
    reasons = {limit, "rate_limited", "too_large"}  # a client is also refused for its token, or the room
    assert [line["level"] for line in lines if line["reason"] in reasons] == ["warning"]
