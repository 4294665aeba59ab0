"""Metric families of prometheus_client's data model, written so that no name or value breaks a scrape.

prometheus_client's own writers turn ``:`` in a sample's name into ``_`` in OpenMetrics, write two families
whose names become one by escaping as two, and pass on what a parser stops at (zero bytes, half surrogate
pairs, labels of one name): then Prometheus rejects the whole scrape.

Sources: Prometheus exposition formats; OpenMetrics 1.0; github.com/prometheus/common/expfmt, for what an
escaped name's endings are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from tallow.monitoring.exposition.escaping import is_classic_label, is_classic_metric, label_name, metric_name
from tallow.monitoring.metrics.family import escape

_TEXT_TYPES: Final = {
    "info": "gauge",
    "stateset": "gauge",
    "gaugehistogram": "histogram",
    "unknown": "untyped",
}
"""Types of OpenMetrics that the text format does not have."""
_NAME_ENDINGS: Final = {"counter": "_total", "info": "_info"}
"""Endings that belong to a metric's name in the text format, and to its samples' in OpenMetrics."""
_SAMPLE_ENDINGS: Final = ("_bucket", "_count", "_sum", "_gcount", "_gsum")
"""Endings that a parser recognises: they stand behind the escaped name."""
_RESERVED: Final = "__name__"
"""The metric's own name, as a label."""
_CREATED_TYPES: Final = frozenset({"counter", "histogram", "summary"})
_APART: Final = ("_gcount", "_gsum")
"""Samples of a gaugehistogram that the text format has as gauges of their own."""


class _Sample(NamedTuple):
    name: str
    series: str
    """Name and labels as exposed."""
    rest: str
    """Value, time and exemplar."""


class _Family(NamedTuple):
    name: str
    kind: str
    head: str
    samples: list[_Sample]


