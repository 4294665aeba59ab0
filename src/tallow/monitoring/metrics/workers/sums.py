"""How the samples of other workers are combined with those of the worker that is scraped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import add
from typing import Final

from tallow.monitoring.catalog import Metric
from tallow.monitoring.metrics.family import Family
from tallow.monitoring.metrics.storage import Sums

Combine = Callable[[float, float], float]
"""Combines a cell of two workers."""


def placed_cells(
    families: Mapping[str, Family], sums: Sums, alive: bool
) -> Iterator[tuple[Combine, int, list[float]]]:
    """Yield how another worker's cells are combined with ours, the first of ours, and the cells.

    Gauges of a worker that exited are left out; its counters and histograms remain.

    Args:
        families: of this worker; metrics that it does not have are left out.
        sums: of the other worker.
        alive: whether that worker runs.
    """
    for name, series in sums.items():
        family = families.get(name)
        if family is None or not _is_combined(family.metric, alive):
            continue
        combine = _COMBINE.get(family.metric.merge, add)
        for values, cells in series.items():
            # Another version of the program may have declared the metric differently.
            if len(cells) == family.width and len(values) == len(family.metric.labels):
                yield combine, family.merge_series(values), cells


def _is_combined(metric: Metric, alive: bool) -> bool:
    """Whether another worker's samples are added to ours."""
    return metric.merge != "local" and (alive or metric.kind != "gauge")


def _smaller_known(one: float, other: float) -> float:
    """Return the smaller of two times; 0 means that a worker has not set its gauge yet."""
    return min(one, other) if one and other else one or other


_COMBINE: Final[dict[str, Combine]] = {"min": _smaller_known, "max": max}
"""How a gauge of two workers is combined, if not by addition."""
