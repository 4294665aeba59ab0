"""Trying again: when, how often, and how it counts."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from tallow.app.peer.errors import error_labels
from tallow.monitoring.metrics import Metrics


@dataclass(frozen=True, slots=True)
class PeerTiming:
    """How long a peer waits, in seconds.

    Attributes:
        first: before the first retry; each later one waits twice as long, up to ``most``.
        patience: for how long it is tried again without any success.
        channel: for a channel to open, once the other side is there.
        direct: for a direct connection, before the relay is taken. Longer than what HighConnectionTime calls
            slow (10 s), or a slow connection would only ever read as a failed one.
        linger: a receiver that has all stays for the sender to hear of it.
        confirmation: for a person to confirm, where the server names no limit.
    """

    first_delay: float = 0.5
    max_delay: float = 15.0
    give_up_after: float = 600.0
    channel_timeout: float = 20.0
    direct_timeout: float = 15.0
    linger: float = 30.0
    confirmation_timeout: float = 300.0


class RetrySchedule:
    """One thing that is tried until it works.

    Args:
        operation: what is tried, as ``retry_attempts_total`` has it.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        operation: str,
        metrics: Metrics,
        timing: PeerTiming,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.operation = operation
        self._metrics = metrics
        self._timing = timing
        self._clock = clock
        self._since: float | None = None
        self._tries = 0
        self._open: list[str] = []

    def record_failure(self, error: BaseException) -> float | None:
        """A try failed: seconds to wait before the next one, or None when patience is at its end."""
        kind, severity = error_labels(error)
        self._metrics.record_error(kind, severity)
        self._open.append(kind)
        if self._tries:
            self._metrics.record_retry(self.operation, "failed")
        now = self._clock()
        self._since = now if self._since is None else self._since
        if now - self._since >= self._timing.give_up_after:
            return None
        wait = min(self._timing.max_delay, self._timing.first_delay * 2.0 ** min(self._tries, 30))
        self._tries += 1
        # Two sides that lost each other at one moment must not try again at one moment for ever.
        return wait * random.uniform(0.5, 1.0)  # noqa: S311 - no secret

    def restart_clock(self) -> None:
        """The other side was away: patience is for tries that fail, not for waiting."""
        self._since = None

    def record_success(self) -> None:
        """It works: what went wrong before is made good."""
        if self._tries:
            self._metrics.record_retry(self.operation, "success")
            for kind in dict.fromkeys(self._open):
                self._metrics.record_recovery(kind)
        self._tries, self._since = 0, None
        self._open.clear()
