"""The registry's series as metrics of OpenTelemetry's data model.

Counters are monotonic cumulative sums, histograms have the catalogue's edges, and all series begin with the
process. Only the cells of this process are read: each worker sends its own.

Source: OpenTelemetry metrics data model; its section on compatibility with Prometheus.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import psutil
from opentelemetry.sdk.metrics._internal.exemplar import Exemplar as OtelExemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from tallow import __version__
from tallow.monitoring.metrics.family import Family, Series
from tallow.monitoring.metrics.registry import Exemplar, Registry

SCOPE: Final = "tallow.monitoring"
_UNITS: Final = (("_seconds", "s"), ("_bytes", "By"), ("_ratio", "1"))
_CUMULATIVE: Final = AggregationTemporality.CUMULATIVE
_NANOSECONDS: Final = 1_000_000_000


class MetricSource:
    """Reads a registry.

    Args:
        registry: what is sent.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._start = int(psutil.Process().create_time() * _NANOSECONDS)

    def read(self, resource: Resource) -> MetricsData:
        """Return all series, with the current values."""
        self._registry.fix_namespace()
        self._registry.refresh()
        row = self._registry.storage.read()
        now = max(time.time_ns(), self._start)
        metrics = [
            metric
            for family in list(self._registry.families.values())
            if (metric := self._metric(family, row, now)) is not None
        ]
        scope = ScopeMetrics(InstrumentationScope(SCOPE, __version__), metrics, "")
        return MetricsData([ResourceMetrics(resource, [scope], "")])

    def _metric(self, family: Family, row: list[float], now: int) -> Metric | None:
        copied = [series for series in family.exposed() if series.first < len(row)]
        if not copied:
            return None
        data: Gauge | Sum | Histogram
        if family.metric.kind == "histogram":
            data = Histogram([self._histogram(family, series, row, now) for series in copied], _CUMULATIVE)
        elif family.metric.kind == "counter":
            points = [self._number(family, series, row, now, self._start) for series in copied]
            data = Sum(points, _CUMULATIVE, is_monotonic=True)
        else:
            data = Gauge([self._number(family, series, row, now, None) for series in copied])
        return Metric(family.name, family.metric.help, _unit(family.name), data)

    def _number(
        self, family: Family, series: Series, row: list[float], now: int, start: int | None
    ) -> NumberDataPoint:
        attributes = family.label_values(series.values)
        return NumberDataPoint(attributes, start, now, float(row[series.first]))  # type: ignore[arg-type]

    def _histogram(self, family: Family, series: Series, row: list[float], now: int) -> HistogramDataPoint:
        *counts, total = row[series.first : series.first + family.width]
        buckets = [int(count) for count in counts]
        return HistogramDataPoint(
            attributes=family.label_values(series.values),
            start_time_unix_nano=self._start,
            time_unix_nano=now,
            count=sum(buckets),
            sum=total,
            bucket_counts=buckets,
            explicit_bounds=list(family.edges),
            min=None,  # type: ignore[arg-type]  # not kept; the field is optional in the protocol
            max=None,  # type: ignore[arg-type]
            exemplars=list(self._exemplars(series.first, len(buckets))),
        )

    def _exemplars(self, first: int, buckets: int) -> Iterator[OtelExemplar]:
        known = self._registry.exemplars
        if not known:
            return
        for cell in range(first, first + buckets):
            exemplar = known.get(cell)
            if exemplar is not None:
                yield _exemplar(exemplar)


def _unit(name: str) -> str:
    """Return the unit of a metric's name in the notation of UCUM; an empty text if it names none."""
    stem = name.removesuffix("_total")
    return next((unit for ending, unit in _UNITS if stem.endswith(ending)), "")


def _exemplar(exemplar: Exemplar) -> OtelExemplar:
    identifier, value, timestamp = exemplar
    trace_id, _, span_id = identifier.partition("-")
    ids = (int(span_id, 16), int(trace_id, 16)) if span_id else (None, None)
    return OtelExemplar({"correlation_id": trace_id}, float(value), int(timestamp * _NANOSECONDS), *ids)
