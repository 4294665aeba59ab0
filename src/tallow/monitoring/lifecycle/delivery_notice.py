"""Log that telemetry does not arrive at its receiver, so that the counter of dropped items has a cause."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

_LOGGER: Final = logging.getLogger(__name__)
REPEAT_S: Final = 600.0
"""While deliveries fail, the warning is repeated after this time: whoever is notified later finds it, too."""


class DeliveryNotice:
    """Warns of failed deliveries: at the first one, and again every :data:`REPEAT_S` seconds while they last.

    It is called by the thread that delivers, never by a caller of the library: logging from within the queue
    of log lines could wait for itself.

    Args:
        what: the items, as the warning names them.
        clock: monotonic time in seconds.

    Example:
        >>> notice = DeliveryNotice("log lines")
        >>> notice.failed("ConnectError")  # logs "log lines do not reach their receiver (ConnectError)"
        >>> notice.delivered()  # logs "log lines reach their receiver again"
    """

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._warned_at: float | None = None
        self._has_warned = False  # since the last success

    def failed(self, cause: str) -> None:
        """A delivery has failed.

        Args:
            cause: a status or the type of an error. An error's text may be private.
        """
        now = self._clock()
        if self._warned_at is None or now - self._warned_at >= REPEAT_S:
            self._warned_at = now
            self._has_warned = True
            _LOGGER.warning("%s do not reach their receiver (%s)", self._what, cause)

    def delivered(self) -> None:
        """A delivery has succeeded. It is logged after a warning."""
        if self._has_warned:
            self._has_warned = False
            _LOGGER.info("%s reach their receiver again", self._what)
