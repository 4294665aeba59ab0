"""Where a finished transfer is booked: one look-up for the cells of three metrics."""

from __future__ import annotations

from typing import NamedTuple

from tallow.monitoring.catalog import OTHER
from tallow.monitoring.derive import SIZE_CATEGORIES
from tallow.monitoring.registry import Registry


class Cells(NamedTuple):
    """First cells of the series a (status, method) pair touches."""

    transfers: int
    durations: tuple[int, ...]
    """By size category, the smallest first."""
    speeds: int | None
    """None where the outcome has no speed: only a success has."""


class Outcomes(dict[tuple[str, str], Cells]):
    """(status, method) to cells. Values that are not listed fold into ``other`` and are not kept."""

    def __init__(self, registry: Registry) -> None:
        super().__init__()
        self._registry = registry
        self._transfers = registry.families["transfers_total"]
        self._durations = registry.families["transfer_duration_seconds"]
        self._speeds = registry.families["transfer_speed_mbps"]
        self._allowed = [(*label.values, OTHER) for label in self._transfers.metric.labels]

    def __missing__(self, key: tuple[str, str]) -> Cells:
        status, method = (
            value if value in allowed else OTHER for value, allowed in zip(key, self._allowed, strict=True)
        )
        if status != key[0]:
            self._registry.overflowed("transfer_duration_seconds")
        if (status, method) != key:
            self._registry.overflowed("transfers_total")
            return self[status, method]
        cells = Cells(
            self._transfers[key],
            tuple(self._durations[status, category] for category in SIZE_CATEGORIES),
            self._speeds[method] if status == "success" else None,
        )
        self[key] = cells
        return cells
