"""The way over Tallow's own relay: a WebSocket that hands ciphertext from one peer to the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tallow.app.channels.channel import ChannelClosedError, ChannelError, TransferMethod

MAX_MESSAGE: Final = 256 * 1024 + 64
STALL_S: Final = 120
"""Behind a slow reader an answer to a ping waits its turn."""
LOST: Final = "the connection over the relay was lost"

OpenWebSocket = Callable[..., Awaitable[ClientConnection]]


class RelayChannel:
    """A WebSocket to the relay, see :class:`tallow.app.channels.channel.Channel`.

    Made by :meth:`connect`; usable once :meth:`paired` has returned.
    """

    method: TransferMethod = "relay"
    max_message = MAX_MESSAGE
    descriptions: tuple[bytes, ...] = ()

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    @classmethod
    async def connect(cls, connect: OpenWebSocket, ticket: str) -> RelayChannel:
        """Show the ticket that came with the seat.

        Args:
            connect: opens a WebSocket at a path of the server.

        Raises:
            ChannelError: the relay cannot be reached.
        """
        options: dict[str, Any] = {"max_size": MAX_MESSAGE, "max_queue": 8, "ping_timeout": STALL_S}
        socket = await connect("/api/relay", **options)
        try:
            await socket.send(f'{{"type":"relay","ticket":"{ticket}"}}')
        except ConnectionClosed:
            raise ChannelError(LOST) from None
        return cls(socket)

    async def wait_until_paired(self, within: float) -> None:
        """Wait for the other side.

        Raises:
            ChannelError: it did not come ``within`` so many seconds, or the relay refused.
        """
        try:
            async with asyncio.timeout(within):
                message = await self._socket.recv()
        except TimeoutError:
            raise ChannelError("the other side did not come to the relay") from None
        except ConnectionClosed:
            raise ChannelError(LOST) from None
        if not isinstance(message, str) or '"paired"' not in message:
            raise ChannelError("the relay refused the connection")

    async def send(self, message: bytes) -> None:
        """Hand a message over; see :class:`tallow.app.channels.channel.Channel`."""
        try:
            await self._socket.send(message)
        except ConnectionClosed:
            raise ChannelClosedError(LOST) from None

    async def receive(self) -> bytes:
        """The next message; see :class:`tallow.app.channels.channel.Channel`."""
        try:
            message = await self._socket.recv()
        except ConnectionClosed:
            raise ChannelClosedError(LOST) from None
        if isinstance(message, str):
            raise ChannelClosedError("the relay ended the connection")
        return message

    async def close(self) -> None:
        """End it; see :class:`tallow.app.channels.channel.Channel`."""
        await self._socket.close()
