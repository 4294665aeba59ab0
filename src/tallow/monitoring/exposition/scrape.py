"""``GET /metrics``: numbers gathered beside the event loop, lines in pieces so that it keeps turning."""

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
"""How long a scrape waits for collectors that are not ours: well within what a scraper gives it."""

_PART: Final = 1 << 17
"""Bytes that compress in a few milliseconds."""

_GZIP: Final = 16 + zlib.MAX_WBITS
_LEVEL: Final = 1
"""Exposition is repetitive: the quickest level already makes it twenty times smaller."""


async def body(
    registry: Registry, content_type: str, compress: bool, escaping: str = UNDERSCORES
) -> AsyncIterator[bytes]:
    """The exposition in pieces, the event loop turning after each.

    Args:
        content_type: as negotiated, its escaping included.
        escaping: how names of prometheus_client's metrics outside the classic character set are written.
    """
    started = time.perf_counter()
    openmetrics = content_type.startswith(OPENMETRICS)
    cells = await run_in_thread(registry.collect)
    theirs = await _theirs.read(registry, openmetrics, escaping)
    lines = pieces(registry, openmetrics=openmetrics, cells=cells, started=started, foreign=theirs)
    for piece in _compressed(lines) if compress else lines:
        yield piece
        await asyncio.sleep(0)


class _Theirs:
    """What prometheus_client's collectors expose. One that hangs costs its own samples, not ours."""

    def __init__(self) -> None:
        self._reading = threading.Lock()
        self._hangs = False

    async def read(self, registry: Registry, openmetrics: bool, escaping: str) -> Iterable[bytes]:
        if not prometheus_client.collectors():
            return ()
        if not self._hangs:
            try:
                return await asyncio.wait_for(
                    run_in_thread(lambda: self._read(registry, openmetrics, escaping)), COLLECTOR_TIMEOUT_S
                )
            except TimeoutError:
                self._hangs = self._reading.locked()
        warn_once.warn_once("prometheus_client's collectors take too long, their metrics are missing")
        registry.count_collector_failure()
        return ()

    def _read(self, registry: Registry, openmetrics: bool, escaping: str) -> list[bytes]:
        # Two scrapes at once take turns; threads do not pile up behind a collector that hangs.
        if not self._reading.acquire(timeout=COLLECTOR_TIMEOUT_S):
            return []
        try:
            found = prometheus_client.pieces(registry, openmetrics=openmetrics, escaping=escaping)
            return [part for piece in found for part in _parts(piece)]
        finally:
            self._hangs = False
            self._reading.release()


_theirs: Final = _Theirs()


def _parts(piece: bytes) -> Iterator[bytes]:
    """A metric of many series in several parts."""
    return (piece[first : first + _PART] for first in range(0, len(piece), _PART))


def _compressed(lines: Iterator[bytes]) -> Iterator[bytes]:
    squeeze = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    for piece in lines:
        yield squeeze.compress(piece)
    yield squeeze.flush()
