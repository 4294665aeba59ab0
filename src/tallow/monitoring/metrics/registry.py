"""The registry: all series of a process, and the operations that change them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from operator import add
from time import time
from typing import Final

from tallow.monitoring.catalog import CATALOG_OF, CATALOGS, CORE, METRICS, OTHER, Metric, registered
from tallow.monitoring.catalog.validation import definition_problem
from tallow.monitoring.correlation import exemplar_id
from tallow.monitoring.lifecycle import fork, warn_once
from tallow.monitoring.metrics.declarations import Declarations
from tallow.monitoring.metrics.family import LARGEST, MAX_REGISTERED, Family, Key, Only, as_key, is_name
from tallow.monitoring.metrics.names import DEFAULT_NAMESPACE, ExposedNames, FamilyTable
from tallow.monitoring.metrics.sample import Sample
from tallow.monitoring.metrics.storage import LocalStorage, Storage, Sums, ThreadSlot

METRIC_LABELLED: Final = ("label_overflow_total", "metric_series")
"""Metrics about metrics: their label ``metric`` is an exposed name."""

REMEMBERED_LABELS: Final = frozenset(
    label.name for metric in METRICS.values() for label in metric.labels if label.registered
)
"""Labels whose values are registered before a metric that has them is added."""

Combine = Callable[[float, float], float]

Exemplar = tuple[str, float, float]
"""Id, value and time (seconds since the epoch) of one observation of a bucket.

The id is that of ``correlation.exemplar_id()``: a correlation id, or ids of a trace and a span.

