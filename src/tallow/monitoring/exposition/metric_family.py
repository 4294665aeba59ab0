"""Expose metric families of prometheus_client's data model so that no name or value breaks a scrape.

prometheus_client's own writers replace ``:`` in a sample's name by ``_`` in OpenMetrics, write two families
with the same escaped name, and pass on zero bytes, half surrogate pairs and repeated labels: Prometheus then
rejects the whole scrape.

Sources: Prometheus exposition formats; OpenMetrics 1.0; github.com/prometheus/common/expfmt for the endings
of escaped names.
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
"""Types of OpenMetrics that the text format does not have, and what replaces them."""
_NAME_ENDINGS: Final = {"counter": "_total", "info": "_info"}
"""Endings that are part of the metric's name in the text format, but only of its samples' in OpenMetrics."""
_SAMPLE_ENDINGS: Final = ("_bucket", "_count", "_sum", "_gcount", "_gsum")
"""Endings that a parser recognises: they follow the escaped name."""
_RESERVED: Final = "__name__"
"""The metric's own name, as a label."""
_CREATED_TYPES: Final = frozenset({"counter", "histogram", "summary"})
_GAUGE_ENDINGS: Final = ("_gcount", "_gsum")
"""Samples of a gaugehistogram that are separate gauges in the text format."""


class _Sample(NamedTuple):
    name: str
    series: str
    """Name and labels, as exposed."""
    rest: str
    """Value, timestamp and exemplar, as exposed."""


class _Family(NamedTuple):
    name: str
    kind: str
    head: str
    samples: list[_Sample]


class FamilyWriter:
    """Collects foreign families and exposes them.

    Families with the same exposed name and type are merged. Left out are families with the name of one of
    another type or of one of our metrics, and repeated series.

    Args:
        openmetrics: whether to expose OpenMetrics instead of text.
        scheme: how names outside the classic character set are escaped.
        is_reserved: whether a family's or sample's name belongs to one of our metrics.
        on_omitted: called with the name of each family of which something is left out, and the reason.
    """

    def __init__(
        self,
        *,
        openmetrics: bool,
        scheme: str,
        is_reserved: Callable[[str], bool],
        on_omitted: Callable[[str, str], None],
    ) -> None:
        self._openmetrics = openmetrics
        self._scheme = scheme
        self._is_reserved = is_reserved
        self._on_omitted = on_omitted
        self._families: dict[str, _Family] = {}
        self._series: set[str] = set()

    def add(self, families: Iterable[Any]) -> None:
        """Add the families of a collector: all of them, or none if it raises."""
        for found in [part for family in families for part in self._parts(family)]:
            known = self._families.get(found.name)
            if self._is_reserved(found.name) or any(
                self._is_reserved(sample.name) for sample in found.samples
            ):
                self._on_omitted(found.name, "its name belongs to a metric of tallow")
            elif known is not None and known.kind != found.kind:
                self._on_omitted(found.name, "another metric of that name has a different type")
            else:
                self._add(found)

    def pieces(self) -> Iterator[bytes]:
        """Yield the exposition, one family at a time."""
        for family in self._families.values():
            lines = (f"{sample.series} {sample.rest}\n" for sample in family.samples)
            yield (family.head + "".join(lines)).encode("utf-8", "replace")

    def _add(self, found: _Family) -> None:
        kept = self._families.setdefault(found.name, found._replace(samples=[])).samples
        for sample in found.samples:
            if sample.series in self._series:
                self._on_omitted(found.name, "it repeats a series")
            else:
                self._series.add(sample.series)
                kept.append(sample)

    def _parts(self, family: Any) -> Iterator[_Family]:
        """Yield a family as exposed, and the gauges that become separate in the text format."""
        kind, ending = str(family.type), _NAME_ENDINGS.get(family.type, "")
        name = metric_name(_clean(family.name) + ending, self._scheme)
        if self._openmetrics:
            name = name.removesuffix(ending)
        else:
            kind = _TEXT_TYPES.get(kind, kind)
        gauges: dict[str, list[_Sample]] = {}
        samples: list[_Sample] = []
        for sample in filter(lambda sample: _is_exposed(family, sample), family.samples):
            written = self._sample(family, sample)
            if not self._openmetrics and sample.name in {family.name + ending for ending in _GAUGE_ENDINGS}:
                gauges.setdefault(written.name, []).append(written)
            else:
                samples.append(written)
        yield _Family(name, kind, self._head(name, kind, family), samples)
        for gauge, values in gauges.items():
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
        # Prometheus rejects the scrape if the name does not end in the unit.
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
        """Return labels as exposed between braces.

        Labels with the same escaped name become one, their values joined by ``;``, as OpenTelemetry's
        Prometheus exporters do: a repeated label makes a scrape fail.
        """
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
    """Return a sample's value as both formats require.

    Example:
        >>> number(3), number(float("inf"))
        ('3.0', '+Inf')
    """
    found = float(value)
    if math.isnan(found):
        return "NaN"
    if math.isinf(found):
        return "+Inf" if found > 0 else "-Inf"
    return repr(found)


def _is_exposed(family: Any, sample: Any) -> bool:
    """Whether a sample is exposed: no creation times, and no native histograms, which neither format has."""
    created = family.type in _CREATED_TYPES and sample.name == f"{family.name}_created"
    return not created and getattr(sample, "native_histogram", None) is None


def _may_have_exemplar(kind: str, name: str) -> bool:
    return (kind == "counter" and name.endswith("_total")) or (
        kind in {"histogram", "gaugehistogram"} and name.endswith("_bucket")
    )


def _quoted(name: str) -> str:
    return f'"{escape(name)}"'


def _clean(text: Any) -> str:
    """Return text that UTF-8 can encode, without zero bytes: Prometheus's lexer takes one for the end."""
    return str(text).encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
