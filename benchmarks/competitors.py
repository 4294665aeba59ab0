"""The catalogue's metrics with prometheus_client and OpenTelemetry, used as their documentation shows."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from tallow.monitoring.catalog import METRICS

LABELS, CACHED = "prometheus_client, .labels()", "prometheus_client, cached children"
OTEL = "OpenTelemetry SDK"

Transfer = tuple[float, float, str]
NAMES = ("transfers_total", "file_size_bytes", "transfer_duration_seconds", "transfer_speed_mbps")


def _make(name: str, registry: CollectorRegistry) -> Any:
    metric = METRICS[name]
    if metric.kind == "counter":
        return Counter(name, metric.help, metric.label_names, registry=registry)
    return Histogram(name, metric.help, metric.label_names, buckets=metric.buckets, registry=registry)


class Client:
    """prometheus_client with a label lookup per update, as most code uses it."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.total, self.size, self.duration, self.speed = (_make(name, registry) for name in NAMES)
        self.bytes = _make("bytes_transferred_total", registry)
        self.time = _make("chunk_transfer_duration_seconds", registry)

    def transfer(self, data: list[Transfer]) -> None:
        total, sizes, durations, speeds = self.total, self.size, self.duration, self.speed
        for size, duration, _ in data:
            total.labels("success", "relay").inc()
            sizes.labels("image").observe(size)
            durations.labels("success", "1mb_10mb").observe(duration)
            speeds.labels("relay").observe(size * 8e-6 / duration)

    def chunk(self, data: list[Transfer]) -> None:
        moved, time = self.bytes, self.time
        for size, duration, _ in data:
            moved.labels("sent").inc(size)
            time.labels("relay").observe(duration)


class Cached(Client):
    """prometheus_client at its fastest: with cached children, without label lookups."""

    def transfer(self, data: list[Transfer]) -> None:
        total = self.total.labels("success", "relay")
        sizes = self.size.labels("image")
        durations = self.duration.labels("success", "1mb_10mb")
        speeds = self.speed.labels("relay")
        for size, duration, _ in data:
            total.inc()
            sizes.observe(size)
            durations.observe(duration)
            speeds.observe(size * 8e-6 / duration)

    def chunk(self, data: list[Transfer]) -> None:
        moved, time = self.bytes.labels("sent"), self.time.labels("relay")
        for size, duration, _ in data:
            moved.inc(size)
            time.observe(duration)

    def transfer_exemplars(self, data: list[Transfer], current: str) -> None:
        total = self.total.labels("success", "relay")
        sizes = self.size.labels("image")
        durations = self.duration.labels("success", "1mb_10mb")
        speeds = self.speed.labels("relay")
        for size, duration, _ in data:
            note = {"correlation_id": current}
            total.inc()
            sizes.observe(size, note)
            durations.observe(duration, note)
            speeds.observe(size * 8e-6 / duration, note)

    def chunk_exemplars(self, data: list[Transfer], current: str) -> None:
        moved, time = self.bytes.labels("sent"), self.time.labels("relay")
        for size, duration, _ in data:
            moved.inc(size)
            time.observe(duration, {"correlation_id": current})


class Otel:
    """The OpenTelemetry SDK's instruments.

    Imported late: where it is loaded, each of our observations looks for a current span.
    """

    def __init__(self) -> None:
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader

        meter = MeterProvider([InMemoryMetricReader()]).get_meter("bench")
        self.total = meter.create_counter("transfers")
        self.size, self.duration, self.speed, self.time = (
            meter.create_histogram(name, explicit_bucket_boundaries_advisory=METRICS[name].buckets)
            for name in (*NAMES[1:], "chunk_transfer_duration_seconds")
        )
        self.bytes = meter.create_counter("bytes")

    def transfer(self, data: list[Transfer]) -> None:
        for size, duration, _ in data:
            self.total.add(1, {"status": "success", "method": "relay"})
            self.size.record(size, {"file_type": "image"})
            self.duration.record(duration, {"status": "success", "size_category": "1mb_10mb"})
            self.speed.record(size * 8e-6 / duration, {"method": "relay"})

    def chunk(self, data: list[Transfer]) -> None:
        for size, duration, _ in data:
            self.bytes.add(size, {"direction": "sent"})
            self.time.record(duration, {"method": "relay"})
