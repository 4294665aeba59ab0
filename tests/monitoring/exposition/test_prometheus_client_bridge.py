"""Collectors registered with prometheus_client are exposed and cannot break the exposition."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import prometheus_client
import pytest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.openmetrics import parser as openmetrics_parser

from support.registries import tallow_metrics
from tallow.monitoring.exposition import prometheus_client as bridge
from tallow.monitoring.exposition.text import pieces
from tallow.monitoring.lifecycle import warn_once
from tallow.monitoring.metrics.registry import Registry


@pytest.fixture
def registry() -> Registry:
    return tallow_metrics().registry


@pytest.fixture(autouse=True)
def no_warning_logged_before() -> Iterator[None]:
    warn_once.reset()
    yield
    warn_once.reset()


@pytest.fixture
def registered() -> Iterator[list[Any]]:
    """Collectors that are unregistered after the test."""
    before = set(prometheus_client.REGISTRY._collector_to_names)
    yield []
    for collector in set(prometheus_client.REGISTRY._collector_to_names) - before:
        prometheus_client.REGISTRY.unregister(collector)


@pytest.fixture
def sales(registered: list[Any]) -> prometheus_client.Counter:
    counter = prometheus_client.Counter("sales", "Sales.", ["shop"])
    counter.labels("north").inc(3)
    return counter


class ShopCollector:
    """A custom collector, as in prometheus_client's documentation."""

    def collect(self) -> Iterator[Any]:
        yield GaugeMetricFamily("shop_open", "Open.", value=1)
        visits = CounterMetricFamily("shop_visits", "Visits.", labels=["door"])
        visits.add_metric(['a "b"\\'], 7)
        yield visits


class BrokenCollector:
    """A collector that raises after its first family, once it is registered."""

    def describe(self) -> list[Any]:
        return []

    def collect(self) -> Iterator[Any]:
        yield GaugeMetricFamily("half", "Half.", value=1)
        raise ConnectionError("db.example: password=hunter2 refused")


def text(registry: Registry, *, openmetrics: bool = False) -> str:
    theirs = bridge.pieces(registry, openmetrics=openmetrics)
    return b"".join(pieces(registry, openmetrics=openmetrics, foreign=theirs)).decode()


def test_registered_metrics_are_exposed_without_the_default_collectors(
    registry: Registry, sales: prometheus_client.Counter
) -> None:
    found = text(registry)
    assert 'sales_total{shop="north"} 3.0\n' in found
    assert "python_gc_objects_collected" not in found
    assert "_created" not in found


@pytest.mark.parametrize("openmetrics", [False, True])
def test_a_custom_collector_is_exposed(registry: Registry, registered: list[Any], openmetrics: bool) -> None:
    prometheus_client.REGISTRY.register(ShopCollector())
    found = text(registry, openmetrics=openmetrics)
    assert "shop_open 1.0\n" in found
    assert 'shop_visits_total{door="a \\"b\\"\\\\"} 7.0\n' in found


def test_openmetrics_ends_once_and_is_valid(registry: Registry, sales: prometheus_client.Counter) -> None:
    found = text(registry, openmetrics=True)
    assert found.count("# EOF") == 1
    families = openmetrics_parser.text_string_to_metric_families(found)  # type: ignore[no-untyped-call]
    assert "sales" in {family.name for family in families}


def test_a_metric_with_a_reserved_name_is_left_out_and_logged_once(
    registry: Registry, registered: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    prometheus_client.Counter("tallow_errors", "Not ours.")
    prometheus_client.Gauge("tallow_file_size_bytes_count", "Not ours either.")
    prometheus_client.Counter("tallow_candles", "A name that only looks like one of ours.").inc(2)
    with caplog.at_level(logging.WARNING):
        found = text(registry) + text(registry)
    assert "Not ours" not in found
    assert found.count("tallow_candles_total 2.0\n") == 2
    assert len([line for line in caplog.messages if "tallow_errors" in line]) == 1


def test_a_collector_that_raises_loses_only_its_own_metrics(
    registry: Registry,
    sales: prometheus_client.Counter,
    caplog: pytest.LogCaptureFixture,
) -> None:
    prometheus_client.REGISTRY.register(BrokenCollector())
    prometheus_client.REGISTRY.register(ShopCollector())
    with caplog.at_level(logging.WARNING):
        found = [text(registry) for _ in range(3)]
    assert all("shop_open 1.0\n" in each and "sales_total" in each for each in found)
    assert not any("half" in each for each in found)
    assert registry.value("collector_failures_total") == 3
    assert [
        line for line in caplog.messages if "BrokenCollector" in line and "ConnectionError" in line
    ] == caplog.messages
    assert "hunter2" not in caplog.text


def test_a_gauge_that_cannot_be_refreshed_does_not_affect_others(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    def refresh() -> None:
        raise OSError("unavailable")

    registry.on_collect(refresh)
    assert "tallow_transfers_total" in text(registry)
    assert registry.value("collector_failures_total") >= 1
    assert "OSError" in caplog.text


def test_prometheus_client_is_not_imported(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "prometheus_client")
    assert list(bridge.pieces(registry, openmetrics=False)) == []


def test_multiprocess_files_of_prometheus_client_are_read(tmp_path: Path) -> None:
    code = """
import prometheus_client
from tallow.monitoring import metrics
from tallow.monitoring.exposition import prometheus_client as bridge
prometheus_client.Counter("sales", "Sales.").inc(2)
print(b"".join(bridge.pieces(metrics.REGISTRY, openmetrics=False)).decode())
"""
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    found = [
        subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert "sales_total 2.0\n" in found[0]
    assert "sales_total 4.0\n" in found[1]
