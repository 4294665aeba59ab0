"""An open channel over TCP: messages with their length in front."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from contextlib import suppress
from typing import Final

from tallow.app.channels.channel import (
    ChannelClosedError,
    ConnectionPath,
    ConnectionQuality,
    DirectTransport,
)
from tallow.app.wire import MAX_RELAY_MESSAGE_BYTES, TransferMethod

MAX_MESSAGE: Final = MAX_RELAY_MESSAGE_BYTES
"""As over the relay: a frame with its header and tag."""
BUFFER_BYTES: Final = 1 << 20
"""Bytes that wait for the network on the sending side; as many again on the receiving side."""
DELIVERY_S: Final = 5.0
"""Seconds without progress after which closing no longer waits for the other side."""
CLOSE_S: Final = 30.0
"""Seconds that closing may take in all: the other side may send without end."""

_LENGTH: Final = struct.Struct(">I")
_LOST: Final = "the direct connection was lost"
_ENDED: Final = "the other side has ended the connection"


class TcpChannel:
    """A :class:`tallow.app.channels.channel.Channel` over a TCP connection whose ends have proven the link.

    Args:
        established_s: seconds from the offer to the proven connection.
    """

    method: TransferMethod = "p2p"
    path: ConnectionPath = "direct"
    transport: DirectTransport = "tcp"
    max_message = MAX_MESSAGE
    best_message = MAX_MESSAGE
    descriptions: tuple[bytes, ...] = ()

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, established_s: float
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.established_s = established_s
        self._closing: asyncio.Task[None] | None = None
        writer.transport.set_write_buffer_limits(high=BUFFER_BYTES)
        connection = writer.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    async def send(self, message: bytes) -> None:
        """See :class:`tallow.app.channels.channel.Channel`.

        Raises:
            ValueError: the message is longer than ``max_message``.
        """
        if len(message) > MAX_MESSAGE:
            raise ValueError(f"a message has at most {MAX_MESSAGE} bytes")
        if self._closing is not None:
            raise ChannelClosedError("the connection was closed")
        try:
            self._writer.write(_LENGTH.pack(len(message)))
            self._writer.write(message)
            await self._writer.drain()
        except OSError:
            raise ChannelClosedError(_LOST) from None

    async def receive(self) -> bytes:
        """See :class:`tallow.app.channels.channel.Channel`."""
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            if length > MAX_MESSAGE:
                self.abort()
                raise ChannelClosedError("the other side sent a message that is too long")
            return await self._reader.readexactly(length)
        except asyncio.IncompleteReadError as error:
            raise ChannelClosedError(_LOST if error.partial else _ENDED) from None
        except OSError:
            raise ChannelClosedError(_LOST) from None

    async def quality(self) -> ConnectionQuality | None:
        """Round trip and retransmitted segments as the kernel measured them; None where it does not tell."""
        connection = self._writer.get_extra_info("socket")
        return None if connection is None else tcp_quality(connection)

    async def close(self) -> None:
        """See :class:`tallow.app.channels.channel.Channel`. Waits for delivery as long as the other side
        responds."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="tcp close")
        await asyncio.shield(self._closing)

    def abort(self) -> None:
        """Close it at once; messages under way may be lost."""
        self._writer.transport.abort()

    async def _close(self) -> None:
        """End the own direction, and wait until the other side has read it and ended its own."""
        try:
            with suppress(OSError, NotImplementedError):
                self._writer.write_eof()
                async with asyncio.timeout(CLOSE_S):
                    await self._read_to_the_end()
        except TimeoutError:
            pass
        finally:
            self.abort()

    async def _read_to_the_end(self) -> None:
        while not self._reader.at_eof():
            async with asyncio.timeout(DELIVERY_S):
                await self._reader.read(BUFFER_BYTES)


def tcp_quality(connection: socket.socket) -> ConnectionQuality | None:
    """The kernel's measurements of a TCP connection; None except on Linux.

    Source: ``struct tcp_info`` in linux/tcp.h: ``tcpi_rtt`` (microseconds), ``tcpi_total_retrans`` and
    ``tcpi_segs_out``.
    """
    if sys.platform != "linux":
        return None
    try:
        raw = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 144)
        (round_trip,), (resent,), (sent,) = (struct.unpack_from("=I", raw, at) for at in (68, 100, 136))
    except (OSError, struct.error):  # an old kernel has fewer fields
        return None
    return ConnectionQuality(round_trip / 1e6, min(1.0, resent / sent) if sent else 0.0)
