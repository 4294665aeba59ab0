"""Exposition: the registry as Prometheus text 0.0.4 or OpenMetrics 1.0.

Everything of a line up to its value is made once per series and kept, so that a scrape only formats numbers.
Lines come in pieces, so that a server can let its event loop turn between them.

Sources: Prometheus exposition formats; OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from tallow.monitoring.family import Family, Series
from tallow.monitoring.registry import Registry

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

PIECE_LINES: Final = 1000
"""Lines to a piece: about a millisecond of work."""

Exemplars = Mapping[int, tuple[str, float]]


def expose(registry: Registry, *, openmetrics: bool = False) -> bytes:
    """The whole exposition at once."""
    return b"".join(pieces(registry, openmetrics=openmetrics))


def pieces(
    registry: Registry, *, openmetrics: bool = False, foreign: Iterable[bytes] = ()
) -> Iterator[bytes]:
    """The exposition in pieces of about a thousand lines, all from one copy of the cells.

    ``foreign`` is exposition made elsewhere, to stand behind ours.
    """
    started = time.perf_counter()
    row = registry.collect()
    exemplars: Exemplars = registry.exemplars if openmetrics else {}
    lines: list[str] = []
    for family in list(registry.families.values()):
        if not family.series:
            continue
        lines.append(_head(family, openmetrics))
        histogram = bool(family.edges)
        for series in list(family.series):
            line = _histogram(family, series, row, exemplars) if histogram else _single(family, series, row)
            lines.append(line)
            if len(lines) * family.width >= PIECE_LINES:
                yield "".join(lines).encode()
                lines.clear()
    yield "".join(lines).encode()
    yield from foreign
    if openmetrics:
        yield b"# EOF\n"
    duration = registry.families.get("scrape_duration_seconds")
    if duration is not None:
        registry.set(duration, (), time.perf_counter() - started)


def _head(family: Family, openmetrics: bool) -> str:
    metric = family.metric
    name = (
        metric.full_name.removesuffix("_total")
        if openmetrics and metric.kind == "counter"
        else metric.full_name
    )
    explained = metric.help.replace("\\", r"\\").replace("\n", r"\n")
    if openmetrics:
        explained = explained.replace('"', r"\"")
    return f"# HELP {name} {explained}\n# TYPE {name} {metric.kind}\n"


def _single(family: Family, series: Series, row: list[float]) -> str:
    prefixes = series.prefixes or _prepare(family, series)
    return f"{prefixes[0]}{row[series.first]!r}\n"


def _histogram(family: Family, series: Series, row: list[float], exemplars: Exemplars) -> str:
    first = series.first
    counts = row[first : first + family.width]
    prefixes = series.prefixes or _prepare(family, series)
    if not any(counts):
        return series.zeros or ""
    total = counts.pop()
    running = list(accumulate(counts))
    values = [*running, running[-1], total]
    if not any(map(exemplars.__contains__, range(first, first + len(counts)))):
        return "".join([f"{prefix}{value!r}\n" for prefix, value in zip(prefixes, values, strict=True)])
    return "".join(
        f"{prefix}{value!r}{_exemplar(exemplars.get(first + offset)) if offset < len(counts) else ''}\n"
        for offset, (prefix, value) in enumerate(zip(prefixes, values, strict=True))
    )


def _exemplar(exemplar: tuple[str, float] | None) -> str:
    return "" if exemplar is None else f' # {{correlation_id="{exemplar[0]}"}} {float(exemplar[1])!r}'


def _prepare(family: Family, series: Series) -> list[str]:
    """Make a series' lines up to their values: buckets, count, sum; or the one sample."""
    metric = family.metric
    name = metric.full_name
    pairs = [
        f'{label}="{_escape(value)}"' for label, value in zip(metric.label_names, series.values, strict=True)
    ]
    braces = f"{{{','.join(pairs)}}}" if pairs else ""
    if metric.kind != "histogram":
        series.prefixes = [f"{name}{braces} "]
        return series.prefixes
    edges = [*(repr(float(edge)) for edge in metric.buckets), "+Inf"]
    prefixes = [
        "".join([name, "_bucket{", *(pair + "," for pair in pairs), f'le="{edge}"}} ']) for edge in edges
    ]
    prefixes += [f"{name}_count{braces} ", f"{name}_sum{braces} "]
    series.zeros = "".join(f"{prefix}0.0\n" for prefix in prefixes)
    series.prefixes = prefixes
    return prefixes


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
