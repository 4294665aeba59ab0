"""Count outcomes of peers at most once per kind, status and address prefix in six hours.

Alerts on low traffic read ``client_outcomes_total``: three failures in it come from three address prefixes,
so that one client that fails all night, or lies, wakes nobody. The database decides whether an outcome is
counted (:mod:`tallow.app.server.storage.outcome_store`): several workers and instances count a prefix once,
and so does a server that restarts again and again. A flood of prefixes takes cells of the table, and each
cell that it takes is counted; it hides others no better than by its share of the counts.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from tallow.app.server.limits.client_address import address_prefix
from tallow.app.server.storage.database import StoreError
from tallow.app.server.storage.outcome_store import OutcomeStore
from tallow.monitoring.logging import logger
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.sample import Sample

WINDOW_S: Final = 6 * 3600
"""The window of the alerts on low traffic."""
IPV6_BITS: Final = 48
"""What one customer of a network gets at most (RFC 6177)."""
CELL_BYTES: Final = 2
ASK_AGAIN_S: Final = 60
"""How long a process believes that another one has counted an outcome."""
MAX_KNOWN: Final = 10_000
"""Outcomes that a process remembers as counted. Of others it asks the database again."""
KINDS: Final = {
    "transfers_total": "transfer",
    "webrtc_connections_total": "connection",
    "direct_connections_total": "connection",
    "pqc_key_exchanges_total": "key_exchange",
}
"""The label ``kind`` of the metrics whose label ``status`` is an outcome."""
STATUSES: Final = frozenset({"success", "failed"})
"""A cancelled transfer says nothing about the server."""

Outcome = tuple[str, str]
"""Kind and status."""


class ClientOutcomes:
    """Counts outcomes.

    Args:
        clock: seconds since the Unix epoch.
    """

    def __init__(self, metrics: Metrics, store: OutcomeStore, clock: Callable[[], float] = time.time) -> None:
        self._metrics = metrics
        self._store = store
        self._clock = clock
        self._key = b""
        self._known: OrderedDict[tuple[str, str, int], float] = OrderedDict()

    async def open(self) -> None:
        """Get the key of the hash from the database.

        Raises:
            StoreError: the database is not available.
        """
        self._key = await self._store.open()

    def cell(self, host: str) -> int:
        """The cell of the table that stands for an address's prefix (IPv4 /32, IPv6 /48)."""
        prefix = address_prefix(host, ipv6_bits=IPV6_BITS)
        return int.from_bytes(hashlib.blake2b(prefix, key=self._key, digest_size=CELL_BYTES).digest())

    async def record(self, cell: int, outcomes: Iterable[Outcome]) -> None:
        """Count each outcome unless the cell had the same one in the last six hours.

        If the database fails the outcome is not counted, as nobody knows whether it was counted before, but
        it is in ``telemetry_dropped_total{pipeline="client",reason="failed"}``.
        """
        for kind, status in outcomes:
            try:
                if await self._claim(kind, status, cell):
                    self._metrics.record_client_outcome(kind, status)
            except StoreError as error:
                self._metrics.record_dropped("client", "failed")
                REPEATS.log(logger, "warning", "An outcome cannot be counted", reason=str(error))

    async def _claim(self, kind: str, status: str, cell: int) -> bool:
        now = self._clock()
        key = (kind, status, cell)
        if abs(now - self._known.get(key, -WINDOW_S)) < WINDOW_S:
            return False
        claimed = await self._store.claim(kind, status, cell, now, WINDOW_S)
        # If another process counted it, this one does not know when.
        self._known[key] = now if claimed else now - WINDOW_S + ASK_AGAIN_S
        self._known.move_to_end(key)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return claimed

    async def sweep(self) -> None:
        """Delete what no longer matters from the database.

        Raises:
            StoreError: the database is not available.
        """
        await self._store.sweep(self._clock() - WINDOW_S)


def outcomes_of(samples: Iterable[Sample]) -> list[Outcome]:
    """The outcomes in a report, each once."""
    found = {
        (KINDS[sample.metric.name], status)
        for sample in samples
        if sample.metric.name in KINDS and sample.count and (status := sample.label("status")) in STATUSES
    }
    return sorted(found)
