"""What all declared metrics share: the declaration, labels, and the registry they are bound to."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar

from tallow.monitoring.catalog import OTHER, Kind, Merge
from tallow.monitoring.catalog.declaration import LabelValues, define
from tallow.monitoring.metrics.declarations import DECLARATIONS, Declared
from tallow.monitoring.metrics.declared.strict import is_strict
from tallow.monitoring.metrics.default import process_registry
from tallow.monitoring.metrics.family import LARGEST, Family, Key, as_key
from tallow.monitoring.metrics.registry import Registry

PLAIN: Final = frozenset({int, float})
"""Types of numbers that are recorded as they are. The repr of a NumPy scalar would break the exposition."""

_OWN_PACKAGE: Final = __name__.rpartition(".")[0]


class HasRegistry(Protocol):
    """An object with a registry, such as :class:`tallow.monitoring.metrics.Metrics`."""

    registry: Registry


AnyRegistry = Registry | HasRegistry

C = TypeVar("C")


class Instrument(ABC, Generic[C]):
    """A declared metric. See :class:`Counter`, :class:`Gauge` and :class:`Histogram`.

    The registry gets the metric with its first use, or before the next exposition.
    """

    kind: ClassVar[Kind]

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: Mapping[str, LabelValues] | None = None,
        namespace: str | None = "",
        subsystem: str = "",
        unit: str = "",
        registry: AnyRegistry | None = None,
        *,
        buckets: Sequence[float] | None = None,
        merge: Merge = "sum",
    ) -> None:
        self.metric = define(
            self.kind,
            name,
            documentation,
            labels,
            namespace=namespace,
            subsystem=subsystem,
            unit=unit,
            buckets=buckets,
            merge=merge,
        )
        names = self.metric.label_names
        self._width = len(names)
        self._pick: Callable[[dict[str, str]], Key] = itemgetter(*names) if names else _no_labels
        # Series by the labels' values as callers pass them: only values that are allowed.
        self._cells: dict[Key, int] = {}
        self._children: dict[Key, C] = {}
        self._family: Family | None = None
        self._registry = _checked_registry(registry, self.kind, name)
        declarations = DECLARATIONS if registry is None else self.target.declarations
        declarations.add(Declared(self.metric, _declaring_file(), self._on_bound))
        if registry is not None:
            try:
                if self.metric.key not in self.target.families:
                    self.target.declare(self.metric)
            except ValueError:
                declarations.remove(self.metric)
                raise
            self.bind()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.metric.exposed_name('')!r})"

    @property
    def target(self) -> Registry:
        """The registry that was passed, or the process's own."""
        return process_registry() if self._registry is None else self._registry

    @property
    def is_bound(self) -> bool:
        """Whether a registry has the metric."""
        return self._family is not None

    def bind(self) -> Family:
        """Return the series of the metric in its registry, which gets the metric with the first call."""
        if self._family is None:
            registry = self.target
            self._registry = registry
            self.slot = registry.slot
            family = registry.bind(self.metric)
            self._family = family
            self._on_bound()
        return self._family

    def _on_bound(self) -> None:
        """Called when the registry has the metric, also if it is not used yet."""

    @abstractmethod
    def _new_child(self, values: tuple[Any, ...], labels: dict[str, Any]) -> C:
        """Return what records to one series."""

    def labels(self, *values: str, **labels: str) -> C:
        """Return what records to one series, for code that records often.

        Args:
            values: of all labels, in their order; or none.
            labels: the same, by name; or none.

        Raises:
            ValueError: in strict mode only: a value is not listed or the labels are wrong.
        """
        try:
            key = self._pick(labels) if labels else as_key(values)
            if not (labels and values) and len(labels) in {0, self._width}:
                return self._children[key]
        except Exception:  # noqa: BLE001, S110 - the first use of a series, or what cannot be recorded
            pass
        child = self._new_child(values, labels)
        with suppress(Exception):  # a value that is not hashable
            key = as_key(values or tuple(labels[name] for name in self.metric.label_names))
            if key in self._cells:
                self._children[key] = child
        return child

    def register(self, **labels: str) -> bool:
        """Allow values of labels declared as ``Registered()``, with series at 0.

        Args:
            labels: one value of each label to extend.

        Returns:
            False if a label is not known, is closed or full, or a value is not a short printable text.

        Example:
            >>> labels = {"page": Registered(on_use=False)}
            >>> pages = Counter("pages", "Pages shown.", labels, registry=registry)
            >>> pages.register(page="cart")
            True
            >>> registry.value("pages_total", page="cart")
            0.0
        """
        family = self.bind()
        with self.target.lock:
            known = [name in self.metric.label_names for name in labels]
            return all(known) and all(map(family.register, labels.keys(), labels.values()))

    def find(self, values: tuple[Any, ...], labels: Mapping[str, Any]) -> int:
        """Return the first cell of a series.

        A value that is not allowed becomes ``other``, and wrong labels make all values ``other``; both are
        counted.

        Args:
            values: of all labels, in their order; or none.
            labels: of all labels, by name; or none.

        Raises:
            ValueError: in strict mode, a value is not allowed or the labels are wrong.
        """
        family = self.bind()
        given = self._in_order(values, labels)
        if given is None:
            self.refuse(f"its labels are {', '.join(self.metric.label_names) or 'none'}")
            return family.series_for((OTHER,) * self._width)
        texts = tuple(map(_as_text, given))
        cell = family.series_for(texts)
        if not all(type(text) is str for text in texts) or family.get(as_key(texts)) != cell:
            if is_strict():
                raise ValueError(f"{self._described()}: {self._not_allowed(texts)}")
        elif texts == given:
            self._cells[as_key(texts)] = cell
        return cell

    def _in_order(self, values: tuple[Any, ...], labels: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Return the labels' values in their order; None if some are missing or too many."""
        names = self.metric.label_names
        if values:
            return values if len(values) == len(names) and not labels else None
        return tuple(labels[name] for name in names) if labels.keys() == set(names) else None

    def _not_allowed(self, texts: tuple[Any, ...]) -> str:
        for label, text in zip(self.metric.labels, texts, strict=True):
            if text not in label.values and not label.on_use:
                accepted = ", ".join(label.values[:20]) or "values passed to register()"
                return f"a value of {label.name} is not listed; accepted are {accepted}"
        return "a value is private, too long or not printable, or its label has no room for more values"

    def refuse(self, problem: str) -> None:
        """Count what was recorded wrongly.

        Raises:
            ValueError: in strict mode.
        """
        self.target.count_overflow(self.metric.key)
        if is_strict():
            raise ValueError(f"{self._described()}: {problem}")

    def _described(self) -> str:
        return f"{self.metric.kind} {self.metric.exposed_name('')!r}"

    def as_number(self, number: Any, lowest: float) -> float | None:
        """Return a number as a float; None if it cannot be recorded, which is counted.

        Raises:
            ValueError: in strict mode, it cannot be recorded.
        """
        try:
            found = float(number + 0.0)
            if lowest <= found <= LARGEST:
                return found
        except Exception:  # noqa: BLE001, S110 - not a number
            pass
        self.refuse(f"a number is finite{'' if lowest < 0 else ' and not negative'}")
        return None


def _checked_registry(registry: object, kind: str, name: str) -> Registry | None:
    found = getattr(registry, "registry", registry)  # Metrics has one
    if found is None or isinstance(found, Registry):
        return found
    raise ValueError(
        f"{kind} {name!r}: the registry is a {type(registry).__name__}; accepted are "
        "tallow.monitoring.metrics.Registry and Metrics"
    )


def _declaring_file() -> str | None:
    """Return the file of the module whose top level declares a metric; None within a function."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_OWN_PACKAGE):
        frame = frame.f_back
    return frame.f_code.co_filename if frame.f_code.co_name == "<module>" else None


def _no_labels(labels: dict[str, str]) -> Key:
    if labels:
        raise KeyError
    return ()


def _as_text(value: Any) -> Any:
    """Return the text of a value that has an obvious one, as prometheus_client does; others as they are."""
    if isinstance(value, str):
        return str.__str__(value)
    return str(value) if type(value) in {int, bool} else value
