"""A scrape blocks neither the event loop nor other scrapes."""

from __future__ import annotations

import asyncio
import gzip
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import prometheus_client
import pytest
from prometheus_client.core import GaugeMetricFamily

from support.registries import tallow_metrics
from tallow.monitoring.exposition import scrape
from tallow.monitoring.exposition.text import OPENMETRICS, TEXT, expose
from tallow.monitoring.lifecycle.threads import run_in_thread
from tallow.monitoring.metrics.registry import Registry


class HangingCollector:
    """A collector that waits for a backend that does not respond."""

    def __init__(self) -> None:
        self.answer = threading.Event()

    def describe(self) -> list[Any]:
        return []

    def collect(self) -> Iterator[Any]:
        self.answer.wait(30)
        yield GaugeMetricFamily("backend_up", "Up.", value=1)


@pytest.fixture
def hanging() -> Iterator[HangingCollector]:
    collector = HangingCollector()
    prometheus_client.REGISTRY.register(collector)
    yield collector
    collector.answer.set()
    prometheus_client.REGISTRY.unregister(collector)


@pytest.fixture
def registry() -> Registry:
    return tallow_metrics().registry


async def whole(registry: Registry, content_type: str = TEXT, compress: bool = False) -> bytes:
    return b"".join([piece async for piece in scrape.body(registry, content_type, compress)])


def settled(written: bytes) -> list[bytes]:
    """Return the lines except those that a scrape itself changes."""
    return [line for line in written.splitlines() if b"scrape_duration" not in line]


async def test_the_pieces_are_the_exposition(registry: Registry) -> None:
    for content_type, openmetrics in ((TEXT, False), (OPENMETRICS, True)):
        expected = settled(expose(registry, openmetrics=openmetrics))
        assert settled(await whole(registry, content_type)) == expected
        assert settled(gzip.decompress(await whole(registry, content_type, compress=True))) == expected


async def test_a_collector_that_hangs_loses_only_its_own_metrics(
    registry: Registry,
    hanging: HangingCollector,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(scrape, "COLLECTOR_TIMEOUT_S", 1.0)
    turned = asyncio.create_task(asyncio.sleep(0.05))
    with caplog.at_level(logging.WARNING):
        assert b"tallow_transfers_total" in await whole(registry)
    assert turned.done()
    monkeypatch.setattr(
        scrape, "COLLECTOR_TIMEOUT_S", 1000.0
    )  # a second wait would exceed the test's timeout
    threads = threading.active_count()
    for _ in range(20):
        assert b"backend_up" not in await whole(registry)
    assert threading.active_count() < threads + 10  # none waits for the collector; a few may be ending
    assert registry.value("collector_failures_total") == 21
    hanging.answer.set()
    for _ in range(100):
        if b"backend_up 1.0" in await whole(registry):
            return
        await asyncio.sleep(0.02)
    pytest.fail("the collector answers again, and is not asked")


async def test_two_concurrent_scrapes_are_complete(registry: Registry, hanging: HangingCollector) -> None:
    hanging.answer.set()
    assert all(b"backend_up 1.0" in found for found in await asyncio.gather(whole(registry), whole(registry)))


async def test_a_series_created_during_a_scrape_is_in_the_next_one(registry: Registry) -> None:
    lines = []
    number = 0
    async for piece in scrape.body(registry, TEXT, False):
        registry.register("route", f"/route/{number}")
        number += 1
        lines.append(piece)
    assert number > 1
    assert b"/route/" not in b"".join(lines)
    assert b"/route/0" in await whole(registry)


async def test_the_scrape_duration_includes_collection(registry: Registry) -> None:
    registry.on_collect(lambda: time.sleep(0.05))
    await whole(registry)
    assert registry.value("scrape_duration_seconds") >= 0.05


async def test_an_exception_in_the_thread_is_raised_in_the_coroutine() -> None:
    def fail() -> None:
        raise LookupError("here")

    with pytest.raises(LookupError, match="here"):
        await run_in_thread(fail)


async def test_a_cancelled_call_does_not_break_later_ones() -> None:
    done = threading.Event()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(run_in_thread(lambda: done.wait(5)), 0.01)
    done.set()
    await asyncio.sleep(0.05)
