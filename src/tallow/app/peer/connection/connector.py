"""Which way is taken across: the sender tries, the receiver follows.

Directly first (WebRTC), then over Tallow's relay; ``relay_preference`` and ``--relay`` leave some out.
What is recorded of a connection the sender records: it is one, however many look at it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final, Literal

from tallow.app.channels.channel import (
    Channel,
    ChannelClosedError,
    ChannelError,
    ConnectionQuality,
    TransferMethod,
)
from tallow.app.channels.relay import RelayChannel
from tallow.app.peer.connection.signaling import ChannelRefusedError, ConnectionAttempt, SignalingClient
from tallow.app.peer.errors import PeerError
from tallow.app.peer.server_client import ServerClient
from tallow.app.peer.transfer.outcome import TransferOptions
from tallow.app.wire import Role
from tallow.monitoring.metrics import Metrics

QUALITY_S: Final = 3
"""How long the end of a transfer waits to learn how good its connection was."""

CandidatePolicy = Literal["all", "relay"]


class ChannelConnector:
    """Opens channels for one side of a transfer."""

    def __init__(self, server: ServerClient, role: Role, options: TransferOptions, metrics: Metrics) -> None:
        self._server = server
        self._role = role
        self._options = options
        self._metrics = metrics
        self._tried = False
        self._webrtc_unavailable = options.tallow_relay

    async def open(self, signaling: SignalingClient) -> Channel:
        """A channel to the receiver, which is here.

        Raises:
            ChannelError: there is none to be had at this moment.
            PeerError: there is none that both sides may use.
        """
        servers = self._ice_servers(signaling)
        if not self._webrtc_unavailable and (self._policy == "all" or has_turn(servers)):
            try:
                return await self._open_webrtc(signaling, servers)
            except ChannelRefusedError:
                self._webrtc_unavailable = True
            except ChannelClosedError:
                raise
            except ChannelError:
                self._webrtc_unavailable = True
                self._metrics.record_error("network", "low")
                if self._options.relay != "direct":
                    channel = await self._open_relay(signaling)
                    self._metrics.record_recovery("network")
                    return channel
        if self._options.relay == "direct":
            raise PeerError("there is no direct way to the other side, and this side uses no relay")
        return await self._open_relay(signaling)

    async def accept(self, attempt: ConnectionAttempt, signaling: SignalingClient) -> Channel:
        """The channel that the sender opens with an attempt.

        Raises:
            ChannelError: it did not come about.
        """
        servers = self._ice_servers(signaling)
        if attempt.channel_type == "relay":
            if self._options.relay == "direct":
                await self._refuse(attempt)
            await attempt.receive()  # the offer that began it
            return await self._connect_relay(signaling, attempt)
        if self._options.tallow_relay or (self._policy == "relay" and not has_turn(servers)):
            await self._refuse(attempt)
        channel: Channel = await self._connect(attempt, servers)
        return channel

    async def record_quality(self, channel: Channel) -> None:
        """A transfer over this channel is complete: record how good the connection was."""
        path = getattr(channel, "path", None)
        if self._role == "sender" and path is not None:
            with suppress(ChannelError, TimeoutError):
                async with asyncio.timeout(QUALITY_S):
                    found: ConnectionQuality = await channel.quality()  # type: ignore[attr-defined]
                    self._metrics.record_connection_quality(path, quality_score(found))

    @property
    def _policy(self) -> CandidatePolicy:
        return "relay" if self._options.relay == "relay" else "all"

    def _ice_servers(self, signaling: SignalingClient) -> list[dict[str, Any]]:
        servers = signaling.joined.ice_servers
        if self._options.relay != "direct":
            return servers
        return [entry for entry in servers if not has_turn([entry])]

    async def _refuse(self, attempt: ConnectionAttempt) -> None:
        await attempt.refuse()
        raise ChannelError("the sender chose a way that this side does not use")

    async def _open_webrtc(self, signaling: SignalingClient, servers: list[dict[str, Any]]) -> Channel:
        first, self._tried = not self._tried, True
        try:
            channel: Channel = await self._connect(signaling.attempt("webrtc"), servers)
        except ChannelClosedError:
            raise
        except ChannelError:
            if first:
                self._record_failed(servers)
            raise
        if first:
            self._record_connected(channel)
        return channel

    async def _connect(self, attempt: ConnectionAttempt, servers: list[dict[str, Any]]) -> Any:
        from tallow.app.channels.webrtc import connect  # aiortc takes half a second to load

        timeout = self._options.timing.direct_timeout
        return await connect(self._role, attempt, servers, policy=self._policy, timeout=timeout)

    def _record_connected(self, channel: Any) -> None:
        self._metrics.record_webrtc_connection(channel.path, "success", channel.established_s)
        self._metrics.record_nat_traversal(channel.strategy, "success")
        if channel.path == "relay":
            self._metrics.record_turn_relay_usage(forced=self._policy == "relay")

    def _record_failed(self, servers: list[dict[str, Any]]) -> None:
        """Every kind of candidate that could be tried has failed."""
        direct = self._policy == "all"
        self._metrics.record_webrtc_connection("direct" if direct else "relay", "failed")
        if direct:
            self._metrics.record_nat_traversal("host", "failed")
        if direct and servers:
            self._metrics.record_nat_traversal("stun", "failed")
        if has_turn(servers):
            self._metrics.record_nat_traversal("turn", "failed")

    async def _open_relay(self, signaling: SignalingClient) -> Channel:
        attempt = signaling.attempt("relay")
        await attempt.send("offer", {})
        try:
            async with asyncio.timeout(self._options.timing.channel_timeout):
                await attempt.receive()
        except ChannelRefusedError:
            raise PeerError("there is no direct way to the other side, and it uses no relay") from None
        except TimeoutError:
            raise ChannelError("the other side does not answer") from None
        return await self._connect_relay(signaling, None)

    async def _connect_relay(self, signaling: SignalingClient, attempt: ConnectionAttempt | None) -> Channel:
        """Connect to the relay; a receiver answers the attempt once it is there."""
        channel = await RelayChannel.connect(self._server.open_websocket, signaling.joined.relay_ticket)
        try:
            if attempt is not None:
                await attempt.send("answer", {})
            await channel.wait_until_paired(self._options.timing.channel_timeout)
        except BaseException:
            await channel.close()
            raise
        return channel


def has_turn(servers: list[dict[str, Any]]) -> bool:
    """Whether a TURN server is among them."""
    return any(str(url).startswith("turn") for entry in servers for url in entry.get("urls", ()))


def transfer_method(channel: Channel) -> TransferMethod:
    """How data goes, as metrics have it: over a relay of either kind, or directly."""
    return "relay" if getattr(channel, "path", None) == "relay" else channel.method


def quality_score(quality: ConnectionQuality) -> float:
    """A connection's quality from 0 to 100: one point less for 10 ms of round trip, at most 50 of them, and
    2.5 less for 1 % of packets lost, at most 50."""
    late = min(50.0, quality.round_trip_s * 100)
    lost = min(50.0, quality.loss * 250)
    return 100.0 - late - lost
