"""Opens a channel: the sender chooses, the receiver follows.

Direct connections, over TCP and WebRTC, are tried at once. The relay is prepared soon after and carries the
data if no direct connection is open after a head start. Without the head start the relay, which is one round
trip away, would win nearly always. The preference ``relay_preference`` and the options ``--relay`` and
``--direct`` exclude some paths. Only the sender records connection metrics, so that a connection counts once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from tallow.app.channels.channel import Channel, ChannelClosedError, ChannelError, ConnectionQuality
from tallow.app.crypto.errors import ProtocolError
from tallow.app.peer.connection.channel_openings import ChannelOpenings
from tallow.app.peer.connection.channel_race import ChannelRace
from tallow.app.peer.connection.connection_attempt import ChannelRefusedError, ConnectionAttempt
from tallow.app.peer.connection.connection_metrics import ConnectionOutcomeRecorder, PortMappingRecorder
from tallow.app.peer.connection.signaling import SignalingClient
from tallow.app.peer.connection.signaling_messages import ChannelType
from tallow.app.peer.errors import PeerError
from tallow.app.peer.link import Link
from tallow.app.peer.options import TransferOptions
from tallow.app.peer.server_client import ServerClient
from tallow.app.peer.tasks import start_task
from tallow.app.wire import Role, TransferMethod
from tallow.monitoring.http.auth import is_loopback
from tallow.monitoring.metrics import Metrics

QUALITY_S: Final = 3
"""Seconds that the end of a transfer may take to measure the connection's quality."""
NO_WEBRTC: Final = "WebRTC, which passes NAT, is not installed here: install tallow[webrtc] for it"
ALL_TYPES: Final[tuple[ChannelType, ...]] = ("tcp", "webrtc", "relay")


