"""Recording metrics: the same updates with this library, prometheus_client and the OpenTelemetry SDK.

The competitors receive final label values, while ours derives and checks them. That favours the competitors.
Recording with an exemplar, as within a request or a transfer, is measured separately.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.competitors import CACHED, LABELS, OTEL, Cached, Client, Otel, Transfer
from benchmarks.isolated_process import print_rows, rows_of
from benchmarks.paired_measurement import Row, paired
from tallow.monitoring import correlation
from tallow.monitoring.catalog import CATALOGS
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.multiprocess import WorkerStorage
from tallow.monitoring.metrics.registry import Registry

OPERATIONS = 20_000


def transfers() -> list[Transfer]:
    """Random sizes and durations over ten orders of magnitude, and MIME types."""
    types = ("image/jpeg", "video/mp4", "application/pdf", "text/plain", "font/woff2")
    return [
        (int(random.lognormvariate(13, 4)), random.lognormvariate(1, 2), random.choice(types))
        for _ in range(OPERATIONS)
    ]


def rows() -> list[Row]:
    """The table's rows on recording."""
    transfer, chunk = recorders(Metrics(Registry(catalogs=CATALOGS)))
    clients = {LABELS: Client(), CACHED: Cached(), OTEL: Otel()}
    transfers_by = {name: client.transfer for name, client in clients.items()}
    chunks_by = {name: client.chunk for name, client in clients.items()}
    return [
        *compared("`record_transfer`", transfer, transfers_by, 0.5),
        *compared("`record_chunk_transfer`", chunk, chunks_by, 0.3),
        *with_exemplars(),
        *several_workers(),
    ]


def recorders(metrics: Metrics) -> tuple[Callable[[list[Transfer]], None], Callable[[list[Transfer]], None]]:
    """Our two helper functions, each applied to a list of transfers."""

    def transfer(data: list[Transfer]) -> None:
        record = metrics.record_transfer
        for size, duration, mime in data:
            record("success", "relay", size, duration, mime)

    def chunk(data: list[Transfer]) -> None:
        record = metrics.record_chunk_transfer
        for size, duration, _ in data:
            record("relay", "sent", size, duration)

    return transfer, chunk


def compared(work: str, ours: Callable[[Any], None], peers: dict[str, Any], aim: float | None) -> list[Row]:
    return paired(work, ours, peers, transfers, items=OPERATIONS, aims={CACHED: aim})


def with_exemplars() -> list[Row]:
    """The same within a request: every observation records the correlation id as an exemplar."""
    transfer, chunk = recorders(Metrics(Registry(catalogs=CATALOGS)))
    cached = Cached()
    current = correlation.new_id()

    def bound(work: Callable[[Any], None]) -> Callable[[Any], None]:
        def run(data: Any) -> None:
            with correlation.bind(current):
                work(data)

        return run

    peers = {CACHED: lambda data: cached.transfer_exemplars(data, current)}
    chunks = {CACHED: lambda data: cached.chunk_exemplars(data, current)}
    return [
        *compared("`record_transfer`, exemplars", bound(transfer), peers, 0.5),
        *compared("`record_chunk_transfer`, exemplars", bound(chunk), chunks, 0.3),
    ]


def several_workers() -> list[Row]:
    """The same with multi-process storage, in a child process: prometheus_client needs a variable."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": folder}
        return rows_of([sys.executable, "-m", "benchmarks.recording", f"{folder}/ours"], environment)


def main() -> None:
    """The child process of :func:`several_workers`."""
    metrics = Metrics(Registry(storage=WorkerStorage(Path(sys.argv[1])), catalogs=CATALOGS))
    transfer, chunk = recorders(metrics)
    cached = Cached()
    print_rows(
        [
            *compared("`record_transfer`, several workers", transfer, {CACHED: cached.transfer}, 0.5),
            *compared("`record_chunk_transfer`, several workers", chunk, {CACHED: cached.chunk}, 0.3),
        ]
    )


if __name__ == "__main__":
    main()
