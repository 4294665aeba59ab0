"""Opens a channel: the sender chooses, the receiver follows.

WebRTC is tried first, then Tallow's relay. The preference ``relay_preference`` and the option ``--relay``
exclude some paths. Only the sender records connection metrics, so that a connection counts once.
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
)
from tallow.app.channels.ice_servers import IceServers, has_turn
from tallow.app.channels.relay import RelayChannel
from tallow.app.peer.connection.connection_attempt import ChannelRefusedError, ConnectionAttempt
from tallow.app.peer.connection.signaling import SignalingClient
from tallow.app.peer.errors import PeerError
from tallow.app.peer.options import TransferOptions
from tallow.app.peer.server_client import ServerClient
from tallow.app.wire import Role, TransferMethod
from tallow.monitoring.errors import report_error
from tallow.monitoring.logging import connection_logger
from tallow.monitoring.metrics import Metrics

QUALITY_S: Final = 3
"""Seconds that the end of a transfer may take to measure the connection's quality."""

CandidatePolicy = Literal["all", "relay"]


class ChannelConnector:
    """Opens the channels of one side of a transfer."""

    def __init__(self, server: ServerClient, role: Role, options: TransferOptions, metrics: Metrics) -> None:
        self._server = server
        self._role = role
        self._options = options
        self._metrics = metrics
        self._tried = False
        self._webrtc_unavailable = options.tallow_relay

    async def open(self, signaling: SignalingClient) -> Channel:
        """Open a channel to the receiver, which is in the room.

        Raises:
            ChannelError: none could be opened now.
            PeerError: both sides' options exclude every path.
        """
        servers = self._ice_servers(signaling)
        if not self._webrtc_unavailable and (self._policy == "all" or has_turn(servers)):
            try:
                return await self._open_webrtc(signaling, servers)
            except ChannelRefusedError:
                self._webrtc_unavailable = True
            except ChannelClosedError:
                raise
            except ChannelError as error:
                self._webrtc_unavailable = True
                report_error(
                    "network",
                    "low",
                    "No direct connection",
                    log=connection_logger,
                    metrics=self._metrics,
                    error_class=type(error).__name__,
                )
                if self._options.relay != "direct":
                    channel = await self._open_relay(signaling)
                    self._metrics.record_recovery("network")
                    return channel
        if self._options.relay == "direct":
            raise PeerError("no direct connection is possible, and this side uses no relay")
        return await self._open_relay(signaling)

    async def accept(self, attempt: ConnectionAttempt, signaling: SignalingClient) -> Channel:
        """Open the channel of the sender's attempt.

        Raises:
            ChannelError: it could not be opened.
        """
        servers = self._ice_servers(signaling)
        if attempt.channel_type == "relay":
            if self._options.relay == "direct":
                await self._refuse(attempt)
            await attempt.receive()  # the offer that started it
            return await self._connect_relay(signaling, attempt)
        if self._options.tallow_relay or (self._policy == "relay" and not has_turn(servers)):
            await self._refuse(attempt)
        channel: Channel = await self._connect(attempt, servers)
        return channel

    async def record_quality(self, channel: Channel) -> None:
        """Measure and record the quality of a connection at the end of a transfer."""
        if self._role != "sender" or channel.path is None:
            return
        with suppress(ChannelError, TimeoutError):
            async with asyncio.timeout(QUALITY_S):
                quality = await channel.quality()
                if quality is not None:
                    self._metrics.record_connection_quality(channel.path, quality_score(quality))

    @property
    def _policy(self) -> CandidatePolicy:
        return "relay" if self._options.relay == "relay" else "all"

    def _ice_servers(self, signaling: SignalingClient) -> IceServers:
        servers = signaling.joined.ice_servers
        if self._options.relay != "direct":
            return servers
        return [entry for entry in servers if not has_turn([entry])]

    async def _refuse(self, attempt: ConnectionAttempt) -> None:
        await attempt.refuse()
        raise ChannelError("the sender chose a type of channel that this side does not use")

    async def _open_webrtc(self, signaling: SignalingClient, servers: IceServers) -> Channel:
        first, self._tried = not self._tried, True
        try:
            channel: Channel = await self._connect(signaling.start_attempt("webrtc"), servers)
        except ChannelClosedError:
            raise
        except ChannelError:
            if first:
                self._record_failed(servers)
            raise
        if first:
            self._record_connected(channel)
        return channel

    async def _connect(self, attempt: ConnectionAttempt, servers: IceServers) -> Any:
        from tallow.app.channels.webrtc import connect  # importing aiortc takes half a second

        timeout = self._options.timing.direct_timeout
        return await connect(self._role, attempt, servers, policy=self._policy, timeout=timeout)

    def _record_connected(self, channel: Any) -> None:
        self._metrics.record_webrtc_connection(channel.path, "success", channel.established_s)
        self._metrics.record_nat_traversal(channel.strategy, "success")
        if channel.path == "relay":
            self._metrics.record_turn_relay_usage(forced=self._policy == "relay")

    def _record_failed(self, servers: IceServers) -> None:
        """Record a failure for every kind of candidate that could be tried."""
        direct = self._policy == "all"
        self._metrics.record_webrtc_connection("direct" if direct else "relay", "failed")
        if direct:
            self._metrics.record_nat_traversal("host", "failed")
        if direct and servers:
            self._metrics.record_nat_traversal("stun", "failed")
        if has_turn(servers):
            self._metrics.record_nat_traversal("turn", "failed")

    async def _open_relay(self, signaling: SignalingClient) -> Channel:
        attempt = signaling.start_attempt("relay")
        await attempt.send("offer", {})
        try:
            async with asyncio.timeout(self._options.timing.channel_timeout):
                await attempt.receive()
        except ChannelRefusedError:
            raise PeerError("no direct connection is possible, and the other side uses no relay") from None
        except TimeoutError:
            raise ChannelError("the other side does not answer") from None
        return await self._connect_relay(signaling, None)

    async def _connect_relay(self, signaling: SignalingClient, attempt: ConnectionAttempt | None) -> Channel:
        """Connect to the relay. A receiver answers the attempt once it is connected."""
        channel = await RelayChannel.connect(self._server.open_websocket, signaling.joined.relay_ticket)
        try:
            if attempt is not None:
                await attempt.send("answer", {})
            await channel.wait_until_paired(self._options.timing.channel_timeout)
        except BaseException:
            await channel.close()
            raise
        return channel


def transfer_method(channel: Channel) -> TransferMethod:
    """The label ``method``: relay for both kinds of relay, else the channel's own."""
    return "relay" if channel.path == "relay" else channel.method


def quality_score(quality: ConnectionQuality) -> float:
    """Quality from 0 to 100: minus 1 per 10 ms of round trip (at most 50) and 2.5 per 1 % of lost packets
    (at most 50)."""
    late = min(50.0, quality.round_trip_s * 100)
    lost = min(50.0, quality.loss * 250)
    return 100.0 - late - lost
