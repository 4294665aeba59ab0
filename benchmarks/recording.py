"""Recording metrics: the same updates with this library, prometheus_client and the OpenTelemetry SDK.

The competitors receive final label values, while ours derives and checks them. That favours the competitors.
Recording with an exemplar, as within a request or a transfer, is measured separately. The rows against
prometheus_client are measured in processes without OpenTelemetry: where that is loaded, ours reads the
current span.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import prometheus_client
from prometheus_client import CollectorRegistry

from benchmarks.competitors import CACHED, LABELS, OTEL, Cached, Client, Otel, Transfer
from benchmarks.isolated_process import print_rows, rows_of
from benchmarks.paired_measurement import Row, paired
from tallow.monitoring import correlation, metrics
from tallow.monitoring.catalog import CATALOGS
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.metrics.workers.storage import WorkerStorage

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
    environment = os.environ | {"PYDANTIC_DISABLE_PLUGINS": "__all__"}  # that of logfire loads OpenTelemetry
    alone = rows_of([sys.executable, "-m", "benchmarks.recording"], environment)
    return [*alone, *beside({OTEL: Otel()}), *several_workers()]


def beside(clients: dict[str, Any]) -> list[Row]:
    """Our two helper functions beside the same updates with other libraries."""
    transfer, chunk = recorders(Metrics(Registry(catalogs=CATALOGS)))
    transfers_by = {name: client.transfer for name, client in clients.items()}
    chunks_by = {name: client.chunk for name, client in clients.items()}
    return [
        *compared("`record_transfer`", transfer, transfers_by, 0.4),
        *compared("`record_chunk_transfer`", chunk, chunks_by, 0.3),
    ]


def recorders(recorder: Metrics) -> tuple[Callable[[list[Transfer]], None], Callable[[list[Transfer]], None]]:
    """Our two helper functions, each applied to a list of transfers."""

    def transfer(data: list[Transfer]) -> None:
        record = recorder.record_transfer
        for size, duration, mime in data:
            record("success", "relay", size, duration, mime)

    def chunk(data: list[Transfer]) -> None:
        record = recorder.record_chunk_transfer
        for size, duration, _ in data:
            record("relay", "sent", size, duration)

    return transfer, chunk


def compared(work: str, ours: Callable[[Any], None], peers: dict[str, Any], aim: float | None) -> list[Row]:
    return paired(work, ours, peers, transfers, items=OPERATIONS, aims={CACHED: aim})


def declared() -> list[Row]:
    """An application's own metrics: the same calls of both libraries, with final label values."""
    labels = {"format": ("csv", "pdf")}
    own, peer = Registry(), CollectorRegistry()
    counter = metrics.Counter("exports", "Exports made.", labels, registry=own)
    timer = metrics.Histogram("render_seconds", "Time.", labels, registry=own)
    their_counter = prometheus_client.Counter("exports", "Exports made.", list(labels), registry=peer)
    their_timer = prometheus_client.Histogram("render_seconds", "Time.", list(labels), registry=peer)
    child, their_child = counter.labels(format="csv"), their_counter.labels(format="csv")
    timed, their_timed = timer.labels(format="csv"), their_timer.labels(format="csv")

    def repeated(call: Callable[[], None]) -> Callable[[list[float]], None]:
        def run(data: list[float]) -> None:
            for _ in data:
                call()

        return run

    def with_amounts(call: Callable[[float], None]) -> Callable[[list[float]], None]:
        def run(data: list[float]) -> None:
            for amount in data:
                call(amount)

        return run

    def compare(work: str, ours: Any, name: str, theirs: Any, aim: float) -> list[Row]:
        return paired(work, ours, {name: theirs}, amounts, items=OPERATIONS, aims={name: aim})

    return [
        *compare("`inc`, child", repeated(child.inc), CACHED, repeated(their_child.inc), 0.3),
        *compare(
            "`inc`, labels as keywords",
            repeated(lambda: counter.inc(format="csv")),
            LABELS,
            repeated(lambda: their_counter.labels(format="csv").inc()),
            0.5,
        ),
        *compare(
            "`observe`, child", with_amounts(timed.observe), CACHED, with_amounts(their_timed.observe), 0.5
        ),
    ]


def amounts() -> list[float]:
    """Random durations."""
    return [random.lognormvariate(-1, 2) for _ in range(OPERATIONS)]


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
        environment = os.environ | {
            "PROMETHEUS_MULTIPROC_DIR": folder,
            "PYDANTIC_DISABLE_PLUGINS": "__all__",
        }
        return rows_of([sys.executable, "-m", "benchmarks.recording", f"{folder}/ours"], environment)


def of_one_worker(folder: Path) -> list[Row]:
    """The rows of :func:`several_workers`."""
    transfer, chunk = recorders(Metrics(Registry(storage=WorkerStorage(folder), catalogs=CATALOGS)))
    cached = Cached()
    return [
        *compared("`record_transfer`, several workers", transfer, {CACHED: cached.transfer}, 0.5),
        *compared("`record_chunk_transfer`, several workers", chunk, {CACHED: cached.chunk}, 0.3),
    ]


def main() -> None:
    """A child process; the argument is the folder of :func:`several_workers`."""
    if len(sys.argv) > 1:
        print_rows(of_one_worker(Path(sys.argv[1])))
    else:
        print_rows([*beside({LABELS: Client(), CACHED: Cached()}), *declared(), *with_exemplars()])


if __name__ == "__main__":
    main()
