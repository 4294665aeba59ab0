"""Attempts to open a channel. Each has its own signals, so that late ones do not reach the next attempt."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from tallow.app.channels.channel import ChannelClosedError
from tallow.app.peer.connection.closable_queue import ClosableQueue
from tallow.app.peer.connection.signaling_messages import ChannelType, ForwardedSignal
from tallow.app.wire import ForwardedType

ForwardSignal = Callable[[ForwardedType, dict[str, object]], Awaitable[None]]
"""Sends a signal to the other side."""


class ChannelRefusedError(ChannelClosedError):
    """The other side does not use this type of channel."""


class ConnectionAttempt:
    """One attempt to open a channel: a :class:`tallow.app.channels.channel.SignalingExchange`."""

    def __init__(self, name: str, channel_type: ChannelType, forward: ForwardSignal) -> None:
        self.name = name
        self.channel_type = channel_type
        self.inbox: ClosableQueue[tuple[ForwardedType, dict[str, object]]] = ClosableQueue()
        self._forward = forward

    async def send(self, kind: ForwardedType, data: dict[str, object]) -> None:
        """Send a signal to the other side."""
        await self._forward(kind, {"attempt": self.name, "channel": self.channel_type, "data": data})

    async def receive(self) -> tuple[ForwardedType, dict[str, object]]:
        """Wait for the other side's next signal.

        Raises:
            ChannelClosedError: the attempt is over.
            ChannelRefusedError: the other side does not use this type of channel.
        """
        return await self.inbox.get()

    async def refuse(self) -> None:
        """Tell the other side that this side does not use this type of channel."""
        data: dict[str, object] = {"attempt": self.name, "channel": self.channel_type, "refused": True}
        await self._forward("answer", data)


class ConnectionAttempts:
    """The current attempt of a signaling connection; a new one ends it.

    Args:
        forward: sends a signal to the other side.
        offered: gets the attempts that the other side starts.
    """

    def __init__(self, forward: ForwardSignal, offered: ClosableQueue[ConnectionAttempt]) -> None:
        self._forward = forward
        self._offered = offered
        self._current: ConnectionAttempt | None = None

    def start(self, channel_type: ChannelType) -> ConnectionAttempt:
        """Start an attempt of this side."""
        return self._replace(secrets.token_hex(8), channel_type)

    def handle(self, signal: ForwardedSignal) -> None:
        """Pass a signal to its attempt. An offer with a new name starts one; other unknown names are late."""
        current = self._current
        if signal.type == "offer" and (current is None or current.name != signal.attempt):
            current = self._replace(signal.attempt, signal.channel_type)
            self._offered.put(current)
        if current is None or current.name != signal.attempt:
            return
        if signal.refused:
            current.inbox.fail(ChannelRefusedError("the other side does not use this type of channel"))
        elif signal.data is not None:
            current.inbox.put((signal.type, signal.data))

    def fail(self, reason: str) -> None:
        """End the current attempt."""
        if self._current is not None:
            self._current.inbox.fail(ChannelClosedError(reason))

    def _replace(self, name: str, channel_type: ChannelType) -> ConnectionAttempt:
        self.fail("another attempt has started")
        self._current = ConnectionAttempt(name, channel_type, self._forward)
        return self._current
