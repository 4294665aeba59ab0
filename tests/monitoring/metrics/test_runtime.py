"""Metrics of the process and the interpreter."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from support.registries import tallow_metrics
from tallow.monitoring.exposition.text import expose
from tallow.monitoring.metrics.process import ProcessCollector, build_labels
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.metrics.runtime import LAG_INTERVAL_S, EventLoopMonitor


@pytest.fixture
def registry() -> Iterator[Registry]:
    metrics = tallow_metrics()
    metrics.runtime.start(metrics)
    yield metrics.registry
    metrics.close()


def test_process_gauges_are_of_this_process(registry: Registry) -> None:
    assert 1e6 < registry.value("process_resident_memory_bytes") < 1e11
    assert registry.value("process_cpu_seconds_total") > 0
    assert registry.value("process_start_time_seconds") <= time.time()
    assert registry.value("workers") == 1
    before = registry.value("process_open_fds")
    descriptor = os.open("/dev/null", os.O_RDONLY)
    try:
        assert registry.value("process_open_fds") == before + 1
    finally:
        os.close(descriptor)
    assert registry.value("process_max_fds") >= before


@pytest.mark.skipif(not os.path.exists("/proc/self"), reason="heap figures need Linux's allocator")  # noqa: PTH110
def test_the_heap_gauge_grows_with_allocated_memory(registry: Registry) -> None:
    before = registry.value("process_heap_bytes")
    held = bytearray(50_000_000)
    assert registry.value("process_heap_bytes") - before >= len(held)


def test_build_info_names_the_build(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    assert registry.value("build_info", **build_labels()) == 1
    monkeypatch.setenv("TALLOW_COMMIT", "not a commit; alice")
    assert build_labels()["commit"] == "unknown"
    monkeypatch.setenv("TALLOW_COMMIT", "0123abc")
    assert build_labels()["commit"] == "0123abc"


def test_garbage_collections_are_timed_by_generation(registry: Registry) -> None:
    before = registry.value("gc_duration_seconds_count", generation="2")
    gc.collect(2)
    assert registry.value("gc_duration_seconds_count", generation="2") == before + 1


async def test_a_blocked_event_loop_is_recorded_as_lag() -> None:
    metrics = tallow_metrics()
    watch = EventLoopMonitor(metrics.registry)
    watch.watch()
    watch.watch()
    await asyncio.sleep(0)
    time.sleep(LAG_INTERVAL_S + 0.2)
    while not metrics.registry.value("event_loop_lag_seconds_count"):
        await asyncio.sleep(0.01)
    assert metrics.registry.value("event_loop_lag_seconds_sum") >= 0.15


def test_gauges_that_the_platform_does_not_provide_are_not_exposed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: psutil.Process) -> None:  # a mock: tests run on one platform
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "num_fds", refuse)
    monkeypatch.delattr(psutil, "heap_info")
    metrics = tallow_metrics()
    ProcessCollector(metrics.registry)
    text = expose(metrics.registry).decode()
    assert "tallow_process_open_fds " not in text
    assert "tallow_process_heap_bytes " not in text
    assert "tallow_process_resident_memory_bytes " in text


def test_a_gauge_that_fails_later_keeps_its_last_value(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = tallow_metrics()
    ProcessCollector(metrics.registry)
    before = metrics.registry.value("process_open_fds")

    def refuse(self: psutil.Process) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "num_fds", refuse)
    assert metrics.registry.value("process_open_fds") == before
    assert metrics.registry.value("collector_failures_total") == 0


def test_a_clock_step_changes_neither_start_time_nor_bandwidth(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = tallow_metrics()
    ProcessCollector(metrics.registry)
    metrics.record_bytes_moved("sent", 1_250_000)
    before = metrics.registry.value("process_start_time_seconds")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 86_400)
    assert metrics.registry.value("process_start_time_seconds") == before
    assert metrics.registry.value("bandwidth_utilization_mbps", direction="sent") == pytest.approx(1.0)


async def test_a_clock_step_is_not_recorded_as_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = tallow_metrics()
    monitor = EventLoopMonitor(metrics.registry)
    monitor.watch()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 86_400)
    while not metrics.registry.value("event_loop_lag_seconds_count"):
        await asyncio.sleep(0.01)
    assert metrics.registry.value("event_loop_lag_seconds_sum") < 5


def test_without_an_event_loop_nothing_is_measured() -> None:
    metrics = tallow_metrics()
    monitor = EventLoopMonitor(metrics.registry)
    monitor.watch()
    assert metrics.registry.value("event_loop_lag_seconds_count") == 0


def test_requests_find_a_further_event_loop_of_their_thread_later_and_of_another_at_once() -> None:
    metrics = tallow_metrics()
    runtime = metrics.runtime
    runtime.start(metrics)
    loops = [asyncio.new_event_loop() for _ in range(3)]

    async def request(now: float) -> None:
        runtime.on_request(now)

    def watched() -> list[bool]:
        return [loop in runtime._event_loop._timers for loop in loops]

    try:
        loops[0].run_until_complete(request(100.0))
        loops[1].run_until_complete(request(100.0 + LAG_INTERVAL_S / 2))
        assert watched() == [True, False, False]
        thread = threading.Thread(target=lambda: loops[2].run_until_complete(request(100.0)))
        thread.start()
        thread.join()
        assert watched() == [True, False, True]
        loops[1].run_until_complete(request(100.0 + LAG_INTERVAL_S))
        assert watched() == [True, True, True]
    finally:
        metrics.close()
        for loop in loops:
            loop.close()
