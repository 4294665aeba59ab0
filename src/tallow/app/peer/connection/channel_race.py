"""Several ways to the other peer, opened at the same time. One channel is kept and the others are closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, Final

from tallow.app.channels.channel import Channel, ChannelError, ConnectionPath, ConnectionQuality
from tallow.app.channels.tcp.channel import TcpChannel
from tallow.app.peer.connection.signaling_messages import ChannelType
from tallow.app.peer.tasks import start_task
from tallow.app.wire import TransferMethod

CLOSE_S: Final = 2.0
"""Seconds that closing a channel which is not used may take, beside the transfer."""

Opened = Callable[[Channel], None]
"""Gets each channel that was opened."""
Opening = Callable[[Opened], Coroutine[Any, Any, None]]
"""Opens channels of one type, and returns or raises ChannelError once no more can come."""

_closing: Final[set[asyncio.Task[None]]] = set()


class ChannelRace:
    """Runs several openings. At the end of its block all channels but the chosen one are closed.

    Args:
        await_message: a channel takes part once a message came over it. The sender chooses a channel and
            sends the first message; so the receiver learns which one.
    """

    def __init__(self, *, await_message: bool = False) -> None:
        self._await_message = await_message
        self._openings: dict[ChannelType, asyncio.Task[None]] = {}
        self._opened: list[Channel] = []
        self._ready: dict[ChannelType, list[Channel]] = {}
        self._reading: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._chosen: Channel | None = None
        self._is_over = False

    async def __aenter__(self) -> ChannelRace:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_over = True
        for task in (*self._openings.values(), *self._reading):
            task.cancel()
        for channel in self._opened:
            if channel is not self._chosen:
                _close_beside(channel)

    def start(self, channel_type: ChannelType, opening: Opening) -> None:
        """Start to open channels of one type."""

        def on_opened(channel: Channel) -> None:
            if self._is_over:  # an opening runs on until its cancellation arrives
                _close_beside(channel)
                return
            self._opened.append(channel)
            if self._await_message:
                self._read_first_message(channel_type, channel)
            else:
                self._add(channel_type, channel)

        task = start_task(opening(on_opened))
        task.add_done_callback(lambda _task: self._changed.set())
        self._openings[channel_type] = task
        self._changed.set()

    async def first(
        self, types: Iterable[ChannelType], deadline: float | None = None
    ) -> tuple[ChannelType, Channel] | None:
        """Wait for the first channel of some types, and choose it.

        Args:
            types: preferred ones first.
            deadline: on the event loop's clock.

        Returns:
            None if all openings of these types have ended without a channel, or the deadline has passed.
        """
        wanted = tuple(types)
        while True:
            self._changed.clear()
            for channel_type in wanted:
                if self._ready.get(channel_type):
                    return channel_type, self._choose(self._ready[channel_type][0])
            if not self._may_come(wanted):
                return None
            try:
                async with asyncio.timeout_at(deadline):
                    await self._changed.wait()
            except TimeoutError:
                return None

    def error(self, channel_type: ChannelType) -> BaseException | None:
        """Why an opening has ended; None if it has not, or was not started."""
        task = self._openings.get(channel_type)
        return task.exception() if task is not None and task.done() and not task.cancelled() else None

    async def wait_for_change(self, deadline: float | None = None) -> None:
        """Wait until an opening starts or ends, :meth:`wake` is called, or the deadline has passed."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await self._changed.wait()

    def wake(self) -> None:
        """End :meth:`wait_for_change`."""
        self._changed.set()

    def _may_come(self, types: Iterable[ChannelType]) -> bool:
        openings = (self._openings.get(channel_type) for channel_type in types)
        return bool(self._reading) or any(task is not None and not task.done() for task in openings)

    def _choose(self, channel: Channel) -> Channel:
        self._chosen = channel.channel if isinstance(channel, StartedChannel) else channel
        return channel

    def _add(self, channel_type: ChannelType, channel: Channel) -> None:
        self._ready.setdefault(channel_type, []).append(channel)
        self._changed.set()

    def _read_first_message(self, channel_type: ChannelType, channel: Channel) -> None:
        async def read() -> None:
            with suppress(ChannelError):
                message = await channel.receive()
                self._add(channel_type, StartedChannel(channel, message))

        task = asyncio.create_task(read(), name="first message")
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)
        task.add_done_callback(lambda _task: self._changed.set())


class StartedChannel:
    """A :class:`tallow.app.channels.channel.Channel` whose first message has been read already.

    Args:
        channel: the open channel.
        message: its first message.
    """

    def __init__(self, channel: Channel, message: bytes) -> None:
        self.channel = channel
        self._message: bytes | None = message

    @property
    def method(self) -> TransferMethod:
        """See :class:`tallow.app.channels.channel.Channel`."""
        return self.channel.method

    @property
    def path(self) -> ConnectionPath | None:
        """See :class:`tallow.app.channels.channel.Channel`."""
        return self.channel.path

    @property
    def max_message(self) -> int:
        """See :class:`tallow.app.channels.channel.Channel`."""
        return self.channel.max_message

    @property
    def best_message(self) -> int:
        """See :class:`tallow.app.channels.channel.Channel`."""
        return self.channel.best_message

    @property
    def descriptions(self) -> tuple[bytes, ...]:
        """See :class:`tallow.app.channels.channel.Channel`."""
        return self.channel.descriptions

    async def send(self, message: bytes) -> None:
        """See :class:`tallow.app.channels.channel.Channel`."""
        await self.channel.send(message)

    async def receive(self) -> bytes:
        """See :class:`tallow.app.channels.channel.Channel`."""
        message, self._message = self._message, None
        return await self.channel.receive() if message is None else message

    async def quality(self) -> ConnectionQuality | None:
        """See :class:`tallow.app.channels.channel.Channel`."""
        return await self.channel.quality()

    async def close(self) -> None:
        """See :class:`tallow.app.channels.channel.Channel`."""
        await self.channel.close()


def _close_beside(channel: Channel) -> None:
    """Close a channel that is not used, without waiting for it."""
    if isinstance(channel, TcpChannel):  # nothing was sent over it that would have to arrive
        channel.abort()
        return

    async def close() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await channel.close()

    task = asyncio.create_task(close(), name="close channel")
    _closing.add(task)
    task.add_done_callback(_closing.discard)
