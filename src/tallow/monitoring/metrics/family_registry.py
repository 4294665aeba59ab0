"""Which metrics a registry has, under which names, and which label values are allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from tallow.monitoring.catalog import CATALOG_OF, CATALOGS, METRICS, OTHER, Label, Metric
from tallow.monitoring.catalog.validation import definition_problem
from tallow.monitoring.lifecycle import warn_once
from tallow.monitoring.metrics.declarations import Declarations
from tallow.monitoring.metrics.family import MAX_REGISTERED, Family, Only, is_name
from tallow.monitoring.metrics.names import ExposedNames, FamilyTable
from tallow.monitoring.metrics.storage import Storage, ThreadSlot

METRIC_LABELLED: Final = ("label_overflow_total", "metric_series")
"""Metrics about metrics: their label ``metric`` is an exposed name."""

REMEMBERED_LABELS: Final = frozenset(
    label.name for metric in METRICS.values() for label in metric.labels if label.registered
)
"""Labels whose values are registered before a metric that has them is added."""


class FamilyRegistry:
    """Declares metrics, registers values of their labels, and adds catalogues.

    Args:
        storage: where the samples are kept.
        namespace: what precedes the names of all metrics that have no namespace of their own.
        declarations: the metrics that the application declares with ``Counter`` and the like.
    """

    def __init__(self, storage: Storage, namespace: str, declarations: Declarations) -> None:
        self.declarations = declarations
        self._bound = 0
        self._names = ExposedNames(namespace)
        self.storage = storage
        self.lock = storage.lock
        self.slot = ThreadSlot(storage)
        self.families = FamilyTable(self.add_catalog_of)
        self._registered: dict[str, dict[str, Only]] = {}
        self._waiting: dict[str, list[Callable[[], None]]] = {}
        self._catalogs: set[str] = set()
        self._adopted: set[str] = set()

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
            >>> from tallow.monitoring.metrics import Registry
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
            >>> from tallow.monitoring.metrics import Registry
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
            if metric.key not in METRICS:
                self.storage.describe(metric)
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
        metric = replace(metric, labels=(Label("metric", registered=True),))
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
            if known is not None and (known.metric == metric or metric.key not in self._adopted):
                return known
            if known is not None:  # another worker runs another version of the program
                self._names.release(self.families.pop(metric.key).metric)
                self._adopted.discard(metric.key)
            try:
                return self.declare(metric)
            except ValueError as error:
                warn_once.warn_once(f"a declared metric is left out: {error}")
                return self._create_hidden(metric)

    def add_definitions(self, definitions: Mapping[str, Metric]) -> None:
        """Add metrics that only other workers have declared, so that their samples are exposed here.

        One that cannot be exposed is left out, with one warning.
        """
        for key, metric in definitions.items():
            with self.lock:
                if key in self.families:
                    continue
                try:
                    self.declare(metric)
                    self._adopted.add(key)
                except (ValueError, TypeError) as error:
                    warn_once.warn_once(f"a metric of another worker is left out: {error}")

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

    def count_overflow(self, metric: str) -> None:
        """Count a label value that became ``other``, or an impossible number, by the metric's key."""
        overflows = self.families.get("label_overflow_total")
        if overflows is None:
            return
        cell = overflows.get(metric)
        with suppress(Exception):  # the thread may get no row
            self.slot.row[overflows[OTHER] if cell is None else cell] += 1

    def find(self, name: str) -> Family | None:
        """Return the metric of a name with or without the namespace; None if there is none."""
        if name in self.families:
            return self.families[name]
        return next((family for family in list(self.families.values()) if family.name == name), None)
