"""The metrics of a registry, by key."""

from __future__ import annotations

from collections.abc import Callable

from tallow.monitoring.metrics.family import Family


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
