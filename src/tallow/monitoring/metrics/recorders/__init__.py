"""``Metrics``: one method for each event of the catalogue, over one registry."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from tallow.monitoring.lifecycle import fork
from tallow.monitoring.lifecycle.losses import LOSSES
from tallow.monitoring.metrics.default import process_registry
from tallow.monitoring.metrics.recorders.connections import ConnectionRecorder, CryptoRecorder
from tallow.monitoring.metrics.recorders.features import FeatureRecorder
from tallow.monitoring.metrics.recorders.http import HttpRecorder
from tallow.monitoring.metrics.recorders.service import RuntimeRecorder, ServiceRecorder
from tallow.monitoring.metrics.recorders.telemetry import TelemetryRecorder
from tallow.monitoring.metrics.recorders.transfers import TransferRecorder
from tallow.monitoring.metrics.runtime import RuntimeMonitor

__all__ = ["Metrics", "ProcessMetrics"]


class Metrics(
    TransferRecorder,
    ConnectionRecorder,
    CryptoRecorder,
    ServiceRecorder,
    HttpRecorder,
    RuntimeRecorder,
    FeatureRecorder,
    TelemetryRecorder,
):
    """Records to one registry: for an application, a peer or a test with metrics of its own.

    No method raises or does I/O. Values outside the catalogue are recorded as ``other``, impossible numbers
    (negative, not finite, not a number) are left out; both are counted in ``label_overflow_total``.

    Args:
        registry: holds the series.

    Example:
        >>> from tallow.monitoring.metrics import Registry
        >>> own = Metrics(Registry())
        >>> own.record_error("network", "low")
        >>> own.value("errors_total", type="network", severity="low")
        1.0
        >>> own.close()
    """

    def value(self, name: str, **labels: str) -> float:
        """Read one sample; other workers' values are included.

        Args:
            name: the metric's name without prefix; of a histogram, with ``_count`` or ``_sum``.
            labels: the value of each label.

        Returns:
            The sample's value, in the unit that the name ends in.

        Raises:
            KeyError: there is no such metric or series.

        Example:
            >>> metrics.record_log("info")
            >>> metrics.value("log_records_total", level="info")
            1.0
        """
        return self.registry.value(name, **labels)

    @cached_property
    def runtime(self) -> RuntimeMonitor:
        """Measures the process while instrumented applications run."""
        return RuntimeMonitor(self.registry)

    def close(self) -> None:
        """Stop all measurement for this object and release its files. Closing twice is allowed.

        Example:
            >>> from tallow.monitoring.metrics import Registry
        >>> own = Metrics(Registry())
            >>> own.close()
        """
        self.runtime.close()
        self.registry.close()


class ProcessMetrics(Metrics):
    """The process's own metrics, whose registry is created with the first use and not at import.

    Example:
        >>> own = ProcessMetrics()
        >>> own.record_log("info")
        >>> type(own) is Metrics
        True
    """

    def __init__(self) -> None:
        """Create nothing yet."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # a look-up by copy, pickle or inspect is not a use
            raise AttributeError(name)
        with fork.lock:
            if type(self) is ProcessMetrics:
                Metrics.__init__(self, process_registry())
                self.losses = LOSSES
                # With __getattr__ in its class, each attribute access would be several times slower.
                self.__class__ = Metrics  # type: ignore[assignment]
        return getattr(self, name)
