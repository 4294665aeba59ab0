"""Synthetic traffic: at least one event on every metric of the catalogue, and its history as OpenMetrics."""

from __future__ import annotations

from support.registries import tallow_metrics
from tallow.monitoring.catalog import METRICS
from tallow.monitoring.exposition.text import expose
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.process import ProcessCollector

ROUTE = "/api/rooms"
SIZES = (5e3, 5e5, 5e6, 5e7, 5e8, 5e9, 5e10)


def server_metrics() -> Metrics:
    """The metrics of a server that has just started, with registered routes and caches."""
    metrics = tallow_metrics()
    metrics.register_route(ROUTE, ("GET", "POST"))
    metrics.register_cache("rooms")
    ProcessCollector(metrics.registry)
    return metrics


def record_minute(metrics: Metrics) -> None:
    """Record a busy minute: transfers of every size and method, connections, errors, requests."""
    _transfers(metrics)
    _peers(metrics)
    _requests(metrics)
    metrics.set_queue_depth(3)
    metrics.connection_opened("webrtc")
    metrics.device_connected("cli")
    metrics.record_event_loop_lag(0.002)
    for generation in range(3):
        metrics.record_gc(generation, 0.001)
    for direction in ("sent", "received"):
        metrics.record_bytes_moved(direction, 10_000_000)
    for severity in ("low", "medium", "high", "critical"):
        for error in values("errors_total", "type"):
            metrics.record_error(error, severity)
            metrics.record_recovery(error)


def values(metric: str, label: str) -> tuple[str, ...]:
    [found] = [found for found in METRICS[metric].labels if found.name == label]
    return found.values


def _transfers(metrics: Metrics) -> None:
    for method in ("p2p", "relay"):
        for size in SIZES:
            metrics.record_transfer("success", method, size, size / 2e6, "image/png")
        metrics.record_transfer("failed", method, 1e6, 3)
        metrics.record_transfer("cancelled", method, 1e6, 3)
        for direction in ("sent", "received"):
            metrics.record_chunk_transfer(method, direction, 65536, 0.02)
    for operation in values("retry_attempts_total", "operation"):
        for status in ("success", "failed"):
            metrics.record_retry(operation, status)


def _peers(metrics: Metrics) -> None:
    for path in ("direct", "relay"):
        for _ in range(9):
            metrics.record_webrtc_connection(path, "success", 0.4)
        metrics.record_webrtc_connection(path, "failed")
    for operation in values("pqc_operations_total", "operation"):
        for _ in range(99):
            metrics.record_pqc_operation(operation, "success", 0.0002)
        metrics.record_pqc_operation(operation, "failed", 0.0002)
    metrics.record_key_exchange("success")
    metrics.record_key_exchange("failed")
    for operation in ("encrypt", "decrypt"):
        metrics.record_encryption(operation, "success", 0.0003)


def _requests(metrics: Metrics) -> None:
    for code in (200, 401, 500):
        metrics.record_http_request("POST", ROUTE, code, 0.02, 300, 2000)
    for operation in values("db_operation_duration_seconds", "operation"):
        metrics.record_db_operation(operation, "success", 0.003)
    for hit in (True, True, False):
        metrics.record_cache_access("rooms", hit)


def stored_samples(metrics: Metrics, job: str, instance: str, at: float) -> str:
    """Every sample of one scrape at the Unix time ``at``, as OpenMetrics lines with job and instance."""
    target = f'job="{job}",instance="{instance}"'
    lines = []
    for line in expose(metrics.registry).decode().splitlines():
        if line.startswith("#"):
            continue
        series, _, value = line.rpartition(" ")
        name, _, labels = series.partition("{")
        lines.append(f"{name}{{{target}{',' + labels if labels else '}'} {value} {at}\n")
    return "".join(lines)
