"""How each type of channel is opened, and which types this side's options allow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Literal

from tallow.app.channels.channel import ChannelError
from tallow.app.channels.ice_servers import IceServers, has_turn
from tallow.app.channels.relay import RelayChannel
from tallow.app.channels.tcp.connect import TcpConnector
from tallow.app.peer.connection.channel_race import Opened, Opening
from tallow.app.peer.connection.connection_attempt import ConnectionAttempt
from tallow.app.peer.connection.signaling import SignalingClient
from tallow.app.peer.connection.signaling_messages import ChannelType
from tallow.app.peer.connection.webrtc_loader import WebRtcLoader
from tallow.app.peer.link import Link
from tallow.app.peer.options import TransferOptions
from tallow.app.peer.server_client import ServerClient
from tallow.app.wire import Role

if TYPE_CHECKING:
    from tallow.app.channels.tcp.port_mapping.mapper import PortMapper

RECEIVER_LOADS_AFTER_S: Final = 0.25
"""Seconds that TCP has before a receiver loads WebRTC. A sender loads it while it waits for a receiver."""
CandidatePolicy = Literal["all", "relay"]


class ChannelOpenings:
    """The ways of one side to the other.

    Attributes:
        role: this side's.

    Args:
        loopback: whether the server is on this host. Then TCP uses loopback addresses only.
        on_mapped: gets the result of mapping a port on the router.
    """

    def __init__(
        self,
        server: ServerClient,
        link: Link,
        role: Role,
        options: TransferOptions,
        *,
        loopback: bool,
        on_mapped: Callable[[str | None], None] = lambda _problem: None,
    ) -> None:
        self._server = server
        self.role = role
        self._options = options
        self._mapper = None if loopback else _port_mapper(options, on_mapped)
        self._webrtc = WebRtcLoader(RECEIVER_LOADS_AFTER_S if role == "receiver" else 0.0)
        self._tcp = TcpConnector(role, link.secret, bind=options.bind, loopback=loopback, mapper=self._mapper)

    @property
    def maps_ports(self) -> bool:
        """Whether ports are mapped on the router."""
        return self._mapper is not None

    @property
    def policy(self) -> CandidatePolicy:
        """Which ICE candidates may be used: with relay only a TURN server's."""
        return "relay" if self._options.relay == "relay" else "all"

    def preload(self) -> None:
        """Import WebRTC, and search the router, in the background while this side joins its room and waits.

        The import takes a fourth of a second and more. During the attempt it would use up the head start of
        direct connections, and a page has no other direct connection than WebRTC.
        """
        if not self._options.tallow_relay and self._uses_webrtc and not self.lacks_webrtc:
            self._webrtc.start()
        if self._mapper is not None and self._options.router is not None:
            self._options.router.start()

    def connected(self) -> None:
        """A channel was chosen: what the others still need is not loaded."""
        self._webrtc.stop()

    async def close(self) -> None:
        """Remove the port that the router maps. Takes a second at most."""
        self._webrtc.stop()
        if self._mapper is not None:
            await self._mapper.close()

    @property
    def _uses_webrtc(self) -> bool:
        return "webrtc" in self._options.transports

    @property
    def lacks_webrtc(self) -> bool:
        """Whether WebRTC may be used and is not installed (``tallow[webrtc]``)."""
        return not self._options.tallow_relay and self._uses_webrtc and find_spec("aiortc") is None

    def ice_servers(self, signaling: SignalingClient) -> IceServers:
        """The server's STUN and TURN servers that may be used."""
        servers = signaling.joined.ice_servers
        if self._options.relay != "direct":
            return servers
        return [entry for entry in servers if not has_turn([entry])]

    def direct_types(self, signaling: SignalingClient) -> tuple[ChannelType, ...]:
        """The types of direct channels that may be used."""
        if self._options.tallow_relay:
            return ()
        if self.policy == "relay":
            usable = has_turn(self.ice_servers(signaling)) and self._uses_webrtc and not self.lacks_webrtc
            return ("webrtc",) if usable else ()
        if self.lacks_webrtc:
            return tuple(each for each in self._options.transports if each != "webrtc")
        return self._options.transports

    def accepted_types(self, signaling: SignalingClient) -> tuple[ChannelType, ...]:
        """The types of channels that may be used."""
        relay: tuple[ChannelType, ...] = () if self._options.relay == "direct" else ("relay",)
        return (*self.direct_types(signaling), *relay)

    def opening(
        self, channel_type: ChannelType, attempt: ConnectionAttempt, signaling: SignalingClient
    ) -> Opening:
        """What opens channels of a type in an attempt."""
        if channel_type == "tcp":
            return lambda opened: self._tcp.open(attempt.exchange("tcp"), opened)
        open_channel = self._open_webrtc if channel_type == "webrtc" else self._open_relay
        return lambda opened: open_channel(attempt, signaling, opened)

    async def _open_webrtc(
        self, attempt: ConnectionAttempt, signaling: SignalingClient, opened: Opened
    ) -> None:
        try:
            module = await self._webrtc.module()
        except ImportError:  # installed, but not for this Python or system
            await attempt.exchange("webrtc").refuse()
            raise ChannelError("no connection over WebRTC: aiortc cannot be loaded") from None
        channel = await module.connect(
            self.role,
            attempt.exchange("webrtc"),
            self.ice_servers(signaling),
            policy=self.policy,
            timeout=self._options.timing.direct_timeout,
        )
        opened(channel)

    async def _open_relay(
        self, attempt: ConnectionAttempt, signaling: SignalingClient, opened: Opened
    ) -> None:
        """Connect to the relay, the receiver first: its answer says that it is connected."""
        exchange, timeout = attempt.exchange("relay"), self._options.timing.channel_timeout
        if self.role == "sender":
            await exchange.send("offer", {})
            try:
                async with asyncio.timeout(timeout):
                    _, signal = await exchange.receive()
            except TimeoutError:
                raise ChannelError("the other side does not answer") from None
        else:
            _, signal = await exchange.receive()
        channel = await RelayChannel.connect(self._server.open_websocket, signaling.joined.relay_ticket)
        channel.set_peer_window(signal.get("window"))
        try:
            if self.role == "receiver":
                await exchange.send("answer", {})
            await channel.wait_until_paired(timeout)
        except BaseException:
            await channel.close()
            raise
        opened(channel)


def _port_mapper(options: TransferOptions, on_mapped: Callable[[str | None], None]) -> PortMapper | None:
    if options.router is None:
        return None
    from tallow.app.channels.tcp.port_mapping.mapper import PortMapper  # of an extra

    return PortMapper(options.router, on_mapped)
