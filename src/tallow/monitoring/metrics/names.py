"""The metrics of a registry by key, and their exposed names: one namespace, and no name twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from tallow.monitoring.catalog import Metric
from tallow.monitoring.metrics.family import Family

DEFAULT_NAMESPACE: Final = "app"
"""The namespace of an application that names none."""

_NAMESPACE: Final = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)?")


class FamilyTable(dict[str, Family]):
    """Maps the key of each metric to its series.

    A look-up with ``[]`` adds a metric that is missing, if a catalogue has it. ``get`` and ``in`` do not.

    Args:
        add: adds the metric and returns its series; raises KeyError for an unknown one.
    """

    def __init__(self, add: Callable[[str], Family]) -> None:
        super().__init__()
        self._add = add

    def __missing__(self, key: str) -> Family:
        return self._add(key)


class ExposedNames:
    """The names that metrics and their samples have in either format.

    Args:
        namespace: letters, digits and underscores; an empty text for none.

    Attributes:
        fixed: whether the namespace can no longer change, because a scrape has seen it.

    Raises:
        ValueError: the namespace is not valid.
    """

    def __init__(self, namespace: str) -> None:
        self.namespace = checked_namespace(namespace)
        self.fixed = False
        self._owners: dict[str, str] = {}

    def of(self, metric: Metric) -> str:
        """Return the exposed name of a metric."""
        return metric.exposed_name(self.namespace)

    def claim(self, metric: Metric) -> None:
        """Reserve the names of a metric.

        Raises:
            ValueError: another metric has one of them.
        """
        name = self.of(metric)
        taken = sorted(metric.sample_names(self.namespace) & self._owners.keys())
        if taken:
            raise ValueError(f"metric {name!r}: the name {taken[0]!r} belongs to {self._owners[taken[0]]!r}")
        self._owners.update(dict.fromkeys(metric.sample_names(self.namespace), name))

    def release(self, metric: Metric) -> None:
        """Give up the names of a metric that has them."""
        for name in metric.sample_names(self.namespace):
            self._owners.pop(name, None)

    def change(self, namespace: str, families: Iterable[Family]) -> None:
        """Change the namespace. Nothing changes if it raises.

        Raises:
            ValueError: the namespace is fixed or not valid, or two metrics would have one name.
        """
        if namespace == self.namespace:
            return
        if self.fixed:
            raise ValueError(
                f"namespace {namespace!r}: the metrics have been exposed as {self.namespace + '_…'!r}; "
                "set the namespace before the first scrape"
            )
        changed = ExposedNames(namespace)
        for family in families:
            changed.claim(family.metric)
        self.namespace, self._owners = namespace, changed._owners


def checked_namespace(namespace: str) -> str:
    """Return a valid namespace.

    Raises:
        ValueError: one line with what is accepted.
    """
    if not isinstance(namespace, str) or not _NAMESPACE.fullmatch(namespace):
        raise ValueError(
            f"namespace {namespace!r}: accepted are letters, digits and underscores, not a digit first"
        )
    return namespace
