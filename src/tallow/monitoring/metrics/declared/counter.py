"""Counters that an application declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tallow.monitoring.catalog.declaration import LabelValues
from tallow.monitoring.metrics.declared.blocks import ExceptionCounter, ExceptionTypes
from tallow.monitoring.metrics.declared.instrument import PLAIN, AnyRegistry, Instrument
from tallow.monitoring.metrics.family import LARGEST
from tallow.monitoring.metrics.registry import Registry


class CounterChild:
    """One series of a counter.

    Example:
        >>> imports = Counter("imports", "Imports made.", {"format": ("csv", "xls")}, registry=registry)
        >>> csv = imports.labels(format="csv")
        >>> csv.inc()
        >>> csv.inc(3)
        >>> registry.value("imports_total", format="csv")
        4.0
    """

    def __init__(self, counter: Counter, values: tuple[Any, ...], labels: Mapping[str, Any]) -> None:
        self._counter = counter
        self._find = partial(counter.find, values, labels)
        if counter.is_bound:
            self._resolve()

    def _resolve(self) -> None:
        cell = self._find()
        self.inc = _adder(self._counter.target, cell, self._counter.refuse)  # type: ignore[method-assign] # half the time of a method

    def inc(self, amount: float | None = None, exemplar: Mapping[str, str] | None = None) -> None:
        """Add an amount, by default 1: see :meth:`Counter.inc`."""
        if "inc" not in self.__dict__:
            self._resolve()
        self.inc(amount)

    def count_exceptions(self, exception: ExceptionTypes = Exception) -> ExceptionCounter:
        """Count exceptions: see :meth:`Counter.count_exceptions`."""
        return ExceptionCounter(self.inc, exception)


class Counter(Instrument[CounterChild]):
    """A number that only rises.

    Args:
        name: without namespace; ``_total`` is added if it does not end so.
        documentation: one sentence for the exposition.
        labels: the values of each label, as a tuple or as :class:`Registered`.
        namespace: what precedes the name; None for the application's namespace.
        subsystem: what stands between namespace and name.
        unit: appended to the name.
        registry: a :class:`Registry` or :class:`Metrics`; by default the process's own.

    Raises:
        ValueError: one line that names what is wrong and what is accepted.

    Example:
        >>> exports = Counter("exports", "Exports made.", {"format": ("csv", "pdf")}, registry=registry)
        >>> exports.inc(format="csv")
        >>> registry.value("exports_total", format="csv")
        1.0
    """

    kind = "counter"

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: Mapping[str, LabelValues] | None = None,
        namespace: str | None = "",
        subsystem: str = "",
        unit: str = "",
        registry: AnyRegistry | None = None,
    ) -> None:
        super().__init__(name, documentation, labels, namespace, subsystem, unit, registry)

    def inc(self, amount: float = 1, exemplar: Mapping[str, str] | None = None, **labels: str) -> None:
        """Add an amount.

        Args:
            amount: finite and not negative; another one is left out and counted.
            exemplar: accepted for prometheus_client's sake and not used.
            labels: the value of each label.

        Raises:
            ValueError: in strict mode only.
        """
        try:
            cell = self._cells[self._pick(labels)]
            if len(labels) == self._width and amount.__class__ in PLAIN and 0 <= amount <= LARGEST:
                self.slot.row[cell] += amount
                return
        except Exception:  # noqa: BLE001, S110 - the first use of a series, or what cannot be recorded
            pass
        number = self.as_number(amount, 0.0)
        if number is not None:
            cell = self.find((), labels)
            self.slot.row[cell] += number

    def _new_child(self, values: tuple[Any, ...], labels: dict[str, Any]) -> CounterChild:
        return CounterChild(self, values, labels)

    def count_exceptions(self, exception: ExceptionTypes = Exception, **labels: str) -> ExceptionCounter:
        """Count the exceptions that end a block, or calls of a decorated function, sync or async.

        Args:
            exception: the types to count.
            labels: the value of each label.

        Example:
            >>> failures = Counter("failures", "Failed exports.", registry=registry)
            >>> with failures.count_exceptions(ValueError):
            ...     int("x")
            Traceback (most recent call last):
            ValueError: invalid literal for int() with base 10: 'x'
            >>> registry.value("failures_total")
            1.0
        """
        return self.labels(**labels).count_exceptions(exception)


def _adder(registry: Registry, cell: int, refuse: Callable[[str], None]) -> Callable[..., None]:
    """Return the function that adds to one cell."""
    slot, largest = registry.slot, LARGEST

    def add_one() -> int:
        slot.row[cell] += 1.0
        return 1

    step = registry.storage.stepper(cell) or add_one

    def inc(amount: float | None = None, exemplar: object = None) -> None:  # noqa: ARG001 - as in Counter.inc
        try:
            if amount is None:
                step()
                return
            if amount.__class__ is not float:
                amount = float(amount + 0.0)
            if amount >= 0.0 and amount <= largest:
                slot.row[cell] += amount
                return
        except Exception:  # noqa: BLE001, S110 - not a number, or no room for the thread's row
            pass
        refuse("a number is finite and not negative")

    return inc
