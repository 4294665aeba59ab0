"""Where a finished transfer is booked: one look-up for the cells of three metrics."""

from __future__ import annotations

from typing import NamedTuple

from tallow.monitoring.catalog import OTHER
from tallow.monitoring.metrics.family import fold, is_other
from tallow.monitoring.metrics.labels import SIZE_CATEGORIES
from tallow.monitoring.metrics.registry import Registry


class Cells(NamedTuple):
    """First cells of the series a (status, method) pair touches."""

    transfers: int
    durations: tuple[int, ...]
    """By size category, the smallest first."""
    speeds: int | None
    """None where the outcome has no speed: only a success has."""


class TransferSeries(dict[tuple[str, str], Cells]):
    """(status, method) to cells. Values that are not listed fold into ``other`` and are not kept."""

    def __init__(self, registry: Registry) -> None:
        super().__init__()
        self._registry = registry
        self._transfers = registry.families["transfers_total"]
        self._durations = registry.families["transfer_duration_seconds"]
        self._speeds = registry.families["transfer_speed_mbps"]
        self._allowed = [{value: value for value in label.values} for label in self._transfers.metric.labels]

    def __missing__(self, key: tuple[str, str]) -> Cells:
        return self.series_for(*key)

    def series_for(self, status: object, method: object) -> Cells:
        """The cells of any two values, hashable or not."""
        folded = fold(status, self._allowed[0]), fold(method, self._allowed[1])
        if folded[0] == OTHER and not is_other(status):
            self._registry.overflowed("transfer_duration_seconds")
            self._registry.overflowed("transfers_total")
        elif folded[1] == OTHER and not is_other(method):
            self._registry.overflowed("transfers_total")
        if folded not in self:
            self[folded] = self._of(*folded)
        return self[folded]

    def _of(self, status: str, method: str) -> Cells:
        return Cells(
            self._transfers[status, method],
            tuple(self._durations[status, category] for category in SIZE_CATEGORIES),
            self._speeds[method] if status == "success" else None,
        )
