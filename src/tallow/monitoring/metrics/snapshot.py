"""Totals of counters and histograms as plain data, such as a telemetry report."""

from __future__ import annotations

from typing import Any

from tallow.monitoring.metrics.family import Family

Snapshot = dict[str, list[dict[str, Any]]]
"""Rows by metric: ``{labels, value}``, and ``{labels, buckets, sum}`` for a histogram.

``buckets`` are the counts of each bucket alone, the last one above all edges.
"""


def series_rows(family: Family, cells: list[float]) -> list[dict[str, Any]]:
    """Return the rows of the series that are not 0.

    Args:
        family: the metric.
        cells: of the registry, as ``collect()`` returns them.
    """
    rows: list[dict[str, Any]] = []
    for values, first in list(family.children()):
        own = cells[first : first + family.width]
        if not any(own):
            continue
        row: dict[str, Any] = {"labels": dict(zip(family.metric.label_names, values, strict=True))}
        if family.metric.kind == "histogram":
            row |= {"buckets": [int(count) for count in own[:-1]], "sum": own[-1]}
        else:
            row["value"] = own[0]
        rows.append(row)
    return rows
