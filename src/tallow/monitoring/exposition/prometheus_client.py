"""Collectors that the application, or a library of its, has registered with prometheus_client.

They stand in our exposition, so that moving to this library loses no metric. prometheus_client is not a
dependency: nobody who has not imported it has registered anything there.
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
    """What is registered in prometheus_client's default registry, less what it registers by itself: the
    process and the interpreter, which we expose. Where it was told of several workers, its files of them."""
    client: Any = sys.modules.get("prometheus_client")
    if client is None:
        return []
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return [_Files()]
    defaults = (client.GC_COLLECTOR, client.PLATFORM_COLLECTOR, client.PROCESS_COLLECTOR)
    # Its own collect() ends with the first collector that raises, and the rest would be lost with it.
    registered = list(getattr(client.REGISTRY, "_collector_to_names", (client.REGISTRY,)))
    return [collector for collector in registered if not any(collector is default for default in defaults)]


def pieces(registry: Registry, *, openmetrics: bool, escaping: str = UNDERSCORES) -> Iterator[bytes]:
    """Their exposition, one metric a piece, less the creation times, which nobody's dashboard reads, and less
    what bears the name of a metric of ours or of another of theirs.

    A collector that raises, and a metric that is left out, are counted, and said once. This may take as long
    as they take.

    Args:
        openmetrics: the format; text otherwise.
        escaping: how names outside the classic character set are written, see
            :mod:`tallow.monitoring.exposition.escaping`.
    """
    ours = {_stem(family.metric.full_name) for family in list(registry.families.values())}

    def left_out(name: str, why: str) -> None:
        warn_once.warn_once(f"a prometheus_client metric is missing, because {why}", name)
        registry.count_collector_failure()

    writer = FamilyWriter(
        openmetrics=openmetrics,
        scheme=escaping,
        taken=lambda name: _stem(name) in ours,
        left_out=left_out,
    )
    for collector in collectors():
        try:
            writer.add(collector.collect())
        except Exception as error:  # noqa: BLE001 - somebody else's code
            warn_once.warn_once(
                "a prometheus_client collector failed, its metrics are missing", collector, error
            )
            registry.count_collector_failure()
    yield from writer.pieces()


class _Files:
    """prometheus_client's own files of several workers, as its documentation has them read."""

    def collect(self) -> Iterator[Any]:
        registry: Any = importlib.import_module("prometheus_client").CollectorRegistry()
        importlib.import_module("prometheus_client.multiprocess").MultiProcessCollector(registry)
        yield from registry.collect()


def _stem(name: str) -> str:
    ending = next((ending for ending in _ENDINGS if name.endswith(ending)), "")
    return name.removesuffix(ending)
