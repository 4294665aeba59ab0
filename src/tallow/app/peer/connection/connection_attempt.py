"""Attempts to connect. Each has its own signals, so that late ones do not reach the next attempt."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable

from tallow.app.channels.channel import ChannelClosedError
from tallow.app.crypto.errors import WrongSecretError
from tallow.app.crypto.sealed_signals import SignalSealer
from tallow.app.peer.connection.closable_queue import ClosableQueue
from tallow.app.peer.connection.signaling_messages import ChannelType, ForwardedSignal
from tallow.app.peer.tasks import start_task
from tallow.app.wire import ForwardedType

ForwardSignal = Callable[[ForwardedType, dict[str, object]], Awaitable[None]]
"""Sends a signal to the other side."""


class ChannelRefusedError(ChannelClosedError):
    """The other side does not use this type of channel."""


class ChannelExchange:
    """Signals of one type of channel in one attempt: a
    :class:`tallow.app.channels.channel.SignalingExchange`."""

    def __init__(
        self, attempt: str, channel_type: ChannelType, sealer: SignalSealer, forward: ForwardSignal
    ) -> None:
        self._attempt = attempt
        self.channel_type = channel_type
        self._sealer = sealer
        self._forward = forward
        self.inbox: ClosableQueue[tuple[ForwardedType, dict[str, object]]] = ClosableQueue()

    async def send(self, kind: ForwardedType, data: dict[str, object]) -> None:
        """Send a signal to the other side."""
        sealed = self._sealer.seal(kind, self._attempt, self.channel_type, data)
        await self._forward(kind, {"attempt": self._attempt, "channel": self.channel_type, "sealed": sealed})

    async def receive(self) -> tuple[ForwardedType, dict[str, object]]:
        """Wait for the other side's next signal.

        Raises:
            ChannelClosedError: the attempt is over.
            ChannelRefusedError: the other side does not use this type of channel.
        """
        return await self.inbox.get()

    async def refuse(self) -> None:
        """Tell the other side that this side does not use this type of channel."""
        await self.send("answer", {"refused": True})


class ConnectionAttempt:
    """One attempt to connect, over several types of channels at once.

    Attributes:
        offered: the types of channels that the other side offers, each once.
    """

    def __init__(self, name: str, sealer: SignalSealer, forward: ForwardSignal) -> None:
        self.name = name
        self.offered: ClosableQueue[ChannelType] = ClosableQueue()
        self._sealer = sealer
        self._forward = forward
        self._exchanges: dict[ChannelType, ChannelExchange] = {}
        self._error: Exception | None = None

    def exchange(self, channel_type: ChannelType) -> ChannelExchange:
        """The signals of one type of channel."""
        found = self._exchanges.get(channel_type)
        if found is None:
            found = ChannelExchange(self.name, channel_type, self._sealer, self._forward)
            self._exchanges[channel_type] = found
            if self._error is not None:
                found.inbox.fail(self._error)
        return found

    def deliver(self, signal: ForwardedSignal) -> None:
        """Pass a signal of the other side to its type of channel."""
        is_new = signal.type == "offer" and signal.channel_type not in self._exchanges
        inbox = self.exchange(signal.channel_type).inbox
        if signal.data.get("refused") is True:
            inbox.fail(ChannelRefusedError("the other side does not use this type of channel"))
        else:
            inbox.put((signal.type, signal.data))
        if is_new:
            self.offered.put(signal.channel_type)

    def fail(self, error: Exception) -> None:
        """End the attempt."""
        self._error = error
        self.offered.fail(error)
        for exchange in self._exchanges.values():
            exchange.inbox.fail(error)


class ConnectionAttempts:
    """The current attempt of a signaling connection; a new one ends it.

    Args:
        sealer: seals and opens signals.
        forward: sends a signal to the other side.
        offered: gets the attempts that the other side starts.
    """

    def __init__(
        self, sealer: SignalSealer, forward: ForwardSignal, offered: ClosableQueue[ConnectionAttempt]
    ) -> None:
        self._sealer = sealer
        self._forward = forward
        self._offered = offered
        self._current: ConnectionAttempt | None = None
        self._refusing: asyncio.Future[None] | None = None

    def start(self) -> ConnectionAttempt:
        """Start an attempt of this side."""
        return self._replace(secrets.token_hex(8))

    def handle(self, signal: ForwardedSignal) -> None:
        """Pass a signal to its attempt. An offer with a new name starts one; other unknown names are late."""
        current = self._current
        if signal.type == "offer" and (current is None or current.name != signal.attempt):
            current = self._replace(signal.attempt)
            self._offered.put(current)
        if current is not None and current.name == signal.attempt:
            current.deliver(signal)

    def fail(self, reason: str) -> None:
        """End the current attempt."""
        if self._current is not None:
            self._current.fail(ChannelClosedError(reason))

    def fail_unreadable(self) -> None:
        """The other side has another link: end this side's attempt, or tell the other side by a refusal,
        which it cannot open either."""
        if self._current is not None:
            self._current.fail(WrongSecretError(authenticated=False))
            return
        refusal = self._replace(secrets.token_hex(8)).exchange("relay").refuse()
        self._refusing = start_task(refusal)  # asyncio itself keeps no task alive
        self._offered.fail(WrongSecretError(authenticated=False))

    def _replace(self, name: str) -> ConnectionAttempt:
        self.fail("another attempt has started")
        self._current = ConnectionAttempt(name, self._sealer, self._forward)
        return self._current
