"""The metrics that an application declares for one registry, which may not exist yet.

A module that declares a metric at import does no I/O by that: the registry, whose samples may be kept in
shared files, gets the metric with its first use or before the next exposition.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, NamedTuple

from tallow.monitoring.catalog import Metric


class Declared(NamedTuple):
    """A declared metric."""

    metric: Metric
    file: str | None
    """The module that declares it at its top level; None for a declaration within a function."""
    on_bound: Callable[[], None]
    """Called when a registry has the metric."""


class Declarations:
    """Declared metrics by key, in the order of their declaration."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._declared: dict[str, Declared] = {}
        self._owners: dict[str, str] = {}
        self._count = 0

    def __len__(self) -> int:
        """The number of declarations, repeated ones included."""
        return self._count

    def add(self, declared: Declared) -> None:
        """Add a metric.

        A module that is reloaded may declare a metric again with the same definition: both objects record to
        the same series.

        Raises:
            ValueError: the name is declared already.
        """
        metric = declared.metric
        with self._lock:
            known = self._declared.get(metric.key)
            if known is not None:
                _check_repeated(known, declared)
            elif metric.namespace is not None:
                self._claim(metric)
            self._declared[metric.key] = declared
            self._count += 1

    def _claim(self, metric: Metric) -> None:
        """Reserve the names of a metric whose namespace is known."""
        names = metric.sample_names("")
        taken = sorted(names & self._owners.keys())
        if taken:
            raise ValueError(
                f"{metric.kind} {metric.exposed_name('')!r}: the name {taken[0]!r} belongs to "
                f"{self._owners[taken[0]]!r}"
            )
        self._owners.update(dict.fromkeys(names, metric.exposed_name("")))

    def remove(self, metric: Metric) -> None:
        """Remove a metric that the registry refused."""
        with self._lock:
            self._declared.pop(metric.key, None)
            for name in metric.sample_names(""):
                self._owners.pop(name, None)

    def all(self) -> list[Declared]:
        """Return what is declared."""
        with self._lock:
            return list(self._declared.values())


def _check_repeated(known: Declared, declared: Declared) -> None:
    metric = declared.metric
    if known.metric != metric:
        parts = ("kind", "help", "labels", "buckets", "merge")
        different = [part for part in parts if getattr(known.metric, part) != getattr(metric, part)]
        what = f" with a different definition ({', '.join(different)})"
    elif declared.file is None or declared.file != known.file:
        what = ""
    else:
        return
    raise ValueError(
        f"{metric.kind} {metric.exposed_name('')!r} is already declared{what}; declare it once and import it"
    )


DECLARATIONS: Final = Declarations()
"""What the process has declared without naming a registry."""
