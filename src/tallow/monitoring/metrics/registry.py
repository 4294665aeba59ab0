"""The registry: every series of the catalogue, with a guard on its labels."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from operator import add
from time import time

from tallow.monitoring.catalog import METRICS, OTHER, PREFIX, Metric
from tallow.monitoring.catalog.validation import refusal
from tallow.monitoring.correlation import exemplar_id
from tallow.monitoring.lifecycle import fork, warn_once
from tallow.monitoring.metrics.family import LARGEST, Family, Key, as_key
from tallow.monitoring.metrics.storage import LocalStorage, Storage, Sums, ThreadSlot

Combine = Callable[[float, float], float]

Exemplar = tuple[str, float, float]
"""Correlation id, value, and seconds since the epoch, of an observation that stands for its bucket.

Prometheus drops exemplars without a time when it converts classic histograms to native ones
(``convert_classic_histograms_to_nhcb``).
"""


class Registry:
    """All metrics of one process (or of one peer, or of one test).

    Every counter and histogram exists at 0 for each closed combination from the start. ``storage`` says where
    the numbers live; the default is this process's memory.
    """

    def __init__(self, metrics: Iterable[Metric] = METRICS.values(), storage: Storage | None = None) -> None:
        self.storage: Storage = storage or LocalStorage()
        self.lock = self.storage.lock
        self.mine = ThreadSlot(self.storage)
        self.exemplars: dict[int, Exemplar] = {}
        self.families: dict[str, Family] = {}
        self._collectors: list[Callable[[], None]] = []
        for metric in metrics:
            self.declare(metric)
        fork.register(self, self.lock)

    def declare(self, metric: Metric) -> Family:
        """Add a metric (an application's own, for instance).

        Raises:
            ValueError: a metric of that name exists, or one like this could not be exposed: the name, a
                label, a value or the edges are not what the exposition formats take.
        """
        if metric.name in self.families:
            raise ValueError(f"metric {metric.name!r} is declared already")
        problem = refusal(metric)
        if problem is not None:
            raise ValueError(f"metric {metric.name!r}: {problem}")
        with self.lock:
            family = Family(metric, self.storage, self.overflowed)
            self.families[metric.name] = family
            for about in ("label_overflow_total", "metric_series"):
                if about in self.families:
                    self.families[about].register("metric", metric.full_name)
        return family

    def register(self, label: str, value: str, only: dict[str, tuple[str, ...]] | None = None) -> bool:
        """Allow a value of a guarded label in every metric that has it; False when there is no room left."""
        with self.lock:
            room = True
            for family in self.families.values():
                if any(has.name == label and has.registered for has in family.metric.labels):
                    room &= family.register(label, value, only)
            return room

    def on_collect(self, refresh: Callable[[], None]) -> None:
        """Call ``refresh`` before each exposition, from any thread, to bring gauges up to date."""
        self._collectors.append(refresh)

    def refresh(self) -> None:
        """Bring gauges up to date. One that cannot be keeps its last value, and the scrape goes on."""
        for refresh in list(self._collectors):
            try:
                refresh()
            except Exception as error:  # noqa: BLE001 - whatever it is, the other figures are wanted
                warn_once.warn_once("a gauge cannot be brought up to date", refresh, error)
                self.failed()

    def failed(self) -> None:
        """Count a collector that raised, or did not end, during a scrape."""
        counts = self.families.get("collector_failures_total")
        if counts is not None:
            self.add(counts, ())

    def collect(self) -> list[float]:
        """Bring gauges up to date and return a copy of all cells, other workers' added."""
        self.refresh()
        elsewhere = self.storage.other_processes()
        placed = [part for alive, sums in elsewhere for part in self._place(sums, alive)]
        row = self.storage.read()
        for combine, first, cells in placed:
            row[first : first + len(cells)] = map(combine, row[first : first + len(cells)], cells)
        return row

    def _place(self, sums: Sums, alive: bool) -> Iterator[tuple[Combine, int, list[float]]]:
        """Where another worker's cells go here, and how they combine. What the dead held is gone, what they
        counted is not."""
        for name, series in sums.items():
            family = self.families.get(name)
            if family is None or family.metric.merge == "own" or not (alive or family.metric.kind != "gauge"):
                continue
            combine: Combine = _least_known if family.metric.merge == "min" else add
            for values, cells in series.items():
                # What another version of the program declared otherwise cannot be added to ours.
                if len(cells) == family.width and len(values) == len(family.metric.labels):
                    yield combine, family.merge_series(values), cells

    def overflowed(self, metric: str) -> None:
        """Count a value outside the catalogue: a label folded into ``other``, or an impossible number."""
        counts = self.families.get("label_overflow_total")
        if counts is None:
            return
        cell = counts.get(PREFIX + metric)
        with suppress(Exception):  # no row can be had: then there is nowhere to count
            self.mine.row[counts[OTHER] if cell is None else cell] += 1

    # A number is made a plain float before it is kept: an array's scalar, or any object that can be added,
    # would stand in the exposition as it prints itself.

    def add(self, family: Family, key: Key, amount: float = 1) -> None:
        """Add to a counter (nothing negative) or gauge child."""
        try:
            number = float(amount + 0.0)
            if family.lowest <= number <= LARGEST:
                try:
                    cell = family[key]
                except Exception:  # noqa: BLE001 - a key that is not hashable, or not even a tuple
                    cell = family.series_for(key)
                self.mine.row[cell] += number
                return
        except Exception:  # noqa: BLE001, S110 - whatever was passed, the caller's own work goes on
            pass
        self.overflowed(family.metric.name)

    def set(self, family: Family, key: Key, value: float) -> None:
        """Set a gauge child. A gauge is either set or added to: both at once would be a race."""
        try:
            number = float(value + 0.0)
            if -LARGEST <= number <= LARGEST:
                self.storage.set(family.series_for(key), number)
                return
        except Exception:  # noqa: BLE001, S110 - as in add
            pass
        self.overflowed(family.metric.name)

    def observe(self, family: Family, key: Key, value: float) -> None:
        """Observe a value (not negative, finite) in a histogram child."""
        try:
            number = float(value + 0.0)
            if 0.0 <= number <= LARGEST:
                try:
                    first = family[key]
                except Exception:  # noqa: BLE001 - as in add
                    first = family.series_for(key)
                bucket = first + bisect_left(family.edges, number)
                row = self.mine.row
                row[bucket] += 1.0
                row[first + family.sum_at] += number
                request = exemplar_id()
                if request is not None:
                    self.exemplars[bucket] = (request, number, time())
                return
        except Exception:  # noqa: BLE001, S110 - as in add
            pass
        self.overflowed(family.metric.name)

    def value(self, name: str, **labels: str) -> float:
        """The value of a counter or gauge child, or of ``NAME_count`` / ``NAME_sum`` of a histogram.

        Raises:
            KeyError: no such metric or series.
        """
        stem = name.removesuffix("_count").removesuffix("_sum")
        family = self.families[name] if name in self.families else self.families[stem]
        cells = self.collect()  # first of all: a series may have come with another worker's
        first = family.get(as_key(tuple(labels[label] for label in family.metric.label_names)))
        if first is None:
            raise KeyError(f"{name}{labels}")
        row = cells[first : first + family.width]
        if family.metric.kind != "histogram":
            return row[0]
        return row[-1] if name.endswith("_sum") else sum(row[:-1])

    def snapshot(self, names: Iterable[str]) -> dict[str, list[dict[str, object]]]:
        """Totals of counters and histograms that are not 0, as plain data: ``{name: [{labels, value}]}``,
        and ``{labels, buckets, sum}`` for histograms (each bucket's own count, the last above all edges)."""
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

    def merge(self, snapshot: Mapping[str, Iterable[Mapping[str, object]]]) -> None:
        """Add a snapshot's totals. The caller has validated it: unknown metrics raise, unknown label values
        fold into ``other``."""
        row = self.mine.row
        for name, entries in snapshot.items():
            family = self.families[name]
            for entry in entries:
                labels: Mapping[str, str] = entry["labels"]  # type: ignore[assignment]
                first = family[as_key(tuple(labels[label] for label in family.metric.label_names))]
                for offset, amount in enumerate(_amounts(entry)):
                    row[first + offset] += amount

    def after_fork(self) -> None:
        """This process is a copy now: what it shares with others through files it must begin anew."""
        if self.storage.shared:
            self.storage.after_fork()
            self.mine.renew()

    def live_series(self) -> Iterator[tuple[str, int]]:
        """Exposed lines per metric, by full name."""
        for family in list(self.families.values()):
            lines = len(family.edges) + 3 if family.metric.kind == "histogram" else 1
            yield family.metric.full_name, lines * len(family.series)


def _least_known(one: float, other: float) -> float:
    """The smaller of two times; 0 is a worker's that has not filled its cell in yet."""
    return min(one, other) if one and other else one or other


def _amounts(entry: Mapping[str, object]) -> list[float]:
    if "value" in entry:
        return [float(entry["value"])]  # type: ignore[arg-type]
    return [*entry["buckets"], float(entry["sum"])]  # type: ignore[misc, arg-type]
