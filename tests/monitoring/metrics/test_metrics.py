"""``Metrics``: raw values become bounded labels, and no method raises."""

from __future__ import annotations

import inspect

import pytest

from support.registries import tallow_registry
from tallow.monitoring import metrics
from tallow.monitoring.catalog import METRICS
from tallow.monitoring.exposition.text import expose
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry


@pytest.fixture
def registry() -> Registry:
    return tallow_registry()


@pytest.fixture
def record(registry: Registry) -> Metrics:
    return Metrics(registry)


def test_the_module_has_every_method_of_metrics() -> None:
    public = [name for name, _ in inspect.getmembers(Metrics, inspect.isfunction) if name[0] != "_"]
    public.remove("close")
    assert all(getattr(metrics, name).__self__ is metrics.METRICS for name in public)


def test_record_transfer_updates_four_metrics(record: Metrics, registry: Registry) -> None:
    record.record_transfer("success", "p2p", 5_000_000, 2.0, "image/jpeg; charset=binary")
    assert registry.value("transfers_total", status="success", method="p2p") == 1
    assert registry.value("file_size_bytes_sum", file_type="image") == 5_000_000
    assert registry.value("transfer_duration_seconds_sum", status="success", size_category="1mb_10mb") == 2
    assert registry.value("transfer_speed_mbps_sum", method="p2p") == pytest.approx(20)


def test_a_failed_transfer_has_no_speed(record: Metrics, registry: Registry) -> None:
    record.record_transfer("failed", "relay", 10, 1.0)
    assert registry.value("transfer_speed_mbps_count", method="relay") == 0
    assert registry.value("file_size_bytes_count", file_type="other") == 1


def test_an_outcome_with_impossible_numbers_is_counted(record: Metrics, registry: Registry) -> None:
    record.record_transfer("failed", "relay", -1, float("nan"))
    assert registry.value("transfers_total", status="failed", method="relay") == 1
    assert registry.value("file_size_bytes_count", file_type="other") == 0


def test_record_chunk_transfer_updates_bytes_and_time(record: Metrics, registry: Registry) -> None:
    record.record_chunk_transfer("relay", "sent", 65536, 0.01)
    assert registry.value("bytes_transferred_total", direction="sent") == 65536
    assert registry.value("chunk_transfer_duration_seconds_sum", method="relay") == 0.01


def test_record_http_request_counts_errors_by_exact_code(record: Metrics, registry: Registry) -> None:
    record.register_route("/api/rooms", ("POST",))
    assert registry.value("api_errors_total", endpoint="/api/rooms", status_code="429") == 0
    record.record_http_request("POST", "/api/rooms", 429, 0.1, 10, 20)
    record.record_http_request("BREW", "/../etc/passwd", 418, 0.1, 10, 20)
    assert registry.value("api_errors_total", endpoint="/api/rooms", status_code="429") == 1
    assert registry.value("api_errors_total", endpoint="other", status_code="other") == 1
    count = "http_request_duration_seconds_count"
    assert registry.value(count, method="POST", route="/api/rooms", status_code="4xx") == 1
    assert registry.value(count, method="other", route="other", status_code="4xx") == 1


def test_gauges_increase_and_decrease(record: Metrics, registry: Registry) -> None:
    record.transfer_started()
    record.connection_opened("relay")
    record.device_connected("cli")
    assert registry.value("active_transfers") == 1
    record.transfer_finished()
    record.connection_closed("relay")
    record.device_disconnected("cli")
    assert registry.value("active_transfers") == 0
    assert registry.value("transfers_started_total") == 1
    assert registry.value("active_connections", type="relay") == 0
    assert registry.value("device_connections", device_type="cli") == 0


def test_bandwidth_is_the_mean_of_the_last_ten_seconds(record: Metrics, registry: Registry) -> None:
    record.record_bytes_moved("sent", 1_250_000)
    assert registry.value("bandwidth_utilization_mbps", direction="sent") == pytest.approx(1.0)


def test_the_series_metric_counts_exposed_lines(record: Metrics, registry: Registry) -> None:
    assert registry.value("metric_series", metric="tallow_transfers_total") == 6
    lines = len(METRICS["transfer_speed_mbps"].buckets) + 3
    assert registry.value("metric_series", metric="tallow_transfer_speed_mbps") == 2 * lines


def test_a_scrape_causes_no_label_overflow(record: Metrics, registry: Registry) -> None:
    """Also for the metrics that count series and overflows."""
    for _ in range(2):
        expose(registry)
    assert {name for (name,), _ in registry.families["metric_series"].children()} == {
        name for name, _ in registry.live_series()
    }
    for (name,), _ in registry.families["label_overflow_total"].children():
        assert registry.value("label_overflow_total", metric=name) == 0
