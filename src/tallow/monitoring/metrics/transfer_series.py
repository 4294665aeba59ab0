"""The series that a finished transfer changes: one look-up for three metrics."""

from __future__ import annotations

from typing import NamedTuple

from tallow.monitoring.catalog import OTHER
from tallow.monitoring.metrics.family import fold, is_other
from tallow.monitoring.metrics.labels import SIZE_CATEGORIES
from tallow.monitoring.metrics.registry import Registry


class TransferCells(NamedTuple):
    """The first cells of the series of one status and method."""

    transfers: int
    durations: tuple[int, ...]
    """One for each size category, the smallest first."""
    speeds: int | None
    """None unless the transfer succeeded: other outcomes have no speed."""


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
        durations = families["transfer_duration_seconds"]
        return TransferCells(
            families["transfers_total"][status, method],
            tuple(durations[status, category] for category in SIZE_CATEGORIES),
            families["transfer_speed_mbps"][method] if status == "success" else None,
        )
