"""Every metric as data: the only place where a metric's name is spelled.

From this table come the registry's series, the label guard, ``docs/metrics.md``, the linter's truth about
rules and panels, and the closed vocabulary of the client telemetry endpoint. Durations are seconds, sizes
bytes; the ``_mbps`` metrics keep their historic unit, 10^6 bits a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tallow.monitoring.catalog.features import FEATURES, WEB_APP
from tallow.monitoring.catalog.labels import API_ERROR_CODES, PII_KINDS
from tallow.monitoring.catalog.model import OTHER, PREFIX, Kind, Label, Merge, Metric, Source, canonical
from tallow.monitoring.catalog.self_monitoring import self_monitoring_metrics
from tallow.monitoring.catalog.service import ERRORS, HTTP, RUNTIME, STORAGE
from tallow.monitoring.catalog.transfers import CONNECTIONS, CRYPTO, TRANSFERS

__all__ = [
    "API_ERROR_CODES",
    "GROUPS",
    "METRICS",
    "OTHER",
    "PII_KINDS",
    "PREFIX",
    "Kind",
    "Label",
    "Merge",
    "Metric",
    "Source",
    "canonical",
]

_OBSERVED = TRANSFERS + CONNECTIONS + CRYPTO + ERRORS + HTTP + STORAGE + RUNTIME + FEATURES + WEB_APP

GROUPS: Mapping[str, tuple[Metric, ...]] = MappingProxyType(
    {
        "Transfers": TRANSFERS,
        "Connections": CONNECTIONS,
        "Crypto": CRYPTO,
        "Errors": ERRORS,
        "HTTP": HTTP,
        "Database and cache": STORAGE,
        "Runtime": RUNTIME,
        "Features": FEATURES,
        "Web app": WEB_APP,
        "The stack watching itself": self_monitoring_metrics(_OBSERVED),
    }
)
"""The contract's chapters, in its order."""

METRICS: Mapping[str, Metric] = MappingProxyType(
    {metric.name: metric for group in GROUPS.values() for metric in group}
)
"""Every metric by its name without prefix, in the contract's order."""
