"""Metrics of a test's own, and samples read as Prometheus would read them."""

from __future__ import annotations

from tallow.monitoring.exposition.text import expose
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry


def fresh_metrics() -> Metrics:
    """Metrics over a registry of their own, every series at its start: for ``instrument(app, metrics=…)``."""
    return Metrics(Registry())


def samples(metrics: Metrics, name: str = "") -> dict[str, float]:
    """What a scrape would read: ``tallow_transfers_total{status="success",method="p2p"}`` to its value.

    Args:
        name: only of metrics whose name begins so, with or without the prefix.
    """
    lines = expose(metrics.registry).decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    wanted = (name, f"tallow_{name}")
    return {series: float(value) for series, _, value in pairs if series.startswith(wanted)}
