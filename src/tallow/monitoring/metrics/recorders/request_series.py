"""The series that an HTTP request changes: one look-up for four metrics."""

from __future__ import annotations

from typing import Final, NamedTuple

from tallow.monitoring.catalog import OTHER
from tallow.monitoring.metrics import labels
from tallow.monitoring.metrics.family import Family
from tallow.monitoring.metrics.registry import Registry

MAX_KEPT: Final = 10_000
"""Combinations of method, route and status code that are kept; further ones are looked up each time."""


class RequestCells(NamedTuple):
    """The cells of the series of one method, route and status code; of each histogram, first cell and sum."""

    duration_edges: tuple[float, ...]
    durations: int
    duration_sum: int
    received_edges: tuple[float, ...]
    received: int
    received_sum: int
    sent_edges: tuple[float, ...]
    sent: int
    sent_sum: int
    errors: int | None
    """None if the status is no error."""


class RequestSeries(dict[tuple[str, str, int], RequestCells]):
    """Maps (method, route, status code) to cells. Unknown values become ``other`` and are not kept.

    Args:
        registry: has the metrics of HTTP requests.
    """

    def __init__(self, registry: Registry) -> None:
        super().__init__()
        self._registry = registry

    def __missing__(self, key: tuple[str, str, int]) -> RequestCells:
        return self.series_for(*key)

    def series_for(self, method: str, route: str, status_code: int) -> RequestCells:
        """Return the cells of any three values, hashable or not; each unknown value is counted."""
        families = self._registry.families
        durations = families["http_request_duration_seconds"]
        received, sent = families["http_request_size_bytes"], families["http_response_size_bytes"]
        errors = families["api_errors_total"]
        status, error = labels.status(status_code)
        if status == OTHER:
            self._registry.count_overflow(durations.key)
        cells = RequestCells(
            *_cells(durations, (method, route, status)),
            *_cells(received, (method, route)),
            *_cells(sent, (method, route)),
            None if error is None else errors.series_for((route, error)),
        )
        known = _has(received, (method, route)) and (error is None or _has(errors, (route, error)))
        if known and status != OTHER and len(self) < MAX_KEPT:
            self[method, route, status_code] = cells
        return cells


def _cells(family: Family, key: tuple[str, ...]) -> tuple[tuple[float, ...], int, int]:
    first = family.series_for(key)
    return family.edges, first, first + family.sum_at


def _has(family: Family, key: tuple[str, ...]) -> bool:
    """Whether a series has these values, and not ``other`` in place of one."""
    try:
        return key in family
    except Exception:  # noqa: BLE001 - a value's own __hash__ or __eq__ may raise anything
        return False
