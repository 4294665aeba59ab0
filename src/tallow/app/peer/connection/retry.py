"""Retries: delays between them, and how they are counted."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from tallow.app.peer.errors import error_labels
from tallow.app.peer.options import PeerTiming
from tallow.monitoring.errors import report_error
from tallow.monitoring.logging import connection_logger
from tallow.monitoring.metrics import Metrics


class RetrySchedule:
    """The retries of one operation.

    Args:
        operation: label of ``retry_attempts_total``.
        clock: monotonic time in seconds.
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
        self._failing_since: float | None = None
        self._failures = 0
        self._unrecovered: list[str] = []

    def record_failure(self, error: BaseException) -> float | None:
        """Count a failed attempt.

        Returns:
            Seconds to wait before the next attempt; None if the operation has failed for too long.
        """
        kind, severity = error_labels(error)
        report_error(
            kind,
            severity,
            "An attempt failed",
            log=connection_logger,
            metrics=self._metrics,
            operation=self.operation,
            error_class=type(error).__name__,
        )
        self._unrecovered.append(kind)
        if self._failures:
            self._metrics.record_retry(self.operation, "failed")
        now = self._clock()
        self._failing_since = now if self._failing_since is None else self._failing_since
        if now - self._failing_since >= self._timing.give_up_after:
            return None
        delay = min(self._timing.max_delay, self._timing.first_delay * 2.0 ** min(self._failures, 30))
        self._failures += 1
        # Jitter: both sides lose each other at the same moment and must not retry in step.
        return delay * random.uniform(0.5, 1.0)  # noqa: S311 - no secret

    def restart_clock(self) -> None:
        """Do not count the time until now: this side waited for the other one, nothing failed."""
        self._failing_since = None

    def record_success(self) -> None:
        """The operation works again: count the recovery from earlier errors."""
        if self._failures:
            self._metrics.record_retry(self.operation, "success")
            for kind in dict.fromkeys(self._unrecovered):
                self._metrics.record_recovery(kind)
        self._failures, self._failing_since = 0, None
        self._unrecovered.clear()
