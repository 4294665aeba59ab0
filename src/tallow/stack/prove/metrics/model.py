"""The known metrics, by the names of their series."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

TYPES: Final = frozenset({"counter", "gauge", "histogram", "summary"})
SYNTHETIC: Final = frozenset({"ALERTS", "ALERTS_FOR_STATE", "up"})
"""Series that Prometheus makes; further ones begin with ``scrape_``."""


@dataclass(frozen=True, slots=True)
class SeriesFamily:
    """The series of one name.

    Attributes:
        type: of the metric: counter, gauge, histogram, summary; empty if it is not known.
        labels: the values seen, by label.
        common: the labels that every series has.
    """

    name: str
    type: str = ""
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    common: frozenset[str] = frozenset()

    @property
    def is_cumulative(self) -> bool | None:
        """Whether the value only rises until a restart; None if the type is not known."""
        if self.type == "counter" or (self.type == "histogram" and not self.name.endswith("_created")):
            return True
        if self.type == "summary":
            return self.name.endswith(("_sum", "_count"))
        return False if self.type == "gauge" else None

    @property
    def last_edge(self) -> float | None:
        """The largest finite bucket edge."""
        edges = [edge for text in self.labels.get("le", ()) if math.isfinite(edge := _float(text))]
        return max(edges, default=None)


@dataclass(frozen=True, slots=True)
class KnownMetrics:
    """All series families of a source.

    Attributes:
        origin: the source, for messages.
        complete: whether it is a Prometheus, which has every metric and the labels of targets. An exposition
            has neither: a name of another exporter is not checked then.
        scrape_interval_seconds: the shortest of the targets; None if the source does not tell it.
    """

    origin: str
    families: Mapping[str, SeriesFamily]
    complete: bool = False
    scrape_interval_seconds: float | None = None

    def get(self, name: str) -> SeriesFamily | None:
        """The family of a name; None if the source does not have it."""
        return self.families.get(name)

    def covers(self, name: str) -> bool:
        """Whether the absence of a name means something: another name with the same first word is there."""
        if name in SYNTHETIC or name.startswith("scrape_"):
            return False
        word = name.partition("_")[0]
        return self.complete or any(known.partition("_")[0] == word for known in self.families)


def merged(sources: list[KnownMetrics]) -> KnownMetrics:
    """All families of several sources; the labels of families of the same name are combined."""
    families: dict[str, SeriesFamily] = {}
    for source in sources:
        for name, family in source.families.items():
            known = families.get(name)
            families[name] = family if known is None else _combined(known, family)
    origin = ", ".join(source.origin for source in sources)
    return KnownMetrics(origin, families, any(source.complete for source in sources))


def _combined(one: SeriesFamily, other: SeriesFamily) -> SeriesFamily:
    labels = {
        label: one.labels.get(label, frozenset()) | other.labels.get(label, frozenset())
        for label in (*one.labels, *other.labels)
    }
    return SeriesFamily(one.name, one.type or other.type, labels, one.common & other.common)


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
