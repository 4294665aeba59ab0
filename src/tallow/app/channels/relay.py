"""A channel over Tallow's own relay: a WebSocket to the server, which forwards ciphertext.

A browser cannot slow down what its WebSocket receives. It announces a window in its signal and acknowledges
what it has processed; this side then has no more than the window unacknowledged.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tallow.app.channels.channel import ChannelClosedError, ChannelError
from tallow.app.wire import MAX_RELAY_MESSAGE_BYTES, RELAY_PATH, RelayMessage, TransferMethod

STALL_TIMEOUT_S: Final = 120
"""Ping timeout: behind a slow reader the answer to a ping waits for the data before it."""
ACK_BYTES: Final = 8
"""An acknowledgement holds the sum of all processed bytes. No other message has this length."""
CONNECTION_LOST: Final = "the connection over the relay was lost"

OpenWebSocket = Callable[..., Awaitable[ClientConnection]]
"""Opens a WebSocket at a path of the server."""


class RelayChannel:
    """A :class:`tallow.app.channels.channel.Channel` over the relay.

    Made by :meth:`connect`; usable after :meth:`wait_until_paired`.
    """

    method: TransferMethod = "relay"
    path = None
    max_message = MAX_RELAY_MESSAGE_BYTES
    best_message = MAX_RELAY_MESSAGE_BYTES
    descriptions: tuple[bytes, ...] = ()

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._window: int | None = None
        self._sent = self._acknowledged = 0
        self._received: deque[bytes] = deque()
        self._reading = asyncio.Lock()
        self._changed = asyncio.Event()

    @classmethod
    async def connect(cls, open_websocket: OpenWebSocket, ticket: str) -> RelayChannel:
        """Connect with the ticket that came with the join.

        Raises:
            ChannelError: the relay cannot be reached.
        """
        options: dict[str, Any] = {"max_size": cls.max_message, "max_queue": 8}
        socket = await open_websocket(RELAY_PATH, ping_timeout=STALL_TIMEOUT_S, **options)
        message: RelayMessage = {"type": "relay", "ticket": ticket}
        try:
            await socket.send(orjson.dumps(message).decode())
        except ConnectionClosed:
            raise ChannelError(CONNECTION_LOST) from None
        except BaseException:
            await socket.close()
            raise
        return cls(socket)

    async def wait_until_paired(self, timeout: float) -> None:  # noqa: ASYNC109 - the caller sets the limit
        """Wait for the other side.

        Args:
            timeout: seconds.

        Raises:
            ChannelError: it did not come in time, or the relay refused the connection.
        """
        try:
            async with asyncio.timeout(timeout):
                message = await self._socket.recv()
        except TimeoutError:
            raise ChannelError("the other side did not connect to the relay") from None
        except ConnectionClosed:
            raise ChannelError(CONNECTION_LOST) from None
        if not isinstance(message, str) or '"paired"' not in message:
            raise ChannelError("the relay refused the connection")

    def set_peer_window(self, window: object) -> None:
        """Set how many unacknowledged bytes the other side accepts, as it announced.

        Args:
            window: bytes; anything but a number that allows a message means that there is no limit.
        """
        if isinstance(window, int) and window >= self.max_message:
            self._window = window

    async def send(self, message: bytes) -> None:
        """Send a message; see :class:`tallow.app.channels.channel.Channel`."""
        while self._window is not None and self._sent + len(message) - self._acknowledged > self._window:
            await self._read()
        self._sent += len(message)
        try:
            await self._socket.send(message)
        except ConnectionClosed:
            raise ChannelClosedError(CONNECTION_LOST) from None

    async def receive(self) -> bytes:
        """Wait for the next message; see :class:`tallow.app.channels.channel.Channel`."""
        while not self._received:
            await self._read()
        return self._received.popleft()

    async def _read(self) -> None:
        """Wait until a message was read, here or by another task: a sender waits for an acknowledgement while
        a reader waits for a message."""
        if self._reading.locked():
            await self._changed.wait()
            return
        async with self._reading:
            try:
                self._accept(await self._socket.recv())
            except ConnectionClosed:
                raise ChannelClosedError(CONNECTION_LOST) from None
            finally:
                self._changed.set()
                self._changed = asyncio.Event()

    def _accept(self, message: str | bytes) -> None:
        if isinstance(message, str):
            raise ChannelClosedError("the relay ended the connection")
        if len(message) == ACK_BYTES:
            self._acknowledged = int.from_bytes(message)
        else:
            self._received.append(message)

    async def quality(self) -> None:
        """Not measured: the relay is the server's."""

    async def close(self) -> None:
        """Close it; see :class:`tallow.app.channels.channel.Channel`."""
        await self._socket.close()
