"""Collectors that the application, or a library of its, has registered with prometheus_client.

They stand in our exposition, so that moving to this library loses no metric. prometheus_client is not a
dependency: nobody who has not imported it has registered anything there.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

from tallow.monitoring.catalog import PREFIX


def pieces(*, openmetrics: bool) -> Iterator[bytes]:
    """The exposition of prometheus_client's default registry, one metric a piece, less what it collects by
    default (the process and the interpreter, which we expose ourselves) and whatever bears our prefix."""
    client: Any = sys.modules.get("prometheus_client")
    if client is None:
        return
    defaults = {
        metric.name
        for collector in (client.GC_COLLECTOR, client.PLATFORM_COLLECTOR, client.PROCESS_COLLECTOR)
        for metric in collector.collect()
    }
    render = _openmetrics if openmetrics else client.generate_latest
    for metric in client.REGISTRY.collect():
        if metric.name not in defaults and not metric.name.startswith(PREFIX):
            yield render(_One(metric))


class _One:
    """A registry of one collected metric, as prometheus_client's writers take it."""

    def __init__(self, metric: Any) -> None:
        self._metric = metric

    def collect(self) -> list[Any]:
        return [self._metric]


def _openmetrics(registry: _One) -> bytes:
    writer: Any = importlib.import_module("prometheus_client.openmetrics.exposition")
    written: bytes = writer.generate_latest(registry)
    return written.removesuffix(b"# EOF\n")
