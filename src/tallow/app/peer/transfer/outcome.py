"""The outcome of a transfer, and what it is counted as."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tallow.app.crypto.errors import CancelledByPeerError, StoppedByPeerError
from tallow.app.peer.connection.signaling import SignalingClient
from tallow.app.peer.errors import NotConfirmedError, ServerReportError, error_labels, is_transient
from tallow.app.peer.options import TransferOptions
from tallow.app.wire import TransferOutcome
from tallow.monitoring.errors import report_error
from tallow.monitoring.logging import transfer_logger
from tallow.monitoring.metrics import Metrics

MAX_COUNTED_CHANGES = 10
"""Changes of one setting that are counted with one transfer."""


def record_usage(options: TransferOptions, metrics: Metrics) -> None:
    """Count the features that a transfer uses, and settings changed since the last transfer."""
    for feature in options.features:
        metrics.record_feature_usage(feature)
    for setting, changes in options.settings.items():
        for _ in range(min(changes, MAX_COUNTED_CHANGES)):
            metrics.record_setting_change(setting)


def outcome_of(error: BaseException | None) -> TransferOutcome:
    """The outcome of a transfer that ended with ``error``.

    >>> outcome_of(None), outcome_of(OSError()), outcome_of(asyncio.CancelledError())
    ('success', 'failed', 'cancelled')
    """
    if error is None:
        return "success"
    cancelled = (asyncio.CancelledError, CancelledByPeerError, NotConfirmedError)
    return "cancelled" if isinstance(error, cancelled) else "failed"


def has_outcome(error: BaseException | None, *, resumable: bool) -> bool:
    """Whether a transfer that ends now has an outcome.

    After a lost connection it has none: this side may come back soon.
    """
    return error is None or not (resumable and is_transient(error))


def record_failure(error: BaseException, metrics: Metrics) -> None:
    """Count the error that ended a transfer. A cancelled transfer counts no error."""
    if outcome_of(error) == "failed":
        kind, severity = error_labels(error)
        report_error(
            kind,
            severity,
            "Transfer failed",
            log=transfer_logger,
            metrics=metrics,
            error_class=type(error).__name__,
        )


async def check_remote_departure(signaling: SignalingClient, wait: float = 1.0) -> None:
    """After a channel was closed: check whether the other side left the room on purpose.

    Args:
        wait: seconds that the server's message may take.

    Raises:
        CancelledByPeerError, PeerError: it did.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(wait):
            await signaling.wait_for_absence()
    raise_if_departed(signaling)


def raise_if_departed(signaling: SignalingClient) -> None:
    """Raise an error if the other side has left the room with an outcome.

    Raises:
        CancelledByPeerError, ServerReportError: it cancelled or gave up, as the server reports.
    """
    outcome = signaling.peer.outcome
    if outcome == "cancelled" and signaling.peer.resumable:
        text = "the server reports that the other side stopped the transfer; it can be resumed"
        raise StoppedByPeerError(text, authenticated=False)
    if outcome == "cancelled":
        text = "the server reports that the other side cancelled the transfer"
        raise CancelledByPeerError(text, authenticated=False)
    if outcome == "success":
        raise ServerReportError("the receiver left with all files; it did not confirm them")
    if outcome is not None:
        raise ServerReportError("the other side gave up the transfer")
