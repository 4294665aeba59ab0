"""Options of one transfer, and its time limits."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PeerTiming:
    """Time limits of a peer, in seconds.

    Attributes:
        first_delay: before the first retry. Each further delay doubles, up to ``max_delay``.
        give_up_after: for how long retries go on without a success.
        channel_timeout: for opening a channel when both sides are in the room.
        direct_timeout: for a WebRTC connection, before the relay is used. Longer than the 10 s above which
            the
            alert HighConnectionTime fires: otherwise a slow connection would always count as a failed one.
        linger: how long a complete receiver waits for the sender to learn of it.
        confirmation_timeout: for the person at the receiver, if the server sets no limit.
    """

    first_delay: float = 0.5
    max_delay: float = 15.0
    give_up_after: float = 600.0
    channel_timeout: float = 20.0
    direct_timeout: float = 15.0
    linger: float = 30.0
    confirmation_timeout: float = 300.0


@dataclass(frozen=True)
class TransferOptions:
    """Options of one transfer.

    Attributes:
        relay: allowed paths: auto, relay (TURN or Tallow's relay) or direct.
        tallow_relay: use only Tallow's relay.
        telemetry: whether telemetry is reported.
        features: features that this transfer uses, to be counted.
        settings: number of changes by setting since the last transfer, to be counted.
    """

    relay: str = "auto"
    tallow_relay: bool = False
    telemetry: bool = True
    features: tuple[str, ...] = ()
    settings: dict[str, int] = field(default_factory=dict)
    timing: PeerTiming = field(default_factory=PeerTiming)
