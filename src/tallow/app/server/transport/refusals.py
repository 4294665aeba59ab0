"""Count and log what the server refuses. The log is bounded: a stranger decides how often it happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tallow.monitoring.catalog import OTHER
from tallow.monitoring.http.uvicorn_records import log_refused_connection
from tallow.monitoring.integrations.http_server.limits import MALFORMED
from tallow.monitoring.logging import security_logger
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.metrics import METRICS, Metrics

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


@dataclass(frozen=True, slots=True)
class ConnectionRefusals:
    """Counts and logs the connections and requests that are refused before the application sees them.

    It is the ``on_refusal`` of :class:`tallow.monitoring.integrations.http_server.limits.ConnectionLimits`.

    Args:
        metrics: where they are counted; by default those of the process. They cannot be sent to a worker.
    """

    metrics: Metrics | None = None

    def __call__(self, limit: str) -> None:
        metrics = self.metrics or METRICS
        if limit == MALFORMED:
            metrics.record_api_error(OTHER, 400)
        else:
            metrics.record_limit_rejection(limit)
        log_refused_connection(limit)
