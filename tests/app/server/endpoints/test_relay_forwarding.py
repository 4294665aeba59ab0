"""The relay copies messages in the WebSocket protocol, or in the endpoint where that is not possible."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from support.raw_http import websocket_frame
from support.transfers.server import RunningServer, serving
from tallow.app.server.transport.framed_websocket import CONNECTION
from tallow.app.wire import CLOSE_CODES, MAX_RELAY_MESSAGE_BYTES

pytestmark = pytest.mark.slow


class MessageLog:
    """ASGI middleware that notes what the application receives on WebSockets."""

    def __init__(self, *, hide: bool = False) -> None:
        self.received: list[Any] = []
        self._hide = hide

    def wrap(self, app: Any) -> Any:
        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "websocket":
                await app(scope, receive, send)
                return
            if self._hide:  # as under an HTTP server that is not uvicorn
                del scope["extensions"][CONNECTION]

            async def logged() -> Any:
                message = await receive()
                self.received.append(message.get("bytes") or message.get("text"))
                return message

            await app(scope, logged, send)

        return wrapped

    def binary(self) -> list[bytes]:
        return [message for message in self.received if isinstance(message, bytes)]


@pytest.fixture
def log() -> MessageLog:
    return MessageLog()


@pytest.fixture
async def server(tmp_path: Path, log: MessageLog) -> AsyncIterator[RunningServer]:
    async with serving(tmp_path, wrap=log.wrap) as running:
        yield running


def send_raw(connection: ClientConnection, *frames: Frame | bytes) -> None:
    """Write frames in one segment, past the client's own checks."""
    raw = (frame if isinstance(frame, bytes) else frame.serialize(mask=True) for frame in frames)
    connection.transport.write(b"".join(raw))


def text(data: str) -> Frame:
    return Frame(Opcode.TEXT, data.encode())


def binary(data: bytes) -> Frame:
    return Frame(Opcode.BINARY, data)


async def close_code(connection: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed):
        while True:
            await connection.recv()
    return connection.close_code


async def test_no_message_passes_through_the_application(server: RunningServer, log: MessageLog) -> None:
    left, right = await server.relayed(*await server.pair())
    largest = os.urandom(MAX_RELAY_MESSAGE_BYTES)
    for message in (b"", b"small", largest):
        await left.send(message)
        await right.send(message)
        assert await right.recv() == message
        assert await left.recv() == message
    assert log.binary() == []


async def test_under_another_http_server_the_endpoint_copies(tmp_path: Path) -> None:
    log = MessageLog(hide=True)
    async with serving(tmp_path, wrap=log.wrap) as server:
        left, right = await server.relayed(*await server.pair())
        for message in (b"first", os.urandom(MAX_RELAY_MESSAGE_BYTES)):
            await left.send(message)
            assert await right.recv() == message
        assert len(log.binary()) == 2
        await left.close()
        assert await close_code(right) == CLOSE_CODES["peer_gone"]


async def test_fragments_arrive_as_one_message_and_pings_are_answered(server: RunningServer) -> None:
    left, right = await server.relayed(*await server.pair())
    pong = await left.ping(b"before")
    send_raw(
        left,
        Frame(Opcode.BINARY, b"one ", fin=False),
        Frame(Opcode.PING, b"between"),
        Frame(Opcode.CONT, b"message"),
        binary(b"next"),
    )
    assert [await right.recv(), await right.recv()] == [b"one message", b"next"]
    await pong


async def test_a_frame_may_arrive_in_pieces(server: RunningServer) -> None:
    left, right = await server.relayed(*await server.pair())
    frame = binary(bytes(300)).serialize(mask=True)
    for start in range(0, len(frame), 50):
        left.transport.write(frame[start : start + 50])
        await asyncio.sleep(0.01)
    assert await right.recv() == bytes(300)


async def test_messages_before_the_end_of_a_connection_arrive(server: RunningServer) -> None:
    left, right = await server.relayed(*await server.pair())
    send_raw(left, *(binary(b"%d" % n) for n in range(50)), Frame(Opcode.CLOSE, b"\x03\xe8"))
    assert [await right.recv() for _ in range(50)] == [b"%d" % n for n in range(50)]
    assert await close_code(right) == CLOSE_CODES["peer_gone"]


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([text("text")], CLOSE_CODES["bad_message"]),
        ([Frame(Opcode.CONT, b"no beginning")], 1002),
        ([b"\xc2" + websocket_frame(2, b"reserved bit")[1:]], 1002),
        ([binary(bytes(MAX_RELAY_MESSAGE_BYTES + 1))], 1009),
        (
            [
                Frame(Opcode.BINARY, bytes(MAX_RELAY_MESSAGE_BYTES), fin=False),
                Frame(Opcode.CONT, b"x"),
            ],
            1009,
        ),
        ([Frame(Opcode.BINARY, b"", fin=False), *[Frame(Opcode.CONT, b"", fin=False)] * 1100], 1009),
    ],
)
async def test_a_frame_that_is_not_allowed_ends_the_pair(
    server: RunningServer, frames: list[Frame | bytes], code: int
) -> None:
    left, right = await server.relayed(*await server.pair())
    send_raw(left, binary(b"before"), *frames)
    assert await right.recv() == b"before"
    assert await close_code(left) == code
    assert await close_code(right) == CLOSE_CODES["peer_gone"]
    await server.wait_for_value("active_connections", 0, type="relay")


async def test_a_flood_before_paired_is_refused(server: RunningServer, log: MessageLog) -> None:
    sender, receiver = await server.pair()
    early = await server.connect("/api/relay")
    ticket = json.dumps({"type": "relay", "ticket": sender.joined["relay_ticket"]})
    send_raw(early, text(ticket), *[binary(b"early")] * 100)
    assert await close_code(early) == CLOSE_CODES["bad_message"]
    assert len(log.binary()) == 1
    again, waiting = await server.relayed(sender, receiver)
    await again.send(b"late")
    assert await waiting.recv() == b"late"


async def test_many_messages_in_one_segment_do_not_delay_others(
    server: RunningServer, log: MessageLog
) -> None:
    (flooding, reading), (polite, other) = await server.pair(), await server.pair()
    message = json.dumps({"type": "candidate", "data": {}})
    send_raw(flooding.socket, *[text(message)] * 250)
    await polite.send(type="offer", data={"from": "polite"})
    assert await other.receive() == {"type": "offer", "data": {"from": "polite"}}
    before = log.received.index(json.dumps({"type": "offer", "data": {"from": "polite"}}))
    assert log.received[:before].count(message) < 125
    for _ in range(250):
        assert (await reading.receive())["type"] == "candidate"


async def test_a_slow_reader_slows_a_forwarded_writer(server: RunningServer) -> None:
    left, right = await server.relayed(*await server.pair())
    right.transport.pause_reading()
    sent = 0
    with pytest.raises(TimeoutError):
        while True:
            async with asyncio.timeout(0.5):
                await left.send(bytes(MAX_RELAY_MESSAGE_BYTES))
            sent += 1
    assert sent < 200  # 50 MB: what fits into the buffers of the kernel, the client and the server
    right.transport.resume_reading()
    for _ in range(sent):
        assert len(await right.recv()) == MAX_RELAY_MESSAGE_BYTES