Prometheus drops exemplars without a time when it converts classic histograms to native ones
(``convert_classic_histograms_to_nhcb``).
"""


class Registry:
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
        >>> from tallow.monitoring.catalog import Metric, closed
        >>> registry = Registry(namespace="shop")
        >>> formats = closed("format", "csv", "pdf")
        >>> exports = registry.declare(Metric("exports_total", "counter", "Exports made.", (formats,)))
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
        self.declarations = Declarations() if declarations is None else declarations
        self._bound = 0
        self._names = ExposedNames(namespace)
        self.storage: Storage = storage or LocalStorage()
        self.lock = self.storage.lock
        self.slot = ThreadSlot(self.storage)
        self.exemplars: dict[int, Exemplar] = {}
        self.families = FamilyTable(self.add_catalog_of)
        self._collectors: list[Callable[[], None]] = []
        self._registered: dict[str, dict[str, Only]] = {}
        self._waiting: dict[str, list[Callable[[], None]]] = {}
        self._catalogs: set[str] = set()
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

    @property
    def namespace(self) -> str:
        """What precedes the names of the metrics; an empty text for nothing."""
        return self._names.namespace

    def set_namespace(self, namespace: str) -> None:
        """Change the namespace, until the metrics are exposed for the first time.

        Raises:
            ValueError: the metrics have been exposed with another namespace, a name would not be valid, or
                two metrics would have one name.

        Example:
            >>> registry = Registry()
            >>> registry.set_namespace("shop")
            >>> registry.families["workers"].name
            'shop_workers'
        """
        with self.lock:
            self._names.change(namespace, self.families.values())
            for family in self.families.values():
                family.name = self._names.of(family.metric)
            for name in METRIC_LABELLED:
                if name in self.families:
                    self.families[name].update_labels()

    def fix_namespace(self) -> None:
        """Refuse a change of the namespace from now on, because the metrics are exposed."""
        self._names.fixed = True

    def add_catalogs(self, names: Iterable[str]) -> None:
        """Add the metrics of catalogues, with all series at 0. One that is present is ignored.

        Args:
            names: of :data:`tallow.monitoring.catalog.CATALOGS`.

        Raises:
            ValueError: there is no such catalogue, or one of its names belongs to another metric.

        Example:
            >>> registry = Registry()
            >>> registry.add_catalogs(["storage"])
            >>> registry.value("db_operation_duration_seconds_count", operation="select", status="failed")
            0.0
        """
        wanted = [names] if isinstance(names, str) else list(names)
        unknown = [name for name in wanted if name not in CATALOGS]
        if unknown:
            raise ValueError(f"no catalogue is named {unknown[0]!r}; accepted are {', '.join(CATALOGS)}")
        for name in wanted:
            with self.lock:
                for metric in CATALOGS[name]:
                    if metric.key not in self.families:
                        self.declare(metric)
                self._catalogs.add(name)
                waiting = self._waiting.pop(name, [])
            for prepare in waiting:
                prepare()

    def when_added(self, catalog: str, prepare: Callable[[], None]) -> None:
        """Call ``prepare`` once the catalogue is present, at once if it is."""
        with self.lock:
            if catalog not in self._catalogs:
                self._waiting.setdefault(catalog, []).append(prepare)
                return
        prepare()

    def declare(self, metric: Metric) -> Family:
        """Add a metric.

        Args:
            metric: its definition.

        Returns:
            The metric's series, to be passed to :meth:`add`, :meth:`set` or :meth:`observe`.

        Raises:
            ValueError: a metric of that name exists, or the exposition formats do not allow its name, labels,
                help or bucket edges.
        """
        if metric.key in self.families:
            raise ValueError(f"metric {metric.name!r} is already declared")
        problem = definition_problem(metric)
        if problem is not None:
            raise ValueError(f"metric {metric.name!r}: {problem}")
        with self.lock:
            self._names.claim(metric)
            family = self._create_family(metric)
            self.families[metric.key] = family
            for label in metric.labels if metric.name not in METRIC_LABELLED else ():
                for value, only in self._registered.get(label.name, {}).items() if label.registered else ():
                    family.register(label.name, value, only)
            for name in METRIC_LABELLED:
                if name in self.families:
                    self.families[name].register("metric", metric.key)
        return family

    def _create_family(self, metric: Metric) -> Family:
        name = self._names.of(metric)
        if metric.name not in METRIC_LABELLED:
            return Family(metric, self.storage, self.count_overflow, name)
        # The label holds the metrics' keys, so that it does not change with the namespace, which other
        # workers' files do not know. The exposed names are shown.
        metric = replace(metric, labels=(registered("metric"),))
        family = Family(metric, self.storage, self.count_overflow, name, self._shown_name)
        for key in self.families:
            family.register("metric", key)
        return family

    def _shown_name(self, key: str) -> str:
        family = self.families.get(key)
        return key.removeprefix(":") if family is None else family.name

    def bind(self, metric: Metric) -> Family:
        """Return the series of a declared metric, which is added with the first call.

        A metric whose exposed name belongs to another metric is hidden, with one warning.
        """
        with self.lock:
            known = self.families.get(metric.key)
            if known is not None:
                return known
            try:
                return self.declare(metric)
            except ValueError as error:
                warn_once.warn_once(f"a declared metric is left out: {error}")
                return self._create_hidden(metric)

    def _bind_declared(self) -> None:
        """Add what the application has declared and not used yet, so that its series exist at 0."""
        if len(self.declarations) > self._bound:
            found = self.declarations.all()
            for declared in found:
                self.bind(declared.metric)
                declared.on_bound()
            self._bound = len(found)

    def register(self, label: str, value: str, only: Only = None) -> bool:
        """Allow a value of a label in every metric that has the label, and in those added later.

        Args:
            label: the label's name.
            value: a short printable text.
            only: values of other labels that occur with this one, such as a route's methods.

        Returns:
            False if the limit of registered values is reached or the value cannot be registered.
        """
        with self.lock:
            remembered = self._registered.setdefault(label, {}) if label in REMEMBERED_LABELS else {}
            registered = is_name(value) and (value in remembered or len(remembered) < MAX_REGISTERED)
            if registered:
                remembered.setdefault(str.__str__(value), only)
            for family in self.families.values():
                if any(has.name == label and has.registered for has in family.metric.labels):
                    registered &= family.register(label, value, only)
            return registered

    def add_catalog_of(self, name: str) -> Family:
        """Add the catalogue of a metric that is recorded without it, and warn once.

        Returns:
            The metric's series. A metric whose exposed name belongs to another metric is hidden.

        Raises:
            KeyError: no catalogue has the metric.
        """
        catalog = CATALOG_OF[name]
        warn_once.warn_once(
            f"metrics of the catalogue {catalog!r} are recorded and were not asked for; they are added now, "
            f"so that their first samples are not seen as increases: pass catalogs=[{catalog!r}] to "
            "instrument() or Registry()"
        )
        self._add_what_fits(catalog)
        found = self.families.get(name)
        return self._create_hidden(METRICS[name]) if found is None else found

    def _add_what_fits(self, catalog: str) -> None:
        """Add a catalogue; warn once if one of its names belongs to another metric."""
        try:
            self.add_catalogs((catalog,))
        except ValueError as error:
            warn_once.warn_once(f"a metric of the catalogue {catalog!r} is left out: {error}")

    def _create_hidden(self, metric: Metric) -> Family:
        """Create the series of a metric that cannot be exposed."""
        with self.lock:
            family = self.families[metric.key] = self._create_family(metric)
            family.hide()
        return family

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
            if name in CATALOG_OF and name not in self.families:  # another worker has added the catalogue
                self._add_what_fits(CATALOG_OF[name])
            family = self.families.get(name)
            if family is None or not _is_combined(family.metric, alive):
                continue
            combine = _COMBINE.get(family.metric.merge, add)
            for values, cells in series.items():
                # Another version of the program may have declared the metric differently.
                if len(cells) == family.width and len(values) == len(family.metric.labels):
                    yield combine, family.merge_series(values), cells

    def count_overflow(self, metric: str) -> None:
        """Count a label value that became ``other``, or an impossible number, by the metric's key."""
        overflows = self.families.get("label_overflow_total")
        if overflows is None:
            return
        cell = overflows.get(metric)
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

    def find(self, name: str) -> Family | None:
        """Return the metric of a name with or without the namespace; None if there is none."""
        if name in self.families:
            return self.families[name]
        return next((family for family in list(self.families.values()) if family.name == name), None)

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
        """Yield each metric's key and its number of exposed lines."""
        for family in list(self.families.values()):
            lines = len(family.edges) + 3 if family.metric.kind == "histogram" else 1
            yield family.key, lines * len(family.exposed())


def _is_combined(metric: Metric, alive: bool) -> bool:
    """Whether another worker's samples are added to ours."""
    return metric.merge != "local" and (alive or metric.kind != "gauge")


def _smaller_known(one: float, other: float) -> float:
    """Return the smaller of two times; 0 means that a worker has not set its gauge yet."""
    return min(one, other) if one and other else one or other


_COMBINE: Final[dict[str, Combine]] = {"min": _smaller_known, "max": max}
"""How a gauge of two workers is combined, if not by addition."""
