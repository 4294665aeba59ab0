"""Failed logins of the viewer: all are counted, and a limited number is logged."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Literal

from tallow.monitoring.logging import Logger, security_logger
from tallow.monitoring.metrics.registry import Registry
from tallow.stack.viewer.metrics import LOGIN_FAILURES

Reason = Literal["wrong_password", "rate_limited", "malformed", "untrusted_origin"]

LOG_PERIOD_S: Final = 60.0
MAX_RECORDS_PER_PERIOD: Final = 20
"""A limit, so that attempts cannot fill the disk; the counter includes all of them."""


class LoginFailures:
    """Counts and logs failed login attempts.

    A record contains only the reason: no input, address or header, since a mistyped password is close to the
    password.

    Args:
        registry: contains :data:`tallow.stack.viewer.metrics.LOGIN_FAILURES`.
        logger: the logger of the records.
        clock: monotonic time in seconds.
    """

    def __init__(
        self,
        registry: Registry,
        logger: Logger = security_logger,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._counter = registry.families[LOGIN_FAILURES.name]
        self._logger = logger
        self._clock = clock
        self._period_ends = 0.0
        self._logged = 0
        self._unlogged = 0

    def record(self, reason: Reason) -> None:
        """Count one attempt, and log it unless :data:`MAX_RECORDS_PER_PERIOD` were logged in this period.

        The first record of a later period has the number of omitted ones in ``unlogged``.
        """
        self._registry.add(self._counter, (reason,))
        now = self._clock()
        if now >= self._period_ends:
            self._period_ends = now + LOG_PERIOD_S
            self._logged = 0
        if self._logged >= MAX_RECORDS_PER_PERIOD:
            self._unlogged += 1
            return
        self._logged += 1
        omitted = {"unlogged": self._unlogged} if self._unlogged else {}
        self._unlogged = 0
        self._logger.warning("Viewer login failed", reason=reason, **omitted)
