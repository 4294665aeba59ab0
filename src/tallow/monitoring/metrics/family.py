"""One metric's children, and the guard that keeps their number bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Final

from tallow.monitoring.catalog import OTHER, Metric, canonical
from tallow.monitoring.metrics.storage import Storage

Key = str | tuple[str, ...]
"""What a child is found by: the one label's value, or all values in the metric's order."""

MAX_REGISTERED: Final = 500
"""Values one guarded label may have. Further ones become ``other``, as unknown ones do."""

LARGEST: Final = 2.0**63
"""The largest number a sample takes: beyond it lies no size or time that a process can have seen."""

MAX_LENGTH: Final = 200
"""Characters of a registered value: a longer one is a text, not a name."""


class Family(dict[Key, int]):
    """The children of one metric: label values to the first of their cells.

    A look-up of a known child is a plain dictionary access. Any other value is folded into ``other``,
    counted, and never kept, so that hostile values cost time but no memory.
    """

    __slots__ = (
        "_allowed",
        "_overflowed",
        "_storage",
        "edge_tails",
        "edges",
        "lowest",
        "metric",
        "series",
        "sum_at",
        "width",
    )

    def __init__(
        self,
        metric: Metric,
        storage: Storage,
        overflowed: Callable[[str], None],
    ) -> None:
        super().__init__()
        self.metric = metric
        # Floats all: to compare a float with an integer takes twice as long.
        self.edges = tuple(map(float, metric.buckets))
        # The end of a bucket's line up to its value.
        self.edge_tails = [f'le="{canonical(edge)}"}} ' for edge in metric.buckets] + ['le="+Inf"} ']
        # What may be added at the least: a counter never falls.
        self.lowest = 0.0 if metric.kind == "counter" else -LARGEST
        self.sum_at = len(metric.buckets) + 1
        self.width = len(metric.buckets) + 2 if metric.kind == "histogram" else 1
        self.series: list[Series] = []
        self._storage = storage
        self._overflowed = overflowed
        # Each value to itself: what is kept is our own text, whatever object was equal to it.
        self._allowed = [{value: value for value in label.values} for label in metric.labels]
        for values in self._zeros(None, ""):
            self._create(values)

    def __missing__(self, key: Key) -> int:
        """The child a key that is not known folds into; created if the folded values are allowed."""
        values = key if isinstance(key, tuple) else (key,)
        folded = tuple(fold(value, allowed) for value, allowed in zip(values, self._allowed, strict=True))
        if any(kept == OTHER and not is_other(value) for kept, value in zip(folded, values, strict=True)):
            self._overflowed(self.metric.name)
        with self._storage.lock:
            known = self.get(as_key(folded))
            return self._create(folded) if known is None else known

    def series_for(self, key: object) -> int:
        """The first cell of a key's child, whatever the key is: not hashable, or of the wrong shape."""
        values = key if isinstance(key, tuple) else (key,)
        if len(values) != len(self._allowed):
            values = (OTHER,) * len(self._allowed)
            self._overflowed(self.metric.name)
        try:
            return self[as_key(values)]
        except Exception:  # noqa: BLE001 - a value's own __hash__ or __eq__ may raise anything
            return self.__missing__(values)

    def register(self, label: str, value: str, only: dict[str, tuple[str, ...]] | None = None) -> bool:
        """Allow one more value of a guarded label, with its series at 0 from now on.

        ``only`` narrows other labels to the values that can occur with it (a route's methods). Returns False
        when the label is full or not guarded, or the value is no text or too long.
        """
        position = self.metric.label_names.index(label)
        allowed = self._allowed[position]
        if not is_name(value):
            return False
        value = str.__str__(value)  # an enumeration's member is text too; its text is what is kept
        if value in allowed:
            return True
        if not self.metric.labels[position].registered or len(allowed) >= MAX_REGISTERED:
            return False
        allowed[value] = value
        for values in self._zeros(position, value, only or {}):
            self._create(values)
        return True

    def merge_series(self, values: tuple[str, ...]) -> int:
        """The child of values that another worker's guard has let through; its bound is ours."""
        known = self.get(as_key(values))
        if known is not None:
            return known
        with self._storage.lock:
            kept = tuple(
                _adopted(value, allowed) for value, allowed in zip(values, self._allowed, strict=True)
            )
            known = self.get(as_key(kept))
            return self._create(kept) if known is None else known

    def hide(self) -> None:
        """Expose nothing of this metric: there is nothing to know. Recording goes on to nobody's profit."""
        self.series.clear()

    def children(self) -> Iterator[tuple[tuple[str, ...], int]]:
        """Label values and first cell of each child."""
        return ((series.values, series.first) for series in self.series)

    def _zeros(
        self, position: int | None, value: str, only: dict[str, tuple[str, ...]] | None = None
    ) -> Iterator[tuple[str, ...]]:
        """The combinations that exist from the start, or from the registration of one label's value."""
        if any(label.lazy for label in self.metric.labels):
            return iter(())
        choices = [
            (value,) if index == position else self._occurring(index, (only or {}).get(label.name))
            for index, label in enumerate(self.metric.labels)
        ]
        return product(*choices)

    def _occurring(self, index: int, only: tuple[str, ...] | None) -> tuple[str, ...]:
        """The allowed values of a label, or those of ``only``, folded as recording will fold them."""
        allowed = self._allowed[index]
        return (
            tuple(allowed) if only is None else tuple(dict.fromkeys(fold(value, allowed) for value in only))
        )

    def _create(self, values: tuple[str, ...]) -> int:
        first = self._storage.allocate(self.metric.name, values, self.width)
        if first is None:  # no room: what cannot have a series of its own joins the first one
            self._overflowed(self.metric.name)
            return self.series[0].first
        self.series.append(Series(self, values, first))
        self[as_key(values)] = first
        return first


class Series:
    """One child: its label values, its first cell, and its labels as they are exposed, written once."""

    __slots__ = ("first", "labels", "values")

    def __init__(self, family: Family, values: tuple[str, ...], first: int) -> None:
        self.values = values
        self.first = first
        names = family.metric.label_names
        self.labels = ",".join(f'{name}="{escape(value)}"' for name, value in zip(names, values, strict=True))


def is_name(value: object) -> bool:
    """Whether a value is a name: printable text of bounded length. A zero byte, or half of a surrogate pair,
    would cost a scrape all its samples."""
    return isinstance(value, str) and len(value) <= MAX_LENGTH and str.isprintable(value)


def escape(value: str) -> str:
    """A label value as both exposition formats write it between quotes."""
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def as_key(values: tuple[str, ...]) -> Key:
    """A single label's value stands for itself: a string is hashed once, a tuple at every look-up."""
    return values[0] if len(values) == 1 else values


def fold(value: object, allowed: dict[str, str]) -> str:
    """The allowed value that ``value`` is, or ``other``."""
    try:
        return allowed.get(value, OTHER)  # type: ignore[call-overload, no-any-return]
    except Exception:  # noqa: BLE001 - a value's own __hash__ or __eq__ may raise anything
        return OTHER


def is_other(value: object) -> bool:
    """Whether ``other`` itself was said: that is no overflow."""
    return type(value) is str and value == OTHER


def _adopted(value: str, allowed: dict[str, str]) -> str:
    if value not in allowed and len(allowed) >= MAX_REGISTERED:
        return OTHER
    return allowed.setdefault(value, value)
