"""What both sides of a transfer share: who they are, what they record, and how they end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from tallow.app.crypto.errors import CancelledByPeerError
from tallow.app.peer.connection.retry import PeerTiming
from tallow.app.peer.connection.signaling import SignalingClient
from tallow.app.peer.errors import NotConfirmedError, PeerError, error_labels
from tallow.monitoring.metrics import Metrics

TransferOutcome = Literal["success", "failed", "cancelled"]


@dataclass(frozen=True)
class TransferOptions:
    """How a peer behaves.

    Attributes:
        relay: which ways may be taken: auto, relay (TURN or Tallow's own) or direct.
        tallow_relay: Tallow's own relay and no other way.
        telemetry: whether anything is reported.
        features: used in this transfer, to be counted.
        settings: changed since the last transfer, to be counted.
    """

    relay: str = "auto"
    tallow_relay: bool = False
    telemetry: bool = True
    features: tuple[str, ...] = ()
    settings: dict[str, int] = field(default_factory=dict)
    timing: PeerTiming = field(default_factory=PeerTiming)


def record_usage(options: TransferOptions, metrics: Metrics) -> None:
    """Count what is used, and what was set since the last transfer."""
    for feature in options.features:
        metrics.record_feature_usage(feature)
    for setting, times in options.settings.items():
        for _ in range(min(times, 10)):
            metrics.record_setting_change(setting)


def outcome_of(error: BaseException | None) -> TransferOutcome:
    """How a transfer that ended with ``error`` counts."""
    if error is None:
        return "success"
    cancelled = (asyncio.CancelledError, CancelledByPeerError, NotConfirmedError)
    return "cancelled" if isinstance(error, cancelled) else "failed"


def record_failure(error: BaseException, metrics: Metrics) -> None:
    """Count what ended a transfer; to cancel is no error."""
    if outcome_of(error) == "failed":
        metrics.record_error(*error_labels(error))


async def check_remote_departure(signaling: SignalingClient, wait: float = 1.0) -> None:
    """A channel ended without a word: see whether the other side left on purpose.

    Raises:
        CancelledByPeerError, PeerError: it did.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(wait):
            await signaling.wait_for_absence()
    raise_if_departed(signaling)


def raise_if_departed(signaling: SignalingClient) -> None:
    """Raise what the other side's goodbye means, if it said one.

    Raises:
        CancelledByPeerError, PeerError: it cancelled or gave up.
    """
    if signaling.peer_outcome == "cancelled":
        raise CancelledByPeerError
    if signaling.peer_outcome == "success":
        raise PeerError(
            "the receiver left with all files, as the server says, and without confirming it", "transfer"
        )
    if signaling.peer_outcome is not None:
        raise PeerError("the other side gave up the transfer", "transfer")
