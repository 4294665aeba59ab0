"""The series of one metric, and the guard that bounds their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import inf
from typing import Final

from tallow.monitoring.catalog import OTHER, Metric, canonical
from tallow.monitoring.lazy_scrubber import scrub
from tallow.monitoring.metrics.storage import SPARE, Storage

Key = str | tuple[str, ...]
"""The value of a single label, or the values of all labels in the metric's order."""

Only = dict[str, tuple[str, ...]] | None
"""Values of other labels that occur with a registered one; None for all."""

MAX_REGISTERED: Final = 500
"""Values of one label, registered ones included. Further values become ``other``."""

LARGEST: Final = 2.0**63
"""The largest sample. No size or time that a process can measure is larger."""

MAX_SERIES: Final = 10_000
"""Series of one metric, above which labels admit no new values."""

MAX_LENGTH: Final = 200
"""Characters of a registered value."""


_LIMITS: Final = {"counter": (0.0, -1.0), "gauge": (-LARGEST, -1.0), "histogram": (inf, LARGEST)}
"""The smallest amount to add and the largest observation, by type."""


class Family(dict[Key, int]):
    """Maps the label values of each series to the first of its cells.

    A look-up of a known series is a plain dictionary access. Unknown values become ``other`` and are counted,
    but never kept: hostile values cost time, not memory.

    Args:
        metric: the definition.
        storage: allocates the cells.
        count_overflow: called with the metric's key for each unknown value.
        name: the exposed name; the registry changes it with its namespace.
        show: returns the exposed form of a label value.

    Attributes:
        hidden: whether the metric is left out of the exposition; recording still works.
    """

    __slots__ = (
        "_allowed",
        "_count_overflow",
        "_show",
        "_storage",
        "edge_tails",
        "edges",
        "hidden",
        "key",
        "largest_observation",
        "lowest",
        "metric",
        "name",
        "series",
        "sum_at",
        "width",
    )

    def __init__(
        self,
        metric: Metric,
        storage: Storage,
        count_overflow: Callable[[str], None],
        name: str | None = None,
        show: Callable[[str], str] = str,
    ) -> None:
        super().__init__()
        self.metric = metric
        self.key = metric.key
        self.name = name or metric.name
        self.hidden = False
        self._show = show
        # Floats only: comparing a float with an integer takes twice as long.
        self.edges = tuple(map(float, metric.buckets))
        # The end of each bucket's line, up to its value.
        self.edge_tails = [f'le="{canonical(edge)}"}} ' for edge in metric.buckets] + ['le="+Inf"} ']
        # What may be added and observed. No amount is right for another type: one cell of a histogram has no
        # meaning, and an observation in a counter would change the series beside it.
        self.lowest, self.largest_observation = _LIMITS[metric.kind]
        self.sum_at = len(metric.buckets) + 1
        self.width = len(metric.buckets) + 2 if metric.kind == "histogram" else 1
        self.series: list[Series] = []
        self._storage = storage
        self._count_overflow = count_overflow
        # Maps each value to itself, so that our own text is kept and not an object that is equal to it.
        self._allowed = [{value: value for value in label.values} for label in metric.labels]
        for values in self._initial_values(None, ""):
            self._create(values)

    def __missing__(self, key: Key) -> int:
        """Return the series of an unknown key, whose unknown values become ``other``."""
        values = key if isinstance(key, tuple) else (key,)
        if len(values) != len(self._allowed):
            raise ValueError("one value for each label")
        folded = tuple(self._fold(place, value) for place, value in enumerate(values))
        if any(kept == OTHER and not is_other(value) for kept, value in zip(folded, values, strict=True)):
            self._count_overflow(self.key)
        with self._storage.lock:
            known = self.get(as_key(folded))
            return self._create(folded) if known is None else known

    def _fold(self, place: int, value: object) -> str:
        """Return the allowed value that equals ``value``, or ``other``; a label may admit new values."""
        allowed = self._allowed[place]
        kept = fold(value, allowed)
        if kept == OTHER and self.metric.labels[place].on_use and not is_other(value):
            return self._admit(value, allowed)
        return kept

    def _admit(self, value: object, allowed: dict[str, str]) -> str:
        """Allow a value with its first use, unless there is no room or it may be private."""
        full = len(allowed) >= MAX_REGISTERED or len(self) >= MAX_SERIES
        if full or not isinstance(value, str) or not is_name(value) or not _is_public(value):
            return OTHER
        text = str.__str__(value)
        return allowed.setdefault(text, text)

    def series_for(self, key: object) -> int:
        """Return the first cell of any key, also of one that is not hashable or has the wrong length."""
        values = key if isinstance(key, tuple) else (key,)
        if len(values) != len(self._allowed):
            values = (OTHER,) * len(self._allowed)
            self._count_overflow(self.key)
        try:
            return self[as_key(values)]
        except Exception:  # noqa: BLE001 - a value's own __hash__ or __eq__ may raise anything
            return self.__missing__(values)

    def register(self, label: str, value: str, only: Only = None) -> bool:
        """Allow one more value of a label, with series at 0.

        Args:
            label: the label's name.
            value: a short printable text.
            only: values of other labels that occur with this one, such as a route's methods.

        Returns:
            False if the label is full or closed, or the value is not a short printable text.
        """
        position = self.metric.label_names.index(label)
        allowed = self._allowed[position]
        if not is_name(value):
            return False
        value = str.__str__(value)  # of an enum member, keep only the text
        if value in allowed:
            return True
        if not self.metric.labels[position].registered or len(allowed) >= MAX_REGISTERED:
            return False
        allowed[value] = value
        for values in self._initial_values(position, value, only or {}):
            self._create(values)
        return True

    def merge_series(self, values: tuple[str, ...]) -> int:
        """Return the series of values that another worker has allowed, within our limit of values."""
        known = self.get(as_key(values))
        if known is not None:
            return known
        with self._storage.lock:
            kept = tuple(_allow(value, allowed) for value, allowed in zip(values, self._allowed, strict=True))
            known = self.get(as_key(kept))
            return self._create(kept) if known is None else known

    def hide(self) -> None:
        """Hide the metric from the exposition; recording still works."""
        self.hidden = True

    def exposed(self) -> list[Series]:
        """Return the series to expose."""
        return [] if self.hidden else list(self.series)

    def children(self) -> Iterator[tuple[tuple[str, ...], int]]:
        """Yield label values and first cell of each exposed series."""
        return ((series.values, series.first) for series in self.exposed())

    def format_labels(self, values: tuple[str, ...]) -> str:
        """Return label values as exposed between braces."""
        names = self.metric.label_names
        return ",".join(
            f'{name}="{escape(self._show(value))}"' for name, value in zip(names, values, strict=True)
        )

    def label_values(self, values: tuple[str, ...]) -> dict[str, str]:
        """Return label values as exposed, by the names of the labels."""
        return {name: self._show(value) for name, value in zip(self.metric.label_names, values, strict=True)}

    def update_labels(self) -> None:
        """Format the labels of all series again, after what ``show`` returns has changed."""
        for series in self.series:
            series.labels = self.format_labels(series.values)

    def _initial_values(
        self, position: int | None, value: str, only: Only = None
    ) -> Iterator[tuple[str, ...]]:
        """Yield the label values that exist from the start, or from the registration of one label's value."""
        if any(label.lazy for label in self.metric.labels):
            return iter(())
        choices = [
            (value,) if index == position else self._recorded_values(index, (only or {}).get(label.name))
            for index, label in enumerate(self.metric.labels)
        ]
        return product(*choices)

    def _recorded_values(self, index: int, only: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return the allowed values of a label, or those of ``only`` as recording will map them."""
        allowed = self._allowed[index]
        return (
            tuple(allowed) if only is None else tuple(dict.fromkeys(fold(value, allowed) for value in only))
        )

    def _create(self, values: tuple[str, ...]) -> int:
        first = self._storage.allocate(self.key, values, self.width)
        if first is None:  # no room: the samples go to the first series, which this process alone may have
            self._count_overflow(self.key)
            if self.series:
                return self.series[0].first
            first = self._storage.allocate_unshared(self.width)
            if first is None:
                return SPARE
        self.series.append(Series(values, first, self.format_labels(values)))
        self[as_key(values)] = first
        return first


class Series:
    """One series: label values, first cell, and the labels as exposed."""

    __slots__ = ("first", "labels", "values")

    def __init__(self, values: tuple[str, ...], first: int, labels: str) -> None:
        self.values = values
        self.first = first
        self.labels = labels


def is_name(value: object) -> bool:
    """Whether a value is a printable text of bounded length.

    A zero byte or half of a surrogate pair would make Prometheus reject the whole scrape.
    """
    return isinstance(value, str) and len(value) <= MAX_LENGTH and str.isprintable(value)


def escape(value: str) -> str:
    """Escape a label value as both exposition formats require between quotes.

    Example:
        >>> escape('say "hi"')
        'say \\\\"hi\\\\"'
    """
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def as_key(values: tuple[str, ...]) -> Key:
    """Return the key of label values: the text itself for a single label, as a tuple is hashed at each
    look-up."""
    return values[0] if len(values) == 1 else values


def fold(value: object, allowed: dict[str, str]) -> str:
    """Return the allowed value that equals ``value``, or ``other``."""
    try:
        return allowed.get(value, OTHER)  # type: ignore[call-overload, no-any-return]
    except Exception:  # noqa: BLE001 - a value's own __hash__ or __eq__ may raise anything
        return OTHER


def is_other(value: object) -> bool:
    """Whether the caller passed ``other`` itself, which is not an overflow."""
    return type(value) is str and value == OTHER


def _is_public(value: str) -> bool:
    """Whether the scrubber finds nothing private in a value."""
    try:
        return scrub(value) == value
    except Exception:  # noqa: BLE001 - what cannot be checked is not exposed
        return False


def _allow(value: str, allowed: dict[str, str]) -> str:
    if value not in allowed and len(allowed) >= MAX_REGISTERED:
        return OTHER
    return allowed.setdefault(value, value)
