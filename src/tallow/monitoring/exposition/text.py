"""Expose a registry as Prometheus text 0.0.4 or OpenMetrics 1.0.

Labels and bucket edges are formatted once and kept; a scrape only joins them and formats numbers. The output
comes in pieces, so that a server can run other tasks between them.

Sources: Prometheus exposition formats; OpenMetrics 1.0
(https://prometheus.io/docs/specs/om/open_metrics_spec).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from tallow.monitoring.metrics.family import Family, Series
from tallow.monitoring.metrics.registry import Exemplar, Registry

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
TEXT_1_0_0: Final = "text/plain; version=1.0.0; charset=utf-8"
"""The text format with quoted names; the response adds the ``escaping``."""
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

PIECE_LINES: Final = 1000
"""Lines of a piece: about a millisecond of work."""

Exemplars = Mapping[int, Exemplar]


def expose(registry: Registry, *, openmetrics: bool = False) -> bytes:
    """Return the whole exposition.

    Args:
        registry: what is exposed.
        openmetrics: whether to expose OpenMetrics instead of text.

    Example:
        >>> text = expose(metrics.registry).decode()
        >>> "app_log_records_total" in text
        True
    """
    return b"".join(pieces(registry, openmetrics=openmetrics))


def pieces(
    registry: Registry,
    *,
    openmetrics: bool = False,
    cells: list[float] | None = None,
    started: float | None = None,
    foreign: Iterable[bytes] = (),
) -> Iterator[bytes]:
    """Yield the exposition in pieces of about a thousand lines, all from one copy of the cells.

    From then on the namespace of the registry is fixed.

    Args:
        registry: what is exposed.
        openmetrics: whether to expose OpenMetrics instead of text.
        cells: the copy, if :meth:`Registry.collect` has already returned it.
        started: when that call began, by ``time.perf_counter()``.
        foreign: exposition of other metrics, to be appended.
    """
    started = time.perf_counter() if started is None else started
    registry.fix_namespace()
    row = registry.collect() if cells is None else cells
    yield from _own_pieces(registry, row, openmetrics)
    yield from foreign
    if openmetrics:
        yield b"# EOF\n"
    duration = registry.families.get("scrape_duration_seconds")
    if duration is not None:
        registry.set(duration, (), time.perf_counter() - started)


def _own_pieces(registry: Registry, row: list[float], openmetrics: bool) -> Iterator[bytes]:
    exemplars: Exemplars = registry.exemplars if openmetrics else {}
    lines: list[str] = []
    for family in list(registry.families.values()):
        # A series created after the cells were copied is in the next exposition.
        copied = [series for series in family.exposed() if series.first < len(row)]
        if copied:
            lines.append(_head(family, openmetrics))
        for series in copied:
            lines.append(_lines(family, series, row, exemplars))
            if len(lines) * family.width >= PIECE_LINES:
                yield "".join(lines).encode()
                lines.clear()
    yield "".join(lines).encode()


def _lines(family: Family, series: Series, row: list[float], exemplars: Exemplars) -> str:
    return _histogram(family, series, row, exemplars) if family.edges else _single(family, series, row)


def _head(family: Family, openmetrics: bool) -> str:
    metric = family.metric
    name = family.name.removesuffix("_total") if openmetrics and metric.kind == "counter" else family.name
    help_text = metric.help.replace("\\", r"\\").replace("\n", r"\n")
    if openmetrics:
        help_text = help_text.replace('"', r"\"")
    return f"# HELP {name} {help_text}\n# TYPE {name} {metric.kind}\n"


def _single(family: Family, series: Series, row: list[float]) -> str:
    return f"{family.name}{_braces(series)} {row[series.first]!r}\n"


def _histogram(family: Family, series: Series, row: list[float], exemplars: Exemplars) -> str:
    first, name = series.first, family.name
    *counts, total = row[first : first + family.width]
    running = list(accumulate(counts))
    head = f"{name}_bucket{{{series.labels}," if series.labels else f"{name}_bucket{{"
    if any(map(exemplars.__contains__, range(first, first + len(counts)))):
        notes = [_exemplar(exemplars.get(cell)) for cell in range(first, first + len(counts))]
        lines = [
            f"{head}{tail}{count!r}{note}\n"
            for tail, count, note in zip(family.edge_tails, running, notes, strict=True)
        ]
    else:
        lines = [f"{head}{tail}{count!r}\n" for tail, count in zip(family.edge_tails, running, strict=True)]
    braces = _braces(series)
    lines.append(f"{name}_count{braces} {running[-1]!r}\n{name}_sum{braces} {total!r}\n")
    return "".join(lines)


def _braces(series: Series) -> str:
    return f"{{{series.labels}}}" if series.labels else ""


def _exemplar(exemplar: Exemplar | None) -> str:
    if exemplar is None:
        return ""
    identifier, value, timestamp = exemplar
    trace_id, _, span_id = identifier.partition("-")
    labels = f'correlation_id="{trace_id}"'
    if span_id:
        labels += f',trace_id="{trace_id}",span_id="{span_id}"'
    return f" # {{{labels}}} {float(value)!r} {timestamp:.3f}"
