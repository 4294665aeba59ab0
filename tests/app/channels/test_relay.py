"""The relay channel towards a side that announces a window, as browsers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from support.transfers.server import serving
from tallow.app.channels.channel import ChannelClosedError
from tallow.app.channels.relay import ACK_BYTES, RelayChannel
from tallow.app.wire import MAX_RELAY_MESSAGE_BYTES

MESSAGE = bytes(MAX_RELAY_MESSAGE_BYTES)
WINDOW = 2 * MAX_RELAY_MESSAGE_BYTES


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[RelayChannel, ClientConnection]]:
    """A channel, and the bare relay socket of the other side."""
    async with serving(tmp_path) as server:
        sender, receiver = await server.pair()

        async def connect(path: str, **options: Any) -> ClientConnection:
            return await websockets.connect(server.url.replace("http", "ws", 1) + path, **options)

        channel = await RelayChannel.connect(connect, sender.joined["relay_ticket"])
        other = await server.relay(receiver)
        await channel.wait_until_paired(5)
        await other.recv()  # paired
        yield channel, other
        await channel.close()
        await other.close()


async def received(socket: ClientConnection, seconds: float = 5) -> bytes | None:
    try:
        async with asyncio.timeout(seconds):
            message = await socket.recv()
    except TimeoutError:
        return None
    assert isinstance(message, bytes)
    return message


async def test_a_sender_keeps_within_the_window(pair: tuple[RelayChannel, ClientConnection]) -> None:
    channel, other = pair
    channel.set_peer_window(WINDOW)
    for _ in range(2):
        await channel.send(MESSAGE)
    third = asyncio.create_task(channel.send(b"third"))
    assert [await received(other), await received(other)] == [MESSAGE, MESSAGE]
    assert await received(other, 0.2) is None

    await other.send(len(MESSAGE).to_bytes(ACK_BYTES))

    assert await received(other) == b"third"
    await third


async def test_messages_that_arrive_while_a_sender_waits_are_not_lost(
    pair: tuple[RelayChannel, ClientConnection],
) -> None:
    channel, other = pair
    channel.set_peer_window(WINDOW)
    sending = asyncio.create_task(_send_three(channel))
    await other.send(b"a receipt")
    await other.send((2 * len(MESSAGE)).to_bytes(ACK_BYTES))
    await sending
    assert await channel.receive() == b"a receipt"


async def test_a_sender_waits_for_an_acknowledgement_that_a_reader_receives(
    pair: tuple[RelayChannel, ClientConnection],
) -> None:
    channel, other = pair
    channel.set_peer_window(WINDOW)
    reading = asyncio.create_task(channel.receive())
    sending = asyncio.create_task(_send_three(channel))
    assert await received(other) == MESSAGE
    await other.send((2 * len(MESSAGE)).to_bytes(ACK_BYTES))
    await sending
    assert not reading.done()  # an acknowledgement is no message
    await other.send(b"a receipt")
    assert await reading == b"a receipt"


async def test_a_lost_connection_ends_the_wait_for_the_window(
    pair: tuple[RelayChannel, ClientConnection],
) -> None:
    channel, other = pair
    channel.set_peer_window(WINDOW)
    sending = asyncio.create_task(_send_three(channel))
    await other.close()
    with pytest.raises(ChannelClosedError):
        await sending


async def test_a_window_below_one_message_is_no_limit(pair: tuple[RelayChannel, ClientConnection]) -> None:
    channel, other = pair
    for window in (None, "4096", 0, MAX_RELAY_MESSAGE_BYTES - 1, True):
        channel.set_peer_window(window)
    sending = asyncio.create_task(_send_three(channel))
    assert [await received(other) for _ in range(3)] == [MESSAGE] * 3
    await sending


async def _send_three(channel: RelayChannel) -> None:
    for _ in range(3):
        await channel.send(MESSAGE)
