"""Metrics with a new registry, and their samples as Prometheus reads them."""

from __future__ import annotations

from tallow.monitoring.exposition.text import expose
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry


def fresh_metrics() -> Metrics:
    """Return metrics with a new registry, for ``instrument(app, metrics=…)``.

    Example::

        >>> fresh_metrics().record_error("network", "low")
    """
    return Metrics(Registry())


def samples(metrics: Metrics, name: str = "") -> dict[str, float]:
    """Return the samples of an exposition.

    Args:
        metrics: read through their registry.
        name: only samples whose name begins with it, with or without the namespace.

    Returns:
        The value of each series, by the series as in the text format.

    Example::

        >>> metrics = fresh_metrics()
        >>> metrics.record_error("network", "low")
        >>> samples(metrics, "errors_total")['app_errors_total{type="network",severity="low"}']
        1.0
    """
    lines = expose(metrics.registry).decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    wanted = (name, f"{metrics.registry.namespace}_{name}")
    return {series: float(value) for series, _, value in pairs if series.startswith(wanted)}
