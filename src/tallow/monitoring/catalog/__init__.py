"""Definitions of all metrics as data.

The registry's series, the label guard, ``docs/metrics.md``, the linter's knowledge of rules and panels, and
the values that the telemetry endpoint accepts are derived from them. Durations are in seconds, sizes in
bytes; metrics that end in ``_mbps`` are in 10^6 bits a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tallow.monitoring.catalog.features import FEATURES, WEB_APP
from tallow.monitoring.catalog.label_values import API_ERROR_CODES, HTTP_METHODS, PII_KINDS
from tallow.monitoring.catalog.model import (
    NAMESPACE,
    OTHER,
    PREFIX,
    Kind,
    Label,
    Merge,
    Metric,
    Source,
    canonical,
)
from tallow.monitoring.catalog.self_monitoring import self_monitoring_metrics
from tallow.monitoring.catalog.service import ERRORS, HTTP, RUNTIME, STORAGE
from tallow.monitoring.catalog.transfers import CONNECTIONS, CRYPTO, TRANSFERS

__all__ = [
    "API_ERROR_CODES",
    "CATALOGS",
    "CATALOG_OF",
    "CORE",
    "GROUPS",
    "HTTP_METHODS",
    "METRICS",
    "NAMESPACE",
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
"""Maps each chapter of the documentation to its metrics.

Example:
    >>> GROUPS["Crypto"][0].name
    'pqc_operations_total'
"""

METRICS: Mapping[str, Metric] = MappingProxyType(
    {metric.name: metric for group in GROUPS.values() for metric in group}
)
"""Maps each metric's name without prefix to its definition.

Example:
    >>> METRICS["transfers_total"].label_names
    ('status', 'method')
"""

_SERVER_OF_PEERS = (
    "bandwidth_utilization_mbps",
    "client_reports_total",
    "client_outcomes_total",
    "limit_rejections_total",
)
"""Metrics of a server that relays transfers, receives its peers' reports and limits what they may do."""

CATALOGS: Mapping[str, tuple[Metric, ...]] = MappingProxyType(
    {
        "transfers": (*TRANSFERS, *(METRICS[name] for name in _SERVER_OF_PEERS)),
        "connections": CONNECTIONS,
        "crypto": CRYPTO,
        "features": FEATURES,
        "web_app": WEB_APP,
        "storage": STORAGE,
    }
)
"""Metrics that an application asks for, as in ``instrument(app, catalogs=["storage"])``, by catalogue.

Example:
    >>> sorted(CATALOGS)
    ['connections', 'crypto', 'features', 'storage', 'transfers', 'web_app']
"""

CATALOG_OF: Mapping[str, str] = MappingProxyType(
    {metric.name: catalog for catalog, metrics in CATALOGS.items() for metric in metrics}
)
"""Maps the name of each metric of :data:`CATALOGS` to its catalogue.

Example:
    >>> CATALOG_OF["cache_hits_total"]
    'storage'
"""

CORE: tuple[Metric, ...] = tuple(metric for metric in METRICS.values() if metric.name not in CATALOG_OF)
"""Metrics of every instrumented application: HTTP, errors, the runtime, the process and the library itself.

Example:
    >>> METRICS["errors_total"] in CORE
    True
"""
