"""Which way is taken across: the sender tries, the receiver follows."""

from __future__ import annotations

import asyncio

from tallow.app.channels.channel import Channel, ChannelError
from tallow.app.channels.relay import RelayChannel
from tallow.app.crypto.session import Role
from tallow.app.peer.server import Server
from tallow.app.peer.signaling import Attempt, Signaling
from tallow.app.peer.transfer import Options
from tallow.monitoring.metrics import Metrics


class Opener:
    """Opens channels for one side of a transfer."""

    def __init__(self, server: Server, role: Role, options: Options, metrics: Metrics) -> None:
        self._server = server
        self._role = role
        self._options = options
        self._metrics = metrics

    async def open(self, signaling: Signaling) -> Channel:
        """A channel to the receiver, which is here.

        Raises:
            ChannelError: there is none to be had at this moment.
        """
        return await self._relay(signaling)

    async def follow(self, attempt: Attempt, signaling: Signaling) -> Channel:
        """The channel that the sender opens with an attempt.

        Raises:
            ChannelError: it did not come about.
        """
        await attempt.receive()  # the offer that began it
        channel = await RelayChannel.connect(self._server.socket, signaling.joined.relay_ticket)
        try:
            await attempt.send("answer", {})
            await channel.paired(self._options.timing.channel)
        except BaseException:
            await channel.close()
            raise
        return channel

    async def closing(self, channel: Channel) -> None:
        """A channel is about to be closed: what is to be said of it is recorded."""

    async def _relay(self, signaling: Signaling) -> Channel:
        attempt = signaling.attempt("relay")
        await attempt.send("offer", {})
        try:
            async with asyncio.timeout(self._options.timing.channel):
                await attempt.receive()
        except TimeoutError:
            raise ChannelError("the other side does not answer") from None
        channel = await RelayChannel.connect(self._server.socket, signaling.joined.relay_ticket)
        try:
            await channel.paired(self._options.timing.channel)
        except BaseException:
            await channel.close()
            raise
        return channel