class FamilyWriter:
    """One exposition of families that were collected elsewhere.

    Families whose exposed names and types are the same become one. A family that has the name of one with
    another type, or of a metric of ours, and a series that is there already, are left out.

    Args:
        openmetrics: whether to write OpenMetrics; text otherwise.
        scheme: how names outside the classic character set are written.
        taken: whether a family or sample name belongs to a metric of ours.
        left_out: is told the name of each family of which something is left out, and why.
    """

    def __init__(
        self,
        *,
        openmetrics: bool,
        scheme: str,
        taken: Callable[[str], bool],
        left_out: Callable[[str, str], None],
    ) -> None:
        self._openmetrics = openmetrics
        self._scheme = scheme
        self._taken = taken
        self._left_out = left_out
        self._families: dict[str, _Family] = {}
        self._series: set[str] = set()

    def add(self, families: Iterable[Any]) -> None:
        """Add what a collector yields: all of it, or nothing if it raises."""
        for found in [part for family in families for part in self._parts(family)]:
            known = self._families.get(found.name)
            if self._taken(found.name) or any(self._taken(sample.name) for sample in found.samples):
                self._left_out(found.name, "it bears the name of a metric of ours")
            elif known is not None and known.kind != found.kind:
                self._left_out(found.name, "another metric of that name has another type")
            else:
                self._add(found)

    def pieces(self) -> Iterator[bytes]:
        """The exposition, one family a piece."""
        for family in self._families.values():
            lines = (f"{sample.series} {sample.rest}\n" for sample in family.samples)
            yield (family.head + "".join(lines)).encode("utf-8", "replace")

    def _add(self, found: _Family) -> None:
        kept = self._families.setdefault(found.name, found._replace(samples=[])).samples
        for sample in found.samples:
            if sample.series in self._series:
                self._left_out(found.name, "a series of that name with these labels is there already")
            else:
                self._series.add(sample.series)
                kept.append(sample)

    def _parts(self, family: Any) -> Iterator[_Family]:
        """A family as it is exposed, and the gauges that it leaves behind in the text format."""
        kind, ending = str(family.type), _NAME_ENDINGS.get(family.type, "")
        name = metric_name(_clean(family.name) + ending, self._scheme)
        if self._openmetrics:
            name = name.removesuffix(ending)
        else:
            kind = _TEXT_TYPES.get(kind, kind)
        apart: dict[str, list[_Sample]] = {}
        samples: list[_Sample] = []
        for sample in filter(lambda sample: _is_exposed(family, sample), family.samples):
            written = self._sample(family, sample)
            if not self._openmetrics and sample.name in {family.name + behind for behind in _APART}:
                apart.setdefault(written.name, []).append(written)
            else:
                samples.append(written)
        yield _Family(name, kind, self._head(name, kind, family), samples)
        for gauge, values in apart.items():
            yield _Family(gauge, "gauge", self._head(gauge, "gauge", family), values)

    def _sample_name(self, family: str, name: str) -> str:
        ending = name.removeprefix(family)
        if ending in _SAMPLE_ENDINGS:
            return metric_name(_clean(family), self._scheme) + ending
        return metric_name(_clean(name), self._scheme)

    def _head(self, name: str, kind: str, family: Any) -> str:
        shown = name if is_classic_metric(name) else _quoted(name)
        text = _clean(family.documentation).replace("\\", r"\\").replace("\n", r"\n")
        if self._openmetrics:
            text = text.replace('"', r"\"")
        head = f"# HELP {shown} {text}\n# TYPE {shown} {kind}\n"
        unit = _clean(family.unit)
        # A unit that does not end the name makes Prometheus reject the scrape.
        if self._openmetrics and unit and is_classic_label(unit) and name.endswith(f"_{unit}"):
            head += f"# UNIT {shown} {unit}\n"
        return head

    def _sample(self, family: Any, sample: Any) -> _Sample:
        name, labels = self._sample_name(family.name, sample.name), self._labels(sample.labels)
        if is_classic_metric(name):
            series = f"{name}{{{labels}}}" if labels else name
        else:
            series = f"{{{','.join(filter(None, (_quoted(name), labels)))}}}"
        rest = number(sample.value)
        if sample.timestamp is not None:
            rest += f" {self._timestamp(sample.timestamp)}"
        if self._openmetrics and sample.exemplar and _may_have_exemplar(family.type, sample.name):
            rest += self._exemplar(sample.exemplar)
        return _Sample(name, series, rest)

    def _timestamp(self, timestamp: Any) -> str:
        return str(timestamp) if self._openmetrics else str(int(float(timestamp) * 1000))

    def _labels(self, labels: Mapping[str, Any]) -> str:
        """Labels as they stand between braces. Where several get one name by escaping their values are joined
        by ``;``, as OpenTelemetry's Prometheus exporters do: two labels of one name make a scrape fail."""
        found: dict[str, list[str]] = {}
        for name, value in sorted(labels.items()):
            exposed = label_name(_clean(name), self._scheme)
            if name and exposed != _RESERVED:
                found.setdefault(exposed, []).append(_clean(value))
        return ",".join(
            f'{name if is_classic_label(name) else _quoted(name)}="{escape(";".join(values))}"'
            for name, values in found.items()
        )

    def _exemplar(self, exemplar: Any) -> str:
        written = f" # {{{self._labels(exemplar.labels)}}} {number(exemplar.value)}"
        return written if exemplar.timestamp is None else f"{written} {exemplar.timestamp}"


def number(value: Any) -> str:
    """A sample's value as both formats write it."""
    found = float(value)
    if math.isnan(found):
        return "NaN"
    if math.isinf(found):
        return "+Inf" if found > 0 else "-Inf"
    return repr(found)


def _is_exposed(family: Any, sample: Any) -> bool:
    """Not creation times, which nobody's dashboard reads, nor native histograms, which neither format has."""
    created = family.type in _CREATED_TYPES and sample.name == f"{family.name}_created"
    return not created and getattr(sample, "native_histogram", None) is None


def _may_have_exemplar(kind: str, name: str) -> bool:
    return (kind == "counter" and name.endswith("_total")) or (
        kind in {"histogram", "gaugehistogram"} and name.endswith("_bucket")
    )


def _quoted(name: str) -> str:
    return f'"{escape(name)}"'


def _clean(text: Any) -> str:
    """Text that UTF-8 can write, without zero bytes: Prometheus's lexer takes one for the end."""
    return str(text).encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
