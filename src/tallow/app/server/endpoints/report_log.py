"""Log what an accepted telemetry report says about errors.

A record has the report's labels, which are values of the catalogue, and the room's correlation id. It never
has any text of a peer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from tallow.app.wire import Role
from tallow.monitoring.errors import LEVELS
from tallow.monitoring.logging import Logger, connection_logger, crypto_logger, transfer_logger
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.metrics.sample import Sample

_ERRORS: Final = "errors_total"
_FAILURES: Final[Mapping[str, tuple[Logger, str]]] = {
    "webrtc_connections_total": (connection_logger, "Peer reported a failed connection"),
    "direct_connections_total": (connection_logger, "Peer reported a failed connection"),
    "nat_traversal_total": (connection_logger, "Peer reported a failed NAT traversal"),
    "pqc_operations_total": (crypto_logger, "Peer reported a failed key operation"),
    "pqc_key_exchanges_total": (crypto_logger, "Peer reported a failed key exchange"),
    "encryption_operations_total": (crypto_logger, "Peer reported a failed encryption operation"),
}
"""Metrics with a label ``status`` whose failures are logged."""


def log_report(role: Role, samples: Iterable[Sample]) -> None:
    """Log the errors and failures of a report under the correlation id that is bound."""
    for sample in samples:
        labels = _labels(sample)
        if sample.metric.name == _ERRORS:
            _log_error(role, labels["type"], labels["severity"])
        elif labels.get("status") == "failed" and sample.metric.name in _FAILURES:
            log, message = _FAILURES[sample.metric.name]
            REPEATS.log(log, "warning", message, role=role, **labels)


def error_type_of(samples: Iterable[Sample]) -> str | None:
    """The type of the last error in a report, which is the one that ended the transfer."""
    found = [_labels(sample)["type"] for sample in samples if sample.metric.name == _ERRORS]
    return found[-1] if found else None


def _labels(sample: Sample) -> dict[str, str]:
    return dict(zip(sample.metric.label_names, sample.labels, strict=True))


def _log_error(role: Role, kind: str, severity: str) -> None:
    REPEATS.log(
        transfer_logger,
        LEVELS.get(severity, "error"),
        "Peer reported an error",
        role=role,
        error_type=kind,
        severity=severity,
    )
