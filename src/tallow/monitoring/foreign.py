"""Collectors that the application, or a library of its, has registered with prometheus_client.

They stand in our exposition, so that moving to this library loses no metric. prometheus_client is not a
dependency: nobody who has not imported it has registered anything there.
"""

from __future__ import annotations

import copy
import importlib
import os
import sys
from collections.abc import Iterator
from typing import Any, Final

from tallow.monitoring import said
from tallow.monitoring.registry import Registry

_CREATED: Final = ("counter", "histogram", "summary")
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


def pieces(registry: Registry, *, openmetrics: bool) -> Iterator[bytes]:
    """Their exposition, one metric a piece, less the creation times, which nobody's dashboard reads, and less
    what bears the name of a metric of ours.

    A collector that raises is left out, counted, and said once. This may take as long as they take.
    """
    ours = {_stem(family.metric.full_name) for family in list(registry.families.values())}
    for collector in collectors():
        try:
            written = [_written(metric, openmetrics) for metric in _collected(collector, ours)]
        except Exception as error:  # noqa: BLE001 - somebody else's code
            said.once("a prometheus_client collector failed, its metrics are missing", collector, error)
            registry.failed()
            continue
        yield from written


def _collected(collector: Any, ours: set[str]) -> Iterator[Any]:
    for found in collector.collect():
        metric: Any = found
        names = {_stem(metric.name), *(_stem(sample.name) for sample in metric.samples)}
        if names & ours:
            said.once("a prometheus_client metric bears the name of one of ours, and is missing", metric.name)
            continue
        if metric.type in _CREATED:
            metric = copy.copy(metric)
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
        yield metric


class _Files:
    """prometheus_client's own files of several workers, as its documentation has them read."""

    def collect(self) -> Iterator[Any]:
        registry: Any = importlib.import_module("prometheus_client").CollectorRegistry()
        importlib.import_module("prometheus_client.multiprocess").MultiProcessCollector(registry)
        yield from registry.collect()


class _One:
    """A registry of one collected metric, as prometheus_client's writers take it."""

    def __init__(self, metric: Any) -> None:
        self._metric = metric

    def collect(self) -> list[Any]:
        return [self._metric]


def _written(metric: Any, openmetrics: bool) -> bytes:
    module = "prometheus_client.openmetrics.exposition" if openmetrics else "prometheus_client.exposition"
    written: bytes = importlib.import_module(module).generate_latest(_One(metric))
    return written.removesuffix(b"# EOF\n")


def _stem(name: str) -> str:
    ending = next((ending for ending in _ENDINGS if name.endswith(ending)), "")
    return name.removesuffix(ending)
