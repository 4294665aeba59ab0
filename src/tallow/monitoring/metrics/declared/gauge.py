"""Gauges that an application declares."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, cast

from tallow.monitoring.catalog import Merge
from tallow.monitoring.catalog.declaration import LabelValues
from tallow.monitoring.lifecycle import warn_once
from tallow.monitoring.metrics.declared.blocks import InProgress, Timer
from tallow.monitoring.metrics.declared.instrument import AnyRegistry, Instrument
from tallow.monitoring.metrics.family import LARGEST

_MODES: Final = {
    "sum": "sum",
    "livesum": "sum",
    "min": "min",
    "livemin": "min",
    "max": "max",
    "livemax": "max",
    "local": "local",
}
"""How the workers' values are combined, by the name of the mode here or in prometheus_client."""


class GaugeChild:
    """One series of a gauge; its methods are those of :class:`Gauge` without labels.

    Example:
        >>> carts = Gauge("carts", "Open carts.", {"kind": ("guest", "member")}, registry=registry)
        >>> guest = carts.labels(kind="guest")
        >>> guest.set(3)
        >>> guest.dec()
        >>> registry.value("carts", kind="guest")
        2.0
    """

    def __init__(self, gauge: Gauge, values: tuple[Any, ...], labels: Mapping[str, Any]) -> None:
        self._gauge = gauge
        self._find = partial(gauge.find, values, labels)
        self._cell: int | None = self._find() if gauge.is_bound else None

    @property
    def cell(self) -> int:
        """The cell of the series in the registry's rows."""
        if self._cell is None:
            self._cell = self._find()
        return self._cell

    def inc(self, amount: float = 1) -> None:
        """Add an amount, which may be negative."""
        self._gauge.change(self, amount, 1.0)

    def dec(self, amount: float = 1) -> None:
        """Subtract an amount."""
        self._gauge.change(self, amount, -1.0)

    def set(self, value: float) -> None:
        """Set the value."""
        self._gauge.replace(self, value)

    def set_to_current_time(self) -> None:
        """Set the value to the seconds since the Unix epoch."""
        self.set(time.time())

    def time(self) -> Timer:
        """Set the value to the duration of a block, or of a call of a decorated function, in seconds."""
        return Timer(self.set, self._gauge.labels)

    def track_inprogress(self) -> InProgress:
        """Raise the value by 1 during a block or a call of a decorated function, sync or async."""
        return InProgress(self.inc, self.dec)

    def set_function(self, function: Callable[[], float]) -> None:
        """Read the value from a function: see :meth:`Gauge.set_function`."""
        self._gauge.add_function(self, function)


