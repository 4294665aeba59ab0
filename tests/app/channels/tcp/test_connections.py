"""TCP connections between two peers, and strangers who dial the port."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from support.transfers.webrtc import InMemorySignaling, signaling_pair
from tallow.app.channels.channel import ChannelClosedError, ChannelError
from tallow.app.channels.tcp import connect, listener
from tallow.app.channels.tcp.addresses import Endpoint
from tallow.app.channels.tcp.channel import MAX_MESSAGE, TcpChannel
from tallow.app.channels.tcp.connect import TcpConnector
from tallow.app.channels.tcp.listener import Listener
from tallow.app.channels.tcp.proof import MAC_BYTES, PROOF_BYTES, ConnectionProof

SECRET = bytes(range(16))
NONCES = b"\x01" * 32, b"\x02" * 32

Opened = Callable[[TcpChannel], None]


class Peer:
    """One side, which opens connections until the block ends."""

    def __init__(self, role: str, signaling: InMemorySignaling, secret: bytes = SECRET) -> None:
        self.channels: asyncio.Queue[TcpChannel] = asyncio.Queue()
        connector = TcpConnector(role, secret, loopback=True)  # type: ignore[arg-type]
        self.opened: list[TcpChannel] = []
        self.task = asyncio.ensure_future(connector.open(signaling, self._on_opened))

    def _on_opened(self, channel: TcpChannel) -> None:
        self.opened.append(channel)
        self.channels.put_nowait(channel)

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})
        for channel in self.opened:
            channel.abort()
        await asyncio.sleep(0)


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[TcpChannel, TcpChannel]]:
    """Both ends of one connection."""
    one, two = signaling_pair()
    sender, receiver = Peer("sender", one), Peer("receiver", two)
    first = await sender.channels.get()
    await first.send(b"hello")
    others: list[TcpChannel] = []
    reading: dict[asyncio.Task[bytes], TcpChannel] = {}
    while not any(task.done() for task in reading):
        channel = await receiver.channels.get()
        reading[asyncio.ensure_future(channel.receive())] = channel
        await asyncio.wait(reading, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
    for task, channel in reading.items():
        if not task.done():
            task.cancel()
            others.append(channel)
    [second] = [channel for channel in reading.values() if channel not in others]
    try:
        yield first, second
    finally:
        await asyncio.gather(sender.end(), receiver.end())


async def test_messages_cross_in_both_directions_and_order() -> None:
    async with connected() as (sender, receiver):
        messages = [b"", b"x", os.urandom(MAX_MESSAGE), b"last"]
        for message in messages:
            await sender.send(message)
            await receiver.send(message[::-1])
        assert [await receiver.receive() for _ in messages] == messages
        assert [await sender.receive() for _ in messages] == [message[::-1] for message in messages]


async def test_closing_delivers_what_was_sent() -> None:
    async with connected() as (sender, receiver):
        for number in range(40):
            await sender.send(number.to_bytes(4) * 10_000)
        closing = asyncio.ensure_future(sender.close())
        received = [await receiver.receive() for _ in range(40)]
        assert received[-1] == (39).to_bytes(4) * 10_000
        with pytest.raises(ChannelClosedError, match="ended"):
            await receiver.receive()
        await receiver.close()
        await closing
        with pytest.raises(ChannelClosedError):
            await sender.send(b"late")


async def test_a_slow_reader_stops_the_writer() -> None:
    async with connected() as (sender, receiver):
        sent = 0

        async def flood() -> None:
            nonlocal sent
            while True:
                await sender.send(bytes(MAX_MESSAGE))
                sent += 1

        flooding = asyncio.ensure_future(flood())
        stopped_at = -1
        while stopped_at != sent:  # the buffers of the system are filled first
            stopped_at = sent
            await asyncio.sleep(0.3)
        for _ in range(stopped_at + 20):
            assert len(await receiver.receive()) == MAX_MESSAGE
        flooding.cancel()


async def test_a_lost_connection_is_an_error_at_the_other_end() -> None:
    async with connected() as (sender, receiver):
        sender.abort()
        with pytest.raises(ChannelClosedError):
            await receiver.receive()


async def test_a_message_longer_than_the_limit_ends_the_connection() -> None:
    async with connected() as (sender, receiver):
        sender._writer.write((MAX_MESSAGE + 1).to_bytes(4) + b"x")
        with pytest.raises(ChannelClosedError, match="too long"):
            await receiver.receive()
        with pytest.raises(ValueError, match="at most"):
            await receiver.send(bytes(MAX_MESSAGE + 1))


async def test_the_quality_of_a_loopback_connection_is_good() -> None:
    async with connected() as (sender, receiver):
        await sender.send(b"x" * 100_000)
        await receiver.receive()
        quality = await sender.quality()
        assert quality is not None
        assert 0 <= quality.round_trip_s < 1
        assert quality.loss < 0.5


async def test_peers_with_different_links_do_not_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "ACCEPT_S", 0.2)
    one, two = signaling_pair()
    sender, receiver = Peer("sender", one), Peer("receiver", two, bytes(16))
    for peer in (sender, receiver):
        with pytest.raises(ChannelError, match="no direct connection"):
            await peer.task
        assert peer.channels.empty()


@pytest.mark.parametrize("offer", [{}, {"nonce": "short"}, {"nonce": 7}, {"nonce": "A" * 43, "addresses": 3}])
async def test_a_malformed_offer_is_an_error(
    offer: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "ACCEPT_S", 0.05)
    one, two = signaling_pair()
    await one.send("offer", offer)
    with pytest.raises(ChannelError):
        await Peer("receiver", two).task


async def test_the_address_of_bind_must_be_this_machines() -> None:
    one, _two = signaling_pair()
    connector = TcpConnector("sender", SECRET, bind="192.0.2.7")
    with pytest.raises(ChannelError, match="--bind"):
        await connector.open(one, lambda _channel: None)


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[Endpoint, list[asyncio.StreamWriter], Listener]]:
    """A listener of the sender, and the connections that it accepted."""
    proven: list[asyncio.StreamWriter] = []
    opened = Listener("127.0.0.1", loopback=True, on_proven=lambda _reader, writer: proven.append(writer))
    await opened.start(ConnectionProof(SECRET, NONCES, "sender"))
    try:
        yield opened.endpoints[0], proven, opened
    finally:
        opened.close()
        for writer in proven:
            writer.transport.abort()


async def reply(endpoint: Endpoint, sent: bytes, *, end: bool = False) -> bytes:
    """What the port answers to bytes before it closes."""
    reader, writer = await asyncio.open_connection(endpoint.text, endpoint.port)
    writer.write(sent)
    if end:
        writer.write_eof()
    try:
        return await reader.read(100)
    except OSError:
        return b""
    finally:
        writer.transport.abort()


def right() -> bytes:
    return ConnectionProof(SECRET, NONCES, "receiver").dial()


def of_the_same_role() -> bytes:
    return ConnectionProof(SECRET, NONCES, "sender").dial()


def of_another_attempt() -> bytes:
    return ConnectionProof(SECRET, (NONCES[0], b"\x03" * 32), "receiver").dial()


def of_another_link() -> bytes:
    return ConnectionProof(bytes(16), NONCES, "receiver").dial()


def changed() -> bytes:
    proof = right()
    return proof[:-1] + bytes([proof[-1] ^ 1])


@pytest.mark.parametrize("dialled", [of_the_same_role, of_another_attempt, of_another_link, changed])
async def test_a_wrong_proof_gets_no_byte(dialled: Callable[[], bytes]) -> None:
    async with listening() as (endpoint, proven, _):
        assert await reply(endpoint, dialled()) == b""
        assert len(await reply(endpoint, right())) == MAC_BYTES
        assert len(proven) == 1


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" * 10, bytes(PROOF_BYTES - 1)]
)
async def test_a_scanner_gets_no_byte(sent: bytes) -> None:
    async with listening() as (endpoint, proven, _):
        assert await reply(endpoint, sent, end=True) == b""
        assert proven == []


async def test_a_recorded_proof_is_accepted_once() -> None:
    async with listening() as (endpoint, proven, _):
        recorded = right()
        assert len(await reply(endpoint, recorded)) == MAC_BYTES
        assert await reply(endpoint, recorded) == b""
        assert len(proven) == 1


async def test_a_connection_has_one_chance() -> None:
    async with listening() as (endpoint, proven, _):
        assert await reply(endpoint, changed() + right()) == b""
        assert proven == []


async def test_silent_connections_are_bounded_in_number_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "PROOF_S", 0.5)
    async with listening() as (endpoint, _, opened):
        silent = [
            await asyncio.open_connection(endpoint.text, endpoint.port)
            for _ in range(listener.MAX_UNPROVEN + 10)
        ]
        await asyncio.sleep(0.1)
        assert len(opened._proving) <= listener.MAX_UNPROVEN
        ended = await asyncio.gather(*(reader.read(1) for reader, _ in silent), return_exceptions=True)
        assert all(one == b"" or isinstance(one, OSError) for one in ended)
        assert opened._proving == set()
        assert len(await reply(endpoint, right())) == MAC_BYTES  # the peer gets its turn
        for _, writer in silent:
            writer.transport.abort()


async def test_the_port_closes_after_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "MAX_ACCEPTED", 5)
    async with listening() as (endpoint, _, _opened):
        for _ in range(5):
            with suppress(OSError):
                await reply(endpoint, b"x", end=True)
        await asyncio.sleep(0.05)
        with pytest.raises(OSError):  # noqa: PT011 - refused or reset, by the system
            await asyncio.open_connection(endpoint.text, endpoint.port)


async def test_a_listener_closes_its_port() -> None:
    async with listening() as (endpoint, _, _opened):
        pass
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(endpoint.text, endpoint.port)


async def test_a_listener_that_closes_before_a_proof_reports_no_error() -> None:
    """The other side's further dials are pending when a channel is chosen."""
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
    async with listening() as (endpoint, _, opened):
        reader, writer = await asyncio.open_connection(endpoint.text, endpoint.port)
        while not opened._proving:
            await asyncio.sleep(0.001)
    assert await reader.read(1) == b""
    writer.transport.abort()
    assert reported == []


