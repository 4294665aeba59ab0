"""A channel with keys: the handshake, then encrypted frames in both directions."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from tallow.app.channels.channel import Channel, ChannelError
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
from tallow.app.peer.link import Link
from tallow.app.peer.tasks import start_task
from tallow.app.wire import MAX_PAYLOAD_BYTES, Role
from tallow.monitoring.logging import crypto_logger
from tallow.monitoring.metrics import Metrics

HANDSHAKE_S: Final = 20
ABORT_S: Final = 2


class SecureChannel:
    """Encrypted frames over a channel, with their order checked. Made by :func:`perform_handshake`.

    Attributes:
        sequence: the order of the frames to receive.
        chunk_size: bytes of a file in one frame.
    """

    def __init__(self, channel: Channel, session: SessionKeys, metrics: Metrics) -> None:
        self.channel = channel
        self.sequence = FrameSequence()
        self.chunk_size = min(MAX_PAYLOAD_BYTES, channel.best_message - OVERHEAD)
        self._sealer = FrameSealer(session, metrics)
        self._opener = FrameOpener(session, metrics)
        self._sending = asyncio.Lock()
        self._nothing_received = True

    async def send(self, header: FrameHeader, payload: bytes | memoryview = b"") -> None:
        """Encrypt and send a frame.

        Raises:
            ChannelClosedError: it cannot be delivered.
        """
        # An encrypted frame must be sent, or the nonce of every later one is wrong: cancelling does not stop
        # it.
        await asyncio.shield(start_task(self._send(header, payload)))

    async def _send(self, header: FrameHeader, payload: bytes | memoryview) -> None:
        async with self._sending:
            await self.channel.send(self._sealer.seal(header, payload))

    async def receive(self) -> tuple[FrameHeader, bytes]:
        """Receive the next frame.

        Raises:
            ProtocolError: it is not the expected frame, or the other side aborted.
            ChannelClosedError: the channel is closed.
        """
        frame = await self.channel.receive()
        if self._nothing_received and len(frame) == 2 and frame[0] == ABORT:
            # The other side rejected the last message of the handshake.
            raise from_code(frame[1], authenticated=False)
        self._nothing_received = False
        header = FrameHeader.unpack(frame)
        length = len(frame) - OVERHEAD
        self.sequence.check(header, length)
        payload = self._opener.open(frame)
        if (abort := _abort_error(header, payload)) is not None:
            raise abort
        self.sequence.advance(header, length)
        return header, payload

    async def raise_if_aborted(self) -> None:
        """After a frame could not be sent: read what the other side has sent before it closed the channel.

        A side that writes to the disk does not read meanwhile: the reason of the other side's end may wait.

        What is no frame of the other side is ignored: a cancelled read may have taken a part of one.

        Raises:
            ProtocolError: the other side aborted.
        """
        abort: ProtocolError | None = None
        with suppress(ChannelError, ProtocolError, TimeoutError):
            async with asyncio.timeout(ABORT_S):
                while abort is None:
                    frame = await self.channel.receive()
                    abort = _abort_error(FrameHeader.unpack(frame), self._opener.open(frame))
        if abort is not None:
            raise abort

    async def send_document(self, kind: FrameType, document: bytes) -> None:
        """Send a document, in as many frames as needed."""
        view = memoryview(document)
        for at in range(0, max(1, len(view)), self.chunk_size):
            piece = view[at : at + self.chunk_size]
            await self.send(FrameHeader(kind, NO_FILE, at, at + self.chunk_size >= len(view)), piece)

    async def receive_document(self, kind: FrameType, limit: int) -> bytes:
        """Receive a document.

        Raises:
            ProtocolError: see :meth:`receive`; MalformedError if it has more than ``limit`` bytes.
        """
        self.sequence.expect(kind)
        document = bytearray()
        while not self.sequence.complete:
            document += (await self.receive())[1]
            if len(document) > limit:
                raise MalformedError("a document is too large")
        return bytes(document)

    async def abort(self, code: int) -> None:
        """Send an abort code to the other side and close. Never raises."""
        with suppress(ChannelError, ProtocolError, TimeoutError):
            async with asyncio.timeout(ABORT_S):
                await self.send(FrameHeader(FrameType.ABORT), bytes([code]))
        await self.close()

    async def close(self) -> None:
        """Close the channel. Never raises."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ABORT_S):
                await self.channel.close()


def _abort_error(header: FrameHeader, payload: bytes) -> ProtocolError | None:
    """Why the other side aborted; None if the frame is no abort."""
    if header.kind is not FrameType.ABORT:
        return None
    return from_code(payload[0] if len(payload) == 1 else ProtocolError.code)


async def perform_handshake(channel: Channel, role: Role, link: Link, metrics: Metrics) -> SecureChannel:
    """Agree on the keys of a connection. The result is counted.

    Raises:
        ProtocolError: WrongSecretError, KeyExchangeError or another; the other side got an abort.
        ChannelError: the channel was lost, or the other side does not answer.
    """
    try:
        async with asyncio.timeout(HANDSHAKE_S):
            session = await (_run_sender if role == "sender" else _run_receiver)(channel, link, metrics)
    except TimeoutError:
        raise ChannelError("the other side did not answer the handshake in time") from None
    except ProtocolError as error:
        error.authenticated = False
        if _is_failed_exchange(error):
            metrics.record_key_exchange("failed")
            crypto_logger.warning("Key exchange failed", role=role, reason=type(error).__name__)
        with suppress(ChannelError, TimeoutError):
            async with asyncio.timeout(ABORT_S):
                await channel.send(abort_message(error.code))
        raise
    metrics.record_key_exchange("success")
    crypto_logger.debug("Key exchange finished", role=role)
    return SecureChannel(channel, session, metrics)


def _is_failed_exchange(error: ProtocolError) -> bool:
    """Whether either side found a changed message: a failed key exchange, unlike a mistyped link."""
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