class Gauge(Instrument[GaugeChild]):
    """A number that rises and falls.

    Args:
        name: without namespace.
        documentation: one sentence for the exposition.
        labels: the values of each label, as a tuple or as :class:`Registered`.
        namespace: what precedes the name; None for the application's namespace.
        subsystem: what stands between namespace and name.
        unit: appended to the name.
        registry: a :class:`Registry` or :class:`Metrics`; by default the process's own.
        multiprocess_mode: how the values of live workers are combined: ``sum``, ``min``, ``max``, or
            ``local`` for the value of the worker that is scraped. ``livesum``, ``livemin`` and ``livemax``
            are the same as without ``live``.

    Raises:
        ValueError: one line that names what is wrong and what is accepted.

    Example:
        >>> rooms = Gauge("rooms", "Open rooms.", registry=registry)
        >>> rooms.set(3)
        >>> rooms.dec()
        >>> registry.value("rooms")
        2.0
    """

    kind = "gauge"

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: Mapping[str, LabelValues] | None = None,
        namespace: str | None = "",
        subsystem: str = "",
        unit: str = "",
        registry: AnyRegistry | None = None,
        multiprocess_mode: str = "sum",
    ) -> None:
        if multiprocess_mode not in _MODES:
            raise ValueError(
                f"gauge {name!r}: multiprocess_mode {multiprocess_mode!r} is not known; accepted are "
                f"{', '.join(_MODES)}"
            )
        self._functions: list[tuple[GaugeChild, Callable[[], float]]] = []
        self._reads_functions = False
        merge = cast("Merge", _MODES[multiprocess_mode])
        super().__init__(name, documentation, labels, namespace, subsystem, unit, registry, merge=merge)

    def inc(self, amount: float = 1, **labels: str) -> None:
        """Add an amount, which may be negative.

        Args:
            amount: a finite number; another value is left out and counted.
            labels: the value of each label.

        Raises:
            ValueError: in strict mode only.
        """
        self.labels(**labels).inc(amount)

    def dec(self, amount: float = 1, **labels: str) -> None:
        """Subtract an amount: see :meth:`inc`."""
        self.labels(**labels).dec(amount)

    def set(self, value: float, **labels: str) -> None:
        """Set the value.

        Args:
            value: a finite number; another value is left out and counted.
            labels: the value of each label.

        Raises:
            ValueError: in strict mode only.
        """
        self.labels(**labels).set(value)

    def set_to_current_time(self, **labels: str) -> None:
        """Set the value to the seconds since the Unix epoch."""
        self.labels(**labels).set_to_current_time()

    def time(self, **labels: str) -> Timer:
        """Set the value to the duration of a block, or of a call of a decorated function, in seconds."""
        return self.labels(**labels).time()

    def track_inprogress(self, **labels: str) -> InProgress:
        """Raise the value by 1 during a block or a call of a decorated function, sync or async.

        Example:
            >>> exports = Gauge("running_exports", "Exports that run.", registry=registry)
            >>> with exports.track_inprogress():
            ...     registry.value("running_exports")
            1.0
            >>> registry.value("running_exports")
            0.0
        """
        return self.labels(**labels).track_inprogress()

    def set_function(self, function: Callable[[], float], **labels: str) -> None:
        """Read the value from a function before each exposition.

        Each worker process calls its own function, and the values are combined as ``multiprocess_mode`` says.
        A function that raises is counted in ``collector_failures_total``; the series keeps its last value.

        Args:
            function: called from any thread; it must not block.
            labels: the value of each label.

        Example:
            >>> queue = [1, 2]
            >>> depth = Gauge("queue_depth", "Waiting jobs.", registry=registry)
            >>> depth.set_function(lambda: len(queue))
            >>> registry.value("queue_depth")
            2.0
        """
        self.add_function(self.labels(**labels), function)

    def add_function(self, child: GaugeChild, function: Callable[[], float]) -> None:
        """Read one series from a function, instead of an earlier one."""
        others = [known for known in self._functions if known[0] is not child]
        self._functions = [*others, (child, function)]
        if self.is_bound:
            self._on_bound()

    def change(self, child: GaugeChild, amount: float, sign: float) -> None:
        """Add to one series. With the lock: setting a gauge replaces the rows of all threads."""
        number = self.as_number(amount, -LARGEST)
        if number is not None:
            cell = child.cell
            with self.target.lock:
                self.slot.row[cell] += sign * number

    def replace(self, child: GaugeChild, value: float) -> None:
        """Set one series."""
        number = self.as_number(value, -LARGEST)
        if number is not None:
            self.target.storage.set(child.cell, number)

    def _new_child(self, values: tuple[Any, ...], labels: dict[str, Any]) -> GaugeChild:
        return GaugeChild(self, values, labels)

    def _on_bound(self) -> None:
        if self._functions and not self._reads_functions:
            self._reads_functions = True
            self.bind()
            self.target.on_collect(self._read_functions)

    def _read_functions(self) -> None:
        for child, function in self._functions:
            try:
                child.set(function())
            except Exception as error:  # noqa: BLE001 - the other series are still exposed
                warn_once.warn_once("the function of a gauge failed", self.metric.name, error)
                self.target.count_collector_failure()
