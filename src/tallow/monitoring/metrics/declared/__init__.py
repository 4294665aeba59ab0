"""An application's own metrics, with the names and meanings of prometheus_client's methods."""

from __future__ import annotations

from tallow.monitoring.metrics.declared.counter import Counter
from tallow.monitoring.metrics.declared.gauge import Gauge
from tallow.monitoring.metrics.declared.histogram import Histogram

__all__ = ["Counter", "Gauge", "Histogram"]
