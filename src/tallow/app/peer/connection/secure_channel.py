"""A channel with keys: the handshake run over it, then frames in and out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from tallow.app.channels.channel import Channel, ChannelClosedError, ChannelError
from tallow.app.crypto.errors import KeyExchangeError, MalformedError, ProtocolError, from_code
from tallow.app.crypto.frame_sequence import FrameSequence
from tallow.app.crypto.frames import (
    NO_FILE,
    OVERHEAD,
    FrameHeader,
    FrameOpener,
    FrameSealer,
    FrameType,
)
from tallow.app.crypto.handshake import ABORT, ReceiverHandshake, SenderHandshake, abort_message
from tallow.app.crypto.key_schedule import SessionKeys
from tallow.app.link import Link
from tallow.app.wire import MAX_PAYLOAD_BYTES, Role
from tallow.monitoring.metrics import Metrics

HANDSHAKE_S: Final = 20
ABORT_S: Final = 2
DATA_CHANNEL_MESSAGE: Final = 64 * 1024
"""What crosses a data channel fastest, and every browser's takes."""


class SecureChannel:
    """Frames over a channel, in an order that is checked. Made by :func:`agree`.

    Attributes:
        incoming: what must come next from the other side.
        chunk: bytes of a file that go into one frame.
    """

    def __init__(self, channel: Channel, session: SessionKeys, metrics: Metrics) -> None:
        self.channel = channel
        self.sequence = FrameSequence()
        self.chunk_size = min(MAX_PAYLOAD_BYTES, channel.max_message - OVERHEAD)
        if channel.method == "p2p":
            self.chunk_size = min(self.chunk_size, DATA_CHANNEL_MESSAGE - OVERHEAD)
        self._sealer = FrameSealer(session, metrics)
        self._opener = FrameOpener(session, metrics)
        self._sending = asyncio.Lock()
        self._unheard = True

    async def send(self, header: FrameHeader, payload: bytes | memoryview = b"") -> None:
        """Encrypt a frame and hand it over.

        Raises:
            ChannelClosedError: it cannot be delivered any more.
        """
        # A frame that was encrypted must go, or every later one fails at its nonce: cancelling waits for it.
        sending = asyncio.ensure_future(self._send(header, payload))
        sending.add_done_callback(_noticed)
        await asyncio.shield(sending)

    async def _send(self, header: FrameHeader, payload: bytes | memoryview) -> None:
        async with self._sending:
            await self.channel.send(self._sealer.seal(header, payload))

    async def receive(self) -> tuple[FrameHeader, bytes]:
        """The next frame.

        Raises:
            ProtocolError: it is not what must come next, or the other side gave up.
            ChannelClosedError: there will be none.
        """
        frame = await self.channel.receive()
        if self._unheard and len(frame) == 2 and frame[0] == ABORT:
            # The last message of the handshake did not please the other side.
            raise from_code(frame[1])
        self._unheard = False
        header = FrameHeader.unpack(frame)
        length = len(frame) - OVERHEAD
        self.sequence.check(header, length)
        payload = self._opener.open(frame)
        if header.kind is FrameType.ABORT:
            raise from_code(payload[0] if len(payload) == 1 else ProtocolError.code)
        self.sequence.advance(header, length)
        return header, payload

    async def send_document(self, kind: FrameType, document: bytes) -> None:
        """Send a document, in as many frames as it takes."""
        view = memoryview(document)
        for at in range(0, max(1, len(view)), self.chunk_size):
            piece = view[at : at + self.chunk_size]
            await self.send(FrameHeader(kind, NO_FILE, at, at + self.chunk_size >= len(view)), piece)

    async def receive_document(self, kind: FrameType, limit: int) -> bytes:
        """The other side's document of a kind.

        Raises:
            ProtocolError: see :meth:`receive`; MalformedError when it has more than ``limit`` bytes.
        """
        self.sequence.expect(kind)
        document = bytearray()
        while not self.sequence.complete:
            document += (await self.receive())[1]
            if len(document) > limit:
                raise MalformedError("a document is too large")
        return bytes(document)

    async def abort(self, code: int) -> None:
        """Tell the other side why this one gives up, if it still listens. Never raises."""
        with suppress(ChannelError, ProtocolError, TimeoutError):
            async with asyncio.timeout(ABORT_S):
                await self.send(FrameHeader(FrameType.ABORT), bytes([code]))
        await self.close()

    async def close(self) -> None:
        """End the channel. Never raises."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ABORT_S):
                await self.channel.close()


def _noticed(sending: asyncio.Task[None]) -> None:
    """Take note of how sending ended, should nobody wait for it any more."""
    if not sending.cancelled():
        sending.exception()


async def perform_handshake(channel: Channel, role: Role, link: Link, metrics: Metrics) -> SecureChannel:
    """Agree on the keys of a connection; what comes of it is counted.

    Raises:
        ProtocolError: WrongSecretError, KeyExchangeError or another; the other side was told.
        ChannelError: the channel was lost meanwhile, or the other side is silent.
    """
    try:
        async with asyncio.timeout(HANDSHAKE_S):
            session = await (_run_sender if role == "sender" else _run_receiver)(channel, link, metrics)
    except TimeoutError:
        raise ChannelError("the other side did not answer the handshake in time") from None
    except ProtocolError as error:
        if _is_failed_exchange(error):
            metrics.record_key_exchange("failed")
        with suppress(ChannelError, TimeoutError):
            async with asyncio.timeout(ABORT_S):
                await channel.send(abort_message(error.code))
        raise
    metrics.record_key_exchange("success")
    return SecureChannel(channel, session, metrics)


def _is_failed_exchange(error: ProtocolError) -> bool:
    """Whether keys were not agreed upon because of what came between, told by this side or the other."""
    return isinstance(error, KeyExchangeError | MalformedError)


async def _run_sender(channel: Channel, link: Link, metrics: Metrics) -> SessionKeys:
    handshake = SenderHandshake(link.secret, link.room, channel.descriptions, metrics)
    await channel.send(handshake.hello())
    await channel.send(handshake.handle_reply(await channel.receive()))
    return handshake.handle_confirmation(await channel.receive())


async def _run_receiver(channel: Channel, link: Link, metrics: Metrics) -> SessionKeys:
    handshake = ReceiverHandshake(link.secret, link.room, channel.descriptions, metrics)
    await channel.send(handshake.handle_hello(await channel.receive()))
    confirmation, session = handshake.handle_confirmation(await channel.receive())
    await channel.send(confirmation)
    return session


@asynccontextmanager
async def run_all_or_fail(*work: Any) -> AsyncIterator[Sequence[asyncio.Task[Any]]]:
    """Run coroutines beside a block. What fails first ends all of them, and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            yield [group.create_task(each) for each in work]
    except BaseExceptionGroup as errors:
        raise _first(errors) from None


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that says most: what the protocol found wrong, before what is just gone with it."""
    flat: list[BaseException] = []
    todo: list[BaseException] = [errors]
    while todo:
        error = todo.pop(0)
        if isinstance(error, BaseExceptionGroup):
            todo += error.exceptions
        else:
            flat.append(error)
    return next((error for error in flat if not isinstance(error, ChannelClosedError)), flat[0])
