"""The registry: all series of a process, and the operations that change them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from operator import add
from time import time

from tallow.monitoring.catalog import METRICS, OTHER, PREFIX, Metric
from tallow.monitoring.catalog.validation import definition_problem
from tallow.monitoring.correlation import exemplar_id
from tallow.monitoring.lifecycle import fork, warn_once
from tallow.monitoring.metrics.family import LARGEST, Family, Key, as_key
from tallow.monitoring.metrics.sample import Sample
from tallow.monitoring.metrics.storage import LocalStorage, Storage, Sums, ThreadSlot

Combine = Callable[[float, float], float]

Exemplar = tuple[str, float, float]
"""Correlation id, value and time (seconds since the epoch) of one observation of a bucket.

Prometheus drops exemplars without a time when it converts classic histograms to native ones
(``convert_classic_histograms_to_nhcb``).
"""


class Registry:
    """All metrics of one process, peer or test.

    Series exist at 0 from the start for each combination of known label values, so that ``increase()`` sees
    the first event.

    Args:
        metrics: the metrics to declare; by default the catalogue.
        storage: where the samples are kept; by default in this process's memory.

    Raises:
        ValueError: a metric is declared twice or cannot be exposed.

    Example:
        >>> from tallow.monitoring.catalog import Metric, closed
        >>> registry = Registry()
        >>> formats = closed("format", "csv", "pdf")
        >>> exports = registry.declare(Metric("exports_total", "counter", "Exports made.", (formats,)))
        >>> registry.add(exports, "csv")
        >>> registry.value("exports_total", format="csv")
        1.0
    """

    def __init__(self, metrics: Iterable[Metric] = METRICS.values(), storage: Storage | None = None) -> None:
        self.storage: Storage = storage or LocalStorage()
        self.lock = self.storage.lock
        self.slot = ThreadSlot(self.storage)
        self.exemplars: dict[int, Exemplar] = {}
        self.families: dict[str, Family] = {}
        self._collectors: list[Callable[[], None]] = []
        for metric in metrics:
            self.declare(metric)
        fork.register(self, self.lock)

    def close(self) -> None:
        """Stop refreshing gauges and release shared files. Closing twice is allowed."""
        self._collectors.clear()
        fork.unregister(self)
        self.storage.close()

    def declare(self, metric: Metric) -> Family:
        """Add a metric.

        Args:
            metric: its definition; the name has no prefix.

        Returns:
            The metric's series, to be passed to :meth:`add`, :meth:`set` or :meth:`observe`.

        Raises:
            ValueError: a metric of that name exists, or the exposition formats do not allow its name, labels,
                help or bucket edges.
        """
        if metric.name in self.families:
            raise ValueError(f"metric {metric.name!r} is already declared")
        problem = definition_problem(metric)
        if problem is not None:
            raise ValueError(f"metric {metric.name!r}: {problem}")
        with self.lock:
            family = Family(metric, self.storage, self.count_overflow)
            self.families[metric.name] = family
            for name in ("label_overflow_total", "metric_series"):
                if name in self.families:
                    self.families[name].register("metric", metric.full_name)
        return family

    def register(self, label: str, value: str, only: dict[str, tuple[str, ...]] | None = None) -> bool:
        """Allow a value of a label in every metric that has the label.

        Args:
            label: the label's name.
            value: a short printable text.
            only: values of other labels that occur with this one, such as a route's methods.

        Returns:
            False if the limit of registered values is reached or the value cannot be registered.
        """
        with self.lock:
            registered = True
            for family in self.families.values():
                if any(has.name == label and has.registered for has in family.metric.labels):
                    registered &= family.register(label, value, only)
            return registered

    def on_collect(self, refresh: Callable[[], None]) -> None:
        """Call ``refresh`` before each exposition, from any thread, to update gauges."""
        self._collectors.append(refresh)

    def remove_collector(self, refresh: Callable[[], None]) -> None:
        """Stop calling ``refresh``. A function that is not registered is ignored."""
        with suppress(ValueError):
            self._collectors.remove(refresh)

    def refresh(self) -> None:
        """Update gauges. A function that raises is counted; its gauges keep their last value."""
        for refresh in list(self._collectors):
            try:
                refresh()
            except Exception as error:  # noqa: BLE001 - the other gauges are still exposed
                warn_once.warn_once("a gauge cannot be updated", refresh, error)
                self.count_collector_failure()

    def count_collector_failure(self) -> None:
        """Count a collector that raised or timed out during a scrape."""
        failures = self.families.get("collector_failures_total")
        if failures is not None:
            self.add(failures, ())

    def collect(self) -> list[float]:
        """Update gauges and return a copy of all cells, with other workers' values added."""
        self.refresh()
        others = self.storage.other_processes()
        placed = [part for alive, sums in others for part in self._place(sums, alive)]
        row = self.storage.read()
        for combine, first, cells in placed:
            row[first : first + len(cells)] = map(combine, row[first : first + len(cells)], cells)
        return row

    def _place(self, sums: Sums, alive: bool) -> Iterator[tuple[Combine, int, list[float]]]:
        """Yield how another worker's cells are combined with ours, and the first of ours.

        Gauges of a worker that exited are left out; its counters and histograms remain.
        """
        for name, series in sums.items():
            family = self.families.get(name)
            if (
                family is None
                or family.metric.merge == "local"
                or not (alive or family.metric.kind != "gauge")
            ):
                continue
            combine: Combine = _smaller_known if family.metric.merge == "min" else add
            for values, cells in series.items():
                # Another version of the program may have declared the metric differently.
                if len(cells) == family.width and len(values) == len(family.metric.labels):
                    yield combine, family.merge_series(values), cells

    def count_overflow(self, metric: str) -> None:
        """Count a label value that became ``other``, or an impossible number."""
        overflows = self.families.get("label_overflow_total")
        if overflows is None:
            return
        cell = overflows.get(PREFIX + metric)
        with suppress(Exception):  # the thread may get no row
            self.slot.row[overflows[OTHER] if cell is None else cell] += 1

    # Numbers become plain floats: the repr of a NumPy scalar would break the exposition.

    def add(self, family: Family, key: Key, amount: float = 1) -> None:
        """Add to a series: to a counter only what is not negative.

        Args:
            family: as returned by :meth:`declare`.
            key: the label's value, or a tuple of all label values in the metric's order.
            amount: in the metric's unit.
        """
        try:
            number = float(amount + 0.0)
            if family.lowest <= number <= LARGEST:
                try:
                    cell = family[key]
                except Exception:  # noqa: BLE001 - a key that is not hashable or not a tuple
                    cell = family.series_for(key)
                self.slot.row[cell] += number
                return
        except Exception:  # noqa: BLE001, S110 - recording never raises into its caller
            pass
        self.count_overflow(family.metric.name)

    def set(self, family: Family, key: Key, value: float) -> None:
        """Set a gauge. Use :meth:`set` or :meth:`add` for one gauge, not both: together they race."""
        try:
            number = float(value + 0.0)
            if -LARGEST <= number <= LARGEST:
                self.storage.set(family.series_for(key), number)
                return
        except Exception:  # noqa: BLE001, S110 - as in add
            pass
        self.count_overflow(family.metric.name)

    def observe(self, family: Family, key: Key, value: float) -> None:
        """Observe a value in a histogram: finite and not negative, in the metric's unit."""
        try:
            number = float(value + 0.0)
            if 0.0 <= number <= LARGEST:
                try:
                    first = family[key]
                except Exception:  # noqa: BLE001 - as in add
                    first = family.series_for(key)
                bucket = first + bisect_left(family.edges, number)
                row = self.slot.row
                row[bucket] += 1.0
                row[first + family.sum_at] += number
                request = exemplar_id()
                if request is not None:
                    self.exemplars[bucket] = (request, number, time())
                return
        except Exception:  # noqa: BLE001, S110 - as in add
            pass
        self.count_overflow(family.metric.name)

    def value(self, name: str, **labels: str) -> float:
        """Return the value of a counter or gauge, or of ``NAME_count`` or ``NAME_sum`` of a histogram.

        Raises:
            KeyError: there is no such metric or series.
        """
        stem = name.removesuffix("_count").removesuffix("_sum")
        family = self.families[name] if name in self.families else self.families[stem]
        cells = self.collect()  # first: another worker may add a series
        first = family.get(as_key(tuple(labels[label] for label in family.metric.label_names)))
        if first is None:
            raise KeyError(f"{name}{labels}")
        row = cells[first : first + family.width]
        if family.metric.kind != "histogram":
            return row[0]
        return row[-1] if name.endswith("_sum") else sum(row[:-1])

    def snapshot(self, names: Iterable[str]) -> dict[str, list[dict[str, object]]]:
        """Return the totals of counters and histograms that are not 0, as plain data.

        The form is ``{name: [{labels, value}]}``, and ``{labels, buckets, sum}`` for a histogram: the count
        of each bucket alone, the last one above all edges.
        """
        row = self.collect()
        found: dict[str, list[dict[str, object]]] = {}
        for name in names:
            family = self.families[name]
            for values, first in list(family.children()):
                cells = row[first : first + family.width]
                if not any(cells):
                    continue
                labels = dict(zip(family.metric.label_names, values, strict=True))
                entry: dict[str, object] = {"labels": labels}
                if family.metric.kind == "histogram":
                    entry |= {"buckets": [int(count) for count in cells[:-1]], "sum": cells[-1]}
                else:
                    entry["value"] = cells[0]
                found.setdefault(name, []).append(entry)
        return found

    def merge(self, samples: Iterable[Sample]) -> None:
        """Add samples. The caller has validated them: an unknown metric raises KeyError, an unknown label
        value folds into ``other``."""
        row = self.slot.row
        for sample in samples:
            first = self.families[sample.metric.name][as_key(sample.labels)]
            for offset, amount in enumerate(sample.amounts):
                row[first + offset] += amount

    def after_fork(self) -> None:
        """Begin new shared files in a forked child."""
        if self.storage.shared:
            self.storage.after_fork()
            self.slot.replace_row()

    def live_series(self) -> Iterator[tuple[str, int]]:
        """Yield each metric's full name and its number of exposed lines."""
        for family in list(self.families.values()):
            lines = len(family.edges) + 3 if family.metric.kind == "histogram" else 1
            yield family.metric.full_name, lines * len(family.series)


def _smaller_known(one: float, other: float) -> float:
    """Return the smaller of two times; 0 means that a worker has not set its gauge yet."""
    return min(one, other) if one and other else one or other
