"""The series that a finished transfer changes: one look-up for three metrics."""

from __future__ import annotations

from typing import NamedTuple

from tallow.monitoring.catalog import OTHER
from tallow.monitoring.metrics.family import Family, fold, is_other
from tallow.monitoring.metrics.labels import SIZE_CATEGORIES
from tallow.monitoring.metrics.registry import Registry

HistogramCells = tuple[int, int]
"""The first cell of a histogram's series, and the cell of its sum."""


class TransferCells(NamedTuple):
    """The cells of the series of one status and method."""

    transfers: int
    durations: tuple[HistogramCells, ...]
    """One for each size category, the smallest first."""
    duration_edges: tuple[float, ...]
    speeds: HistogramCells | None
    """None unless the transfer succeeded: other outcomes have no speed."""
    speed_edges: tuple[float, ...]


def histogram_cells(family: Family, first: int) -> HistogramCells:
    """Return the cells of the series that begins with the cell ``first``."""
    return first, first + family.sum_at


class TransferSeries(dict[tuple[str, str], TransferCells]):
    """Maps (status, method) to cells. Unknown values become ``other`` and are not kept."""

    def __init__(self, registry: Registry) -> None:
        super().__init__()
        self._registry = registry

    def __missing__(self, key: tuple[str, str]) -> TransferCells:
        return self.series_for(*key)

    def series_for(self, status: object, method: object) -> TransferCells:
        """Return the cells of any two values, hashable or not."""
        transfers = self._registry.families["transfers_total"].metric
        statuses, methods = ({value: value for value in label.values} for label in transfers.labels)
        folded = fold(status, statuses), fold(method, methods)
        if folded[0] == OTHER and not is_other(status):
            self._registry.count_overflow("transfer_duration_seconds")
            self._registry.count_overflow("transfers_total")
        elif folded[1] == OTHER and not is_other(method):
            self._registry.count_overflow("transfers_total")
        if folded not in self:
            self[folded] = self._cells(*folded)
        return self[folded]

    def _cells(self, status: str, method: str) -> TransferCells:
        families = self._registry.families
        durations, speeds = families["transfer_duration_seconds"], families["transfer_speed_mbps"]
        return TransferCells(
            families["transfers_total"][status, method],
            tuple(histogram_cells(durations, durations[status, category]) for category in SIZE_CATEGORIES),
            durations.edges,
            histogram_cells(speeds, speeds[method]) if status == "success" else None,
            speeds.edges,
        )
