"""The relay, over real sockets."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from support.transfers.server import RunningServer, serving
from tallow.app.wire import CLOSE_CODES, MAX_RELAY_MESSAGE_BYTES, CloseReason

pytestmark = pytest.mark.slow


async def close_code(connection: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed):
        while True:
            await connection.recv()
    return connection.close_code


async def test_messages_are_copied_unchanged_in_both_directions(server: RunningServer) -> None:
    left, right = await server.relayed(*await server.pair())
    largest = os.urandom(MAX_RELAY_MESSAGE_BYTES)
    await left.send(largest)
    await right.send(b"")
    await right.send(b"back")
    assert await right.recv() == largest
    assert await left.recv() == b""
    assert await left.recv() == b"back"


async def test_the_second_peer_is_paired_with_the_waiting_one(server: RunningServer) -> None:
    sender, receiver = await server.pair()
    waiting = await server.relay(receiver)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await waiting.recv()
    await server.relay(sender)
    assert json.loads(await waiting.recv()) == {"type": "paired"}
    assert server.value("active_connections", type="relay") == 1


async def test_when_one_peer_disconnects_the_other_socket_is_closed(server: RunningServer) -> None:
    left, right = await server.relayed(*await server.pair())
    await left.send(b"last message")
    await left.close()
    assert await right.recv() == b"last message"
    assert await close_code(right) == CLOSE_CODES["peer_gone"]
    await server.wait_for_value("active_connections", 0, type="relay")


async def test_a_new_socket_of_a_peer_replaces_the_old_one(server: RunningServer) -> None:
    sender, receiver = await server.pair()
    left, right = await server.relayed(sender, receiver)
    again = await server.relay(sender)
    assert await close_code(left) == CLOSE_CODES["taken_over"]
    assert await close_code(right) == CLOSE_CODES["peer_gone"]
    back = await server.relay(receiver)
    for connection in (again, back):
        assert json.loads(await connection.recv()) == {"type": "paired"}
    await again.send(b"fresh")
    assert await back.recv() == b"fresh"
    assert server.value("active_connections", type="relay") == 1


async def test_an_unknown_ticket_is_refused(server: RunningServer) -> None:
    connection = await server.connect("/api/relay")
    await connection.send(json.dumps({"type": "relay", "ticket": "x" * 32}))
    assert json.loads(await connection.recv())["code"] == "unknown_room"
    assert await close_code(connection) == CLOSE_CODES["unknown_room"]


async def test_a_ticket_is_revoked_when_its_peer_leaves(server: RunningServer) -> None:
    sender, receiver = await server.pair()
    await sender.send(type="leave")
    assert (await receiver.receive())["event"] == "left"
    assert await close_code(await server.relay(sender)) == CLOSE_CODES["unknown_room"]


@pytest.mark.parametrize(
    ("message", "code"),
    [("text", "bad_message"), (bytes(MAX_RELAY_MESSAGE_BYTES + 1), None)],
)
async def test_an_invalid_message_ends_the_pair(
    server: RunningServer, message: str | bytes, code: CloseReason | None
) -> None:
    left, right = await server.relayed(*await server.pair())
    await left.send(message)
    # The WebSocket protocol itself refuses a message above the limit (RFC 6455, code 1009).
    assert await close_code(left) == (CLOSE_CODES[code] if code else 1009)
    assert await close_code(right) == CLOSE_CODES["peer_gone"]


async def test_a_message_before_paired_is_refused(server: RunningServer) -> None:
    sender, _ = await server.pair()
    connection = await server.relay(sender)
    await connection.send(b"too early")
    assert await close_code(connection) == CLOSE_CODES["bad_message"]


async def test_a_peer_that_stops_reading_ends_the_pair(tmp_path: Path) -> None:
    async with serving(tmp_path, stall_timeout=0.2) as server:
        left, right = await server.relayed(*await server.pair())
        right.transport.pause_reading()
        with pytest.raises(ConnectionClosed):
            while True:
                await left.send(bytes(MAX_RELAY_MESSAGE_BYTES))
        right.transport.abort()


async def test_the_bandwidth_of_a_room_is_limited(tmp_path: Path) -> None:
    async with serving(tmp_path, relay_bandwidth=1_000_000) as server:
        left, right = await server.relayed(*await server.pair())
        loop = asyncio.get_running_loop()
        started = loop.time()
        for _ in range(6):
            await left.send(bytes(200_000))
        for _ in range(6):
            await right.recv()
        # The bucket holds 1 MB; the other 0.2 MB take 0.2 s. A loaded machine can only take longer.
        assert loop.time() - started >= 0.19
        for connection in (left, right):
            await connection.close()


async def test_relayed_bytes_count_as_bandwidth(server: RunningServer) -> None:
    left, right = await server.relayed(*await server.pair())
    await left.send(bytes(100_000))
    await right.recv()
    assert server.value("bandwidth_utilization_mbps", direction="received") > 0
    assert server.value("bandwidth_utilization_mbps", direction="sent") > 0
