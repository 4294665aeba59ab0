"""Log what the server refuses. The volume is bounded, as a stranger decides how often it happens."""

from __future__ import annotations

from typing import Final

from tallow.monitoring.logging import security_logger
from tallow.monitoring.logging.repeats import REPEATS

REFUSED_STATUSES: Final = frozenset({401, 403, 413, 429})
"""Statuses of a response that refuses a client: no valid token, another site, too much or too often."""


def log_refusal(message: str, *, endpoint: str, reason: str) -> None:
    """Log a refusal.

    Args:
        message: ``Socket refused`` or ``Request refused``.
        endpoint: the route's path; it must be a constant.
        reason: one of the codes of docs/protocol.md, or of an API error.
    """
    REPEATS.log(security_logger, "warning", message, endpoint=endpoint, reason=reason)