async def test_a_dialler_sends_only_its_proof_to_a_port_of_somebody_else() -> None:
    received: list[bytes] = []

    async def somebody(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(1000))
        writer.write(b"220 mail.example.org ESMTP\r\n" * 4)
        await writer.drain()
        received.append(await reader.read(1000))
        writer.close()

    server = await asyncio.start_server(somebody, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    one, two = signaling_pair()
    peer = Peer("sender", one)
    _, offer = await two.receive()
    await two.send("answer", offer | {"addresses": [["127.0.0.1", port]]})
    while len(received) < 2:
        await asyncio.sleep(0.01)
    assert [len(each) for each in received] == [PROOF_BYTES, 0]
    assert peer.channels.empty()
    await peer.end()
    server.close()


async def test_the_offer_of_a_server_on_this_host_has_loopback_addresses_only() -> None:
    one, two = signaling_pair()
    peer = Peer("sender", one)
    _, offer = await two.receive()
    addresses = offer["addresses"]
    assert isinstance(addresses, list)
    assert {address for address, _ in addresses} <= {"127.0.0.1", "::1"}
    await peer.end()


def test_no_port_is_left_open() -> None:
    async def run() -> int:
        async with connected() as (sender, _):
            return int(sender._writer.get_extra_info("sockname")[1])

    port = asyncio.run(run())
    with socket.socket() as probe, pytest.raises(OSError):  # noqa: PT011 - refused
        probe.connect(("127.0.0.1", port))
