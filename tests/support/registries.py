"""A registry as Tallow's own server has it."""

from __future__ import annotations

from tallow.monitoring.catalog import CATALOGS, HTTP_METHODS, NAMESPACE, OTHER
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.metrics.storage import Storage


def tallow_registry(storage: Storage | None = None) -> Registry:
    """Return a registry with Tallow's namespace and all catalogues."""
    return Registry(storage=storage, namespace=NAMESPACE, catalogs=CATALOGS)


def tallow_metrics(storage: Storage | None = None) -> Metrics:
    """Return metrics as Tallow's server prepares them."""
    metrics = Metrics(tallow_registry(storage))
    metrics.register_route(OTHER, HTTP_METHODS)
    return metrics
