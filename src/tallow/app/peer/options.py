"""Options of one transfer, and its time limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tallow.app.channels.channel import DirectTransport

if TYPE_CHECKING:
    from tallow.app.channels.tcp.port_mapping.mapper import RouterSearch


@dataclass(frozen=True, slots=True)
class PeerTiming:
    """Time limits of a peer, in seconds.

    Attributes:
        first_delay: before the first retry. Each further delay doubles, up to ``max_delay``.
        give_up_after: for how long retries go on without a success.
        channel_timeout: for opening a channel when both sides are in the room.
        direct_timeout: for a direct connection. Longer than the 10 s above which the alert
            HighConnectionTime fires: otherwise a slow connection would always count as a failed one.
        head_start: for direct connections, before the relay may carry the data.
        relay_delay: before the relay is prepared. A connection that is made sooner leaves the server out.
        linger: how long a complete receiver waits for the sender to learn of it.
        confirmation_timeout: for the person at the receiver, if the server sets no limit.
    """

    first_delay: float = 0.5
    max_delay: float = 15.0
    give_up_after: float = 600.0
    channel_timeout: float = 20.0
    direct_timeout: float = 15.0
    head_start: float = 1.5
    relay_delay: float = 0.3
    linger: float = 30.0
    confirmation_timeout: float = 300.0


@dataclass(frozen=True)
class TransferOptions:
    """Options of one transfer.

    Attributes:
        relay: allowed paths: auto, relay (TURN or Tallow's relay) or direct.
        tallow_relay: use only Tallow's relay.
        transports: how direct connections are tried.
        limit: bytes per second that a sender sends at most; None for no limit.
        bind: address to listen on and to dial from for TCP; None for all.
        router: finds the router, on which the port for TCP is mapped; None: it is not mapped.
        telemetry: whether telemetry is reported.
        features: features that this transfer uses, to be counted.
        settings: number of changes by setting since the last transfer, to be counted.
    """

    relay: str = "auto"
    tallow_relay: bool = False
    transports: tuple[DirectTransport, ...] = ("tcp", "webrtc")
    bind: str | None = None
    router: RouterSearch | None = None
    limit: int | None = None
    telemetry: bool = True
    features: tuple[str, ...] = ()
    settings: dict[str, int] = field(default_factory=dict)
    timing: PeerTiming = field(default_factory=PeerTiming)
