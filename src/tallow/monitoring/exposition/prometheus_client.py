"""Expose the collectors that the application or its libraries have registered with prometheus_client.

prometheus_client is not a dependency: if it is not imported, no collector is registered with it.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from typing import Any, Final

from tallow.monitoring.exposition.escaping import UNDERSCORES
from tallow.monitoring.exposition.metric_family import FamilyWriter
from tallow.monitoring.lifecycle import warn_once
from tallow.monitoring.metrics.registry import Registry

_ENDINGS: Final = ("_total", "_bucket", "_count", "_sum")


def collectors() -> list[Any]:
    """Return the collectors of prometheus_client's default registry.

    Its own collectors of the process and the interpreter are left out: our metrics cover them. If
    ``PROMETHEUS_MULTIPROC_DIR`` is set, its files are read instead.
    """
    client: Any = sys.modules.get("prometheus_client")
    if client is None:
        return []
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return [_MultiprocessFiles()]
    defaults = (client.GC_COLLECTOR, client.PLATFORM_COLLECTOR, client.PROCESS_COLLECTOR)
    # REGISTRY.collect() ends with the first collector that raises and loses the others.
    registered = list(getattr(client.REGISTRY, "_collector_to_names", (client.REGISTRY,)))
    return [collector for collector in registered if not any(collector is default for default in defaults)]


def pieces(registry: Registry, *, openmetrics: bool, escaping: str = UNDERSCORES) -> Iterator[bytes]:
    """Yield the exposition of the collectors, one metric at a time, without creation times.

    Metrics with the name of one of ours or of an earlier one are left out. These and collectors that raise
    are counted, and logged once. The call blocks as long as the collectors do.

    Args:
        registry: has our metrics; failures are counted there.
        openmetrics: whether to expose OpenMetrics instead of text.
        escaping: see :mod:`tallow.monitoring.exposition.escaping`.
    """
    reserved = {_stem(family.name) for family in list(registry.families.values())}

    def on_omitted(name: str, reason: str) -> None:
        warn_once.warn_once(f"a prometheus_client metric is left out: {reason}", name)
        registry.count_collector_failure()

    writer = FamilyWriter(
        openmetrics=openmetrics,
        scheme=escaping,
        is_reserved=lambda name: _stem(name) in reserved,
        on_omitted=on_omitted,
    )
    for collector in collectors():
        try:
            writer.add(collector.collect())
        except Exception as error:  # noqa: BLE001 - foreign code
            warn_once.warn_once(
                "a prometheus_client collector failed; its metrics are left out", collector, error
            )
            registry.count_collector_failure()
    yield from writer.pieces()


class _MultiprocessFiles:
    """Reads prometheus_client's files of several workers, as its documentation describes."""

    def collect(self) -> Iterator[Any]:
        registry: Any = importlib.import_module("prometheus_client").CollectorRegistry()
        importlib.import_module("prometheus_client.multiprocess").MultiProcessCollector(registry)
        yield from registry.collect()


def _stem(name: str) -> str:
    ending = next((ending for ending in _ENDINGS if name.endswith(ending)), "")
    return name.removesuffix(ending)
