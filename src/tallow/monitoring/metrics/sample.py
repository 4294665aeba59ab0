"""The increase of one series: a validated sample that a registry adds as it is."""

from __future__ import annotations

from dataclasses import dataclass

from tallow.monitoring.catalog import Metric


@dataclass(frozen=True, slots=True)
class Sample:
    """What one series of a counter or histogram has gained.

    Attributes:
        labels: label values, in the metric's order.
        amounts: a counter's increase; or the increase of each of a histogram's buckets (not cumulative, the
            last one above all edges), followed by that of its sum.

    >>> from tallow.monitoring.catalog import METRICS
    >>> Sample(METRICS["bytes_transferred_total"], ("sent",), (512.0,)).count
    512.0
    """

    metric: Metric
    labels: tuple[str, ...]
    amounts: tuple[float, ...]

    @property
    def count(self) -> float:
        """The counter's increase, or the number of observations of the histogram."""
        return self.amounts[0] if len(self.amounts) == 1 else sum(self.amounts[:-1])

    def label(self, name: str) -> str | None:
        """The value of a label; None if the metric does not have it."""
        pairs = zip(self.metric.labels, self.labels, strict=True)
        return next((value for label, value in pairs if label.name == name), None)