class ChannelConnector:
    """Opens the channels of one side of a transfer.

    Args:
        warn: shows a warning to the user.
    """

    def __init__(
        self,
        server: ServerClient,
        link: Link,
        role: Role,
        options: TransferOptions,
        metrics: Metrics,
        warn: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._role = role
        self._options = options
        self._metrics = metrics
        self._warn = warn
        host = urlsplit(server.origin).hostname or ""
        local = host == "localhost" or is_loopback(host)
        recorder = PortMappingRecorder(metrics, warn)
        self._openings = ChannelOpenings(
            server, link, role, options, loopback=local, on_mapped=recorder.record
        )
        self._recorder = ConnectionOutcomeRecorder(metrics, direct_policy=self._openings.policy == "all")

    @property
    def lacks_webrtc(self) -> bool:
        """Whether WebRTC may be used and is not installed."""
        return self._openings.lacks_webrtc

    def preload(self) -> None:
        """Load what a connection needs, in the background."""
        self._openings.preload()
        if self._options.router is not None and not self._openings.maps_ports:
            self._warn("no port is mapped on the router: the server is on this machine")

    async def close(self) -> None:
        """Remove what outlives a connection: the port that the router maps."""
        await self._openings.close()

    async def open(self, signaling: SignalingClient) -> Channel:
        """Open a channel to the receiver, which is in the room.

        Raises:
            ChannelError: none could be opened now.
            PeerError: both sides' options exclude every path.
        """
        attempt = signaling.start_attempt()
        direct = self._openings.direct_types(signaling)
        async with ChannelRace() as race:
            for channel_type in direct:
                race.start(channel_type, self._openings.opening(channel_type, attempt, signaling))
            found = await self._first_channel(race, direct, attempt, signaling)
            errors = {each: race.error(each) for each in ALL_TYPES}
        tried = [each for each in direct if not isinstance(errors[each], ChannelRefusedError)]
        if found is None:
            self._raise_lost(errors)
        self._recorder.record(found, tried, self._openings.ice_servers(signaling))
        if found is None:
            raise self._no_channel(errors["relay"])
        self._openings.connected()
        return found[1]

    async def accept(self, attempt: ConnectionAttempt, signaling: SignalingClient) -> Channel:
        """Open the channel that the sender chooses in its attempt.

        Raises:
            ChannelError: none could be opened.
        """
        timing = self._options.timing
        deadline = asyncio.get_running_loop().time() + timing.direct_timeout + timing.channel_timeout
        async with ChannelRace(await_message=True) as race:
            following = start_task(self._follow_offers(race, attempt, signaling), "offers")
            try:
                while True:
                    found = await race.first(ALL_TYPES, deadline)
                    if found is not None:
                        self._openings.connected()
                        return found[1]
                    if following.done():
                        following.result()
                    if asyncio.get_running_loop().time() >= deadline:
                        raise ChannelError("the sender did not connect in time")
                    await race.wait_for_change(deadline)
            finally:
                following.cancel()

    async def record_quality(self, channel: Channel) -> None:
        """Measure and record the quality of a connection at the end of a transfer."""
        if self._role != "sender" or channel.path is None:
            return
        with suppress(ChannelError, TimeoutError):
            async with asyncio.timeout(QUALITY_S):
                quality = await channel.quality()
                if quality is not None:
                    self._metrics.record_connection_quality(channel.path, quality_score(quality))

    async def _first_channel(
        self,
        race: ChannelRace,
        direct: tuple[ChannelType, ...],
        attempt: ConnectionAttempt,
        signaling: SignalingClient,
    ) -> tuple[ChannelType, Channel] | None:
        """The first direct channel; after the head start, the first of all."""
        timing = self._options.timing
        started = asyncio.get_running_loop().time()
        if self._options.relay == "direct":
            return await race.first(direct, started + timing.direct_timeout)
        found = await race.first(direct, started + timing.relay_delay)
        if found is None:
            race.start("relay", self._openings.opening("relay", attempt, signaling))
            found = await race.first(direct, started + timing.head_start)
        return found or await race.first((*direct, "relay"))

    async def _follow_offers(
        self, race: ChannelRace, attempt: ConnectionAttempt, signaling: SignalingClient
    ) -> None:
        """Start to open what the sender offers. Ends with the attempt's error."""
        allowed = self._openings.accepted_types(signaling)
        try:
            while True:
                channel_type = await attempt.offered.get()
                if channel_type in allowed:
                    race.start(channel_type, self._openings.opening(channel_type, attempt, signaling))
                else:
                    await attempt.exchange(channel_type).refuse()
        finally:
            race.wake()

    @staticmethod
    def _raise_lost(errors: Mapping[ChannelType, BaseException | None]) -> None:
        """Raise the error of signaling that was lost, of a peer that left or has another link, if there is
        one."""
        for error in errors.values():
            lost = isinstance(error, ChannelClosedError | ProtocolError)
            if error is not None and lost and not isinstance(error, ChannelRefusedError):
                raise error

    def _no_channel(self, relay_error: BaseException | None) -> Exception:
        if self._options.relay == "direct":
            more = f". {NO_WEBRTC}" if self._openings.lacks_webrtc else ""
            return PeerError(f"no direct connection is possible, and this side uses no relay{more}")
        if isinstance(relay_error, ChannelRefusedError):
            return PeerError("no direct connection is possible, and the other side uses no relay")
        return relay_error if isinstance(relay_error, Exception) else ChannelError("no connection")


def transfer_method(channel: Channel) -> TransferMethod:
    """The label ``method``: relay for both kinds of relay, else the channel's own."""
    return "relay" if channel.path == "relay" else channel.method


def quality_score(quality: ConnectionQuality) -> float:
    """Quality from 0 to 100: minus 1 per 10 ms of round trip (at most 50) and 2.5 per 1 % of lost packets
    (at most 50)."""
    late = min(50.0, quality.round_trip_s * 100)
    lost = min(50.0, quality.loss * 250)
    return 100.0 - late - lost
