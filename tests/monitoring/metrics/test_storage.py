"""Rows of cells: one for each thread, no more than threads run at the same time, and no lost count."""

from __future__ import annotations

import gc
import threading
import tracemalloc

import pytest

from support.registries import tallow_metrics
from tallow.monitoring.metrics.storage import MAX_FREE_ROWS, LocalStorage


def run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.slow
def test_ten_thousand_short_threads_leave_only_their_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "_trace_hook", None)  # coverage's tracer keeps memory for every thread
    storage = LocalStorage()
    metrics = tallow_metrics(storage)
    run([threading.Thread(target=metrics.transfer_started) for _ in range(50)])
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(10_000 - 50):
            thread = threading.Thread(target=metrics.transfer_started)
            thread.start()
            thread.join()
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert metrics.registry.value("transfers_started_total") == 10_000
    assert grown < 100_000
    assert storage.row_count <= MAX_FREE_ROWS + 1


def test_rows_of_many_concurrent_threads_are_merged_when_they_end() -> None:
    storage = LocalStorage()
    metrics = tallow_metrics(storage)
    together = threading.Barrier(100)

    def work() -> None:
        together.wait()
        metrics.record_chunk_transfer("relay", "sent", 7, 0.25)
        together.wait()

    run([threading.Thread(target=work) for _ in range(100)])
    assert metrics.registry.value("bytes_transferred_total", direction="sent") == 700
    assert metrics.registry.value("chunk_transfer_duration_seconds_sum", method="relay") == 25
    assert storage.row_count <= MAX_FREE_ROWS + 1


def test_a_new_series_is_in_every_row() -> None:
    metrics = tallow_metrics()
    born, done = threading.Event(), threading.Event()

    def work() -> None:
        metrics.transfer_started()
        born.wait()
        metrics.record_cache_access("rooms", True)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    metrics.register_cache("rooms")
    born.set()
    thread.join()
    assert metrics.registry.value("cache_hits_total", cache="rooms") == 1


def test_no_read_is_below_an_earlier_one_while_threads_start_and_end() -> None:
    metrics = tallow_metrics()
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            batch = [threading.Thread(target=metrics.transfer_started) for _ in range(MAX_FREE_ROWS + 8)]
            run(batch)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    seen = [metrics.registry.value("transfers_started_total") for _ in range(300)]
    stop.set()
    thread.join()
    assert seen == sorted(seen)


def test_a_gauge_has_the_last_value_that_any_thread_set() -> None:
    metrics = tallow_metrics()
    for depth in range(5):
        run([threading.Thread(target=metrics.set_queue_depth, args=(depth,))])
    assert metrics.registry.value("transfer_queue_depth") == 4
