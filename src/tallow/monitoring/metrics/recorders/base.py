"""What all recorders share: one registry, and the three ways to change a series."""

from __future__ import annotations

from tallow.monitoring.metrics.registry import Registry


class Recorder:
    """Records to one registry.

    Args:
        registry: holds the series.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._families = registry.families
        self._add = registry.add
        self._set = registry.set
        self._observe = registry.observe
