"""Respond to ``GET /metrics`` without blocking the event loop."""

from __future__ import annotations

import asyncio
import threading
import time
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Final

from tallow.monitoring.exposition import prometheus_client
from tallow.monitoring.exposition.escaping import UNDERSCORES
from tallow.monitoring.exposition.text import OPENMETRICS, pieces
from tallow.monitoring.lifecycle import warn_once
from tallow.monitoring.lifecycle.threads import run_in_thread
from tallow.monitoring.metrics.registry import Registry

PATHS: Final = ("/metrics", "/api/metrics")

COLLECTOR_TIMEOUT_S: Final = 2.0
"""Seconds that a scrape waits for prometheus_client's collectors: well below a scraper's timeout."""

_MAX_PIECE: Final = 1 << 17
"""Bytes that are compressed in a few milliseconds."""

_GZIP: Final = 16 + zlib.MAX_WBITS
_LEVEL: Final = 1
"""The fastest level: it already makes the repetitive text twenty times smaller."""


async def body(
    registry: Registry, content_type: str, compress: bool, escaping: str = UNDERSCORES
) -> AsyncIterator[bytes]:
    """Yield the exposition in pieces; other tasks run after each.

    Args:
        registry: what is exposed.
        content_type: as negotiated, with the escaping.
        compress: whether to use gzip.
        escaping: how names of prometheus_client's metrics outside the classic character set are escaped.
    """
    started = time.perf_counter()
    registry.fix_namespace()
    openmetrics = content_type.startswith(OPENMETRICS)
    cells = await run_in_thread(registry.collect)
    foreign = await _foreign.read(registry, openmetrics, escaping)
    lines = pieces(registry, openmetrics=openmetrics, cells=cells, started=started, foreign=foreign)
    for piece in _compressed(lines) if compress else lines:
        yield piece
        await asyncio.sleep(0)


class _ForeignCollectors:
    """Reads prometheus_client's collectors in a thread; one that hangs does not delay our samples."""

    def __init__(self) -> None:
        self._reading = threading.Lock()
        self._hanging = False

    async def read(self, registry: Registry, openmetrics: bool, escaping: str) -> Iterable[bytes]:
        if not prometheus_client.collectors():
            return ()
        if not self._hanging:
            try:
                return await asyncio.wait_for(
                    run_in_thread(lambda: self._read(registry, openmetrics, escaping)), COLLECTOR_TIMEOUT_S
                )
            except TimeoutError:
                self._hanging = self._reading.locked()
        warn_once.warn_once("prometheus_client's collectors take too long; their metrics are left out")
        registry.count_collector_failure()
        return ()

    def _read(self, registry: Registry, openmetrics: bool, escaping: str) -> list[bytes]:
        # One read at a time: threads must not accumulate behind a collector that hangs.
        if not self._reading.acquire(timeout=COLLECTOR_TIMEOUT_S):
            return []
        try:
            found = prometheus_client.pieces(registry, openmetrics=openmetrics, escaping=escaping)
            return [part for piece in found for part in _split(piece)]
        finally:
            self._hanging = False
            self._reading.release()


_foreign: Final = _ForeignCollectors()


def _split(piece: bytes) -> Iterator[bytes]:
    """Split the exposition of a metric with many series."""
    return (piece[first : first + _MAX_PIECE] for first in range(0, len(piece), _MAX_PIECE))


def _compressed(lines: Iterator[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    for piece in lines:
        yield compressor.compress(piece)
    yield compressor.flush()
