"""The registry: all series of a process, and the operations that change them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from time import time

from tallow.monitoring.catalog import CATALOG_OF, CORE, Metric
from tallow.monitoring.correlation import exemplar_id
from tallow.monitoring.lifecycle import fork, warn_once
from tallow.monitoring.metrics.declarations import Declarations
from tallow.monitoring.metrics.family import LARGEST, Family, Key, as_key
from tallow.monitoring.metrics.family_registry import METRIC_LABELLED, FamilyRegistry
from tallow.monitoring.metrics.names import DEFAULT_NAMESPACE
from tallow.monitoring.metrics.sample import Sample
from tallow.monitoring.metrics.snapshot import Snapshot, series_rows
from tallow.monitoring.metrics.storage import LocalStorage, Storage
from tallow.monitoring.metrics.workers.sums import placed_cells

Exemplar = tuple[str, float, float]
"""Id, value and time (seconds since the epoch) of one observation of a bucket.

The id is that of ``correlation.exemplar_id()``: a correlation id, or ids of a trace and a span.

Prometheus drops exemplars without a time when it converts classic histograms to native ones
(``convert_classic_histograms_to_nhcb``).
"""


class Registry(FamilyRegistry):
    """All metrics of one process, peer or test.

    Series exist at 0 from the start for each combination of known label values, so that ``increase()`` sees
    the first event.

    Args:
        metrics: the metrics to declare; by default those of every application
            (:data:`tallow.monitoring.catalog.CORE`).
        storage: where the samples are kept; by default in this process's memory.
        namespace: what precedes the names of all metrics that have no namespace of their own.
        catalogs: names of :data:`tallow.monitoring.catalog.CATALOGS` to add.
        declarations: the metrics that the application declares with ``Counter`` and the like.

    Raises:
        ValueError: a metric is declared twice or cannot be exposed, or there is no such catalogue.

    Example:
        >>> from tallow.monitoring.catalog.declaration import counter
        >>> registry = Registry(namespace="shop")
        >>> exports = registry.declare(counter("exports", "Exports made.", {"format": ("csv", "pdf")}))
        >>> registry.add(exports, "csv")
        >>> registry.value("exports_total", format="csv")
        1.0
    """

    def __init__(
        self,
        metrics: Iterable[Metric] = CORE,
        storage: Storage | None = None,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        catalogs: Iterable[str] = (),
        declarations: Declarations | None = None,
    ) -> None:
        own = Declarations() if declarations is None else declarations  # an empty one is false
        super().__init__(storage or LocalStorage(), namespace, own)
        self.exemplars: dict[int, Exemplar] = {}
        self._collectors: list[Callable[[], None]] = []
        for metric in metrics:
            self.declare(metric)
        self.add_catalogs(catalogs)
        fork.register(self, self.lock)

    def close(self) -> None:
        """Stop refreshing gauges and release shared files. Closing twice is allowed."""
        self._collectors.clear()
        self._waiting.clear()
        fork.unregister(self)
        self.storage.close()

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
        self._bind_declared()
        self.refresh()
        others = self.storage.other_processes()
        for _, sums in others:
            self._add_catalogs_of(sums)
        self.add_definitions(self.storage.other_definitions())
        placed = [part for alive, sums in others for part in placed_cells(self.families, sums, alive)]
        row = self.storage.read()
        for combine, first, cells in placed:
            row[first : first + len(cells)] = map(combine, row[first : first + len(cells)], cells)
        return row

    def _add_catalogs_of(self, names: Iterable[str]) -> None:
        """Add the catalogues that another worker has added."""
        for name in names:
            if name in CATALOG_OF and name not in self.families:
                self._add_what_fits(CATALOG_OF[name])

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
        self.count_overflow(family.key)

    def set(self, family: Family, key: Key, value: float) -> None:
        """Set a gauge. Use :meth:`set` or :meth:`add` for one gauge, not both: together they race."""
        try:
            number = float(value + 0.0)
            if -LARGEST <= number <= LARGEST and family.width == 1:
                self.storage.set(family.series_for(key), number)
                return
        except Exception:  # noqa: BLE001, S110 - as in add
            pass
        self.count_overflow(family.key)

    def observe_plain(self, family: Family, key: Key, value: float) -> None:
        """As :meth:`observe`, without an exemplar: no context variable is read."""
        try:
            number = float(value + 0.0)
            if 0.0 <= number <= family.largest_observation:
                first = family.series_for(key)
                row = self.slot.row
                row[first + bisect_left(family.edges, number)] += 1.0
                row[first + family.sum_at] += number
                return
        except Exception:  # noqa: BLE001, S110 - as in add
            pass
        self.count_overflow(family.key)

    def observe(self, family: Family, key: Key, value: float) -> None:
        """Observe a value in a histogram: finite and not negative, in the metric's unit."""
        try:
            number = float(value + 0.0)
            if 0.0 <= number <= family.largest_observation:
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
        self.count_overflow(family.key)

    def value(self, name: str, **labels: str) -> float:
        """Return the value of a counter or gauge, or of ``NAME_count`` or ``NAME_sum`` of a histogram.

        Args:
            name: with or without the namespace.
            labels: the value of each label.

        Raises:
            KeyError: there is no such metric or series.
        """
        cells = self.collect()  # first: another worker may have added the metric or the series
        family = self.find(name)
        if family is None:
            family = self.find(name.removesuffix("_count").removesuffix("_sum"))
        if family is None:
            raise KeyError(name)
        if family.key in METRIC_LABELLED:
            described = self.find(labels["metric"])
            labels = {"metric": labels["metric"] if described is None else described.key}
        first = family.get(as_key(tuple(labels[label] for label in family.metric.label_names)))
        if first is None:
            raise KeyError(f"{name}{labels}")
        row = cells[first : first + family.width]
        if family.metric.kind != "histogram":
            return row[0]
        return row[-1] if name.endswith("_sum") else sum(row[:-1])

    def snapshot(self, names: Iterable[str]) -> Snapshot:
        """Return the totals of counters and histograms that are not 0: see :data:`Snapshot`."""
        row = self.collect()
        return {name: rows for name in names if (rows := series_rows(self.families[name], row))}

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
        """Yield each metric's key and its number of exposed lines."""
        for family in list(self.families.values()):
            lines = len(family.edges) + 3 if family.metric.kind == "histogram" else 1
            yield family.key, lines * len(family.exposed())
