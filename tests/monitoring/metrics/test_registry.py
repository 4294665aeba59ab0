"""The registry: initial zeros, the label guard, and sums."""

from __future__ import annotations

import math
import threading
import time
from itertools import product

import pytest

from support.registries import tallow_registry
from tallow.monitoring import correlation
from tallow.monitoring.catalog import METRICS, Label, Metric
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.family import MAX_REGISTERED
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.metrics.sample import Sample


@pytest.fixture
def registry() -> Registry:
    return tallow_registry()


@pytest.mark.parametrize("name", [n for n, m in METRICS.items() if m.kind != "gauge"])
def test_every_combination_of_known_values_exists_at_zero(registry: Registry, name: str) -> None:
    metric = METRICS[name]
    if any(label.lazy for label in metric.labels):
        assert registry.families[name] == {}
        return
    suffix = "_count" if metric.kind == "histogram" else ""
    for values in product(*(label.values for label in metric.labels)):
        labels = dict(zip(metric.label_names, values, strict=True))
        assert registry.value(name + suffix, **labels) == 0


def test_an_unknown_value_becomes_other_and_is_counted(registry: Registry) -> None:
    family = registry.families["transfers_total"]
    registry.add(family, ("alice@example.org", "relay"))
    assert registry.value("transfers_total", status="other", method="relay") == 1
    assert registry.value("label_overflow_total", metric="tallow_transfers_total") == 1
    assert "alice" not in repr(registry.families)


def test_hostile_values_leave_the_series_bounded(registry: Registry) -> None:
    family = registry.families["errors_total"]
    registry.add(family, ("x", "y"))
    before = dict(registry.live_series())
    for number in range(1000):
        registry.add(family, (f"type-{number}", f"severity-{number}"))
        registry.add(family, ("network", f"severity-{number}"))
    after = dict(registry.live_series())
    assert sum(after.values()) == sum(before.values()) + 1  # (network, other) is new
    assert len(family) == len(family.series)


def test_unhashable_keys_and_keys_of_the_wrong_length_are_counted(registry: Registry) -> None:
    family = registry.families["errors_total"]
    for key in (["a", "b"], ("a", "b", "c"), None, {"a": 1}, ("network",)):
        registry.add(family, key)  # type: ignore[arg-type]
    assert registry.value("label_overflow_total", metric="tallow_errors_total") == 5


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, -1, 1e30, "12", None, [1]])
def test_impossible_numbers_are_left_out_and_counted(registry: Registry, number: object) -> None:
    family = registry.families["event_loop_lag_seconds"]
    registry.observe(family, (), number)  # type: ignore[arg-type]
    assert registry.value("event_loop_lag_seconds_count") == 0
    assert registry.value("event_loop_lag_seconds_sum") == 0


def test_registration_creates_series_at_zero(registry: Registry) -> None:
    assert registry.register("cache", "rooms")
    assert registry.value("cache_hits_total", cache="rooms") == 0
    assert registry.value("cache_misses_total", cache="rooms") == 0


def test_registration_is_bounded_and_rejects_closed_labels(registry: Registry) -> None:
    accepted = [registry.register("feature", f"feature-{number}") for number in range(MAX_REGISTERED + 50)]
    assert sum(accepted) == MAX_REGISTERED
    registry.register("direction", "sideways")
    with pytest.raises(KeyError):
        registry.value("bytes_transferred_total", direction="sideways")


def test_a_route_is_registered_for_its_own_methods(registry: Registry) -> None:
    registry.register("route", "/api/rooms", {"method": ("POST",)})
    assert registry.value("http_request_size_bytes_count", method="POST", route="/api/rooms") == 0
    with pytest.raises(KeyError):
        registry.value("http_request_size_bytes_count", method="PUT", route="/api/rooms")


def test_threads_lose_no_increment(registry: Registry) -> None:
    counter = registry.families["transfers_total"]
    histogram = registry.families["transfer_speed_mbps"]

    def work() -> None:
        for _ in range(5000):
            registry.add(counter, ("success", "relay"))
            registry.observe(histogram, "relay", 1.0)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registry.value("transfers_total", status="success", method="relay") == 40_000
    assert registry.value("transfer_speed_mbps_count", method="relay") == 40_000
    assert registry.value("transfer_speed_mbps_sum", method="relay") == 40_000


def test_a_value_equal_to_an_edge_is_in_its_bucket(registry: Registry) -> None:
    registry.observe(registry.families["transfer_speed_mbps"], "p2p", 0.5)
    entry = registry.snapshot(["transfer_speed_mbps"])["transfer_speed_mbps"][0]
    assert entry["buckets"] == [1] + [0] * 11


def test_a_snapshot_holds_totals_that_are_not_0(registry: Registry) -> None:
    registry.add(registry.families["bytes_transferred_total"], "sent", 512)
    registry.observe(registry.families["transfer_speed_mbps"], "p2p", 3.0)
    snapshot = registry.snapshot(["bytes_transferred_total", "transfer_speed_mbps", "errors_total"])
    assert set(snapshot) == {"bytes_transferred_total", "transfer_speed_mbps"}
    assert snapshot["bytes_transferred_total"] == [{"labels": {"direction": "sent"}, "value": 512.0}]


def test_merge_adds_samples(registry: Registry) -> None:
    speed = METRICS["transfer_speed_mbps"]
    observation = (0.0,) * len(speed.buckets) + (1.0, 20_000.0)
    samples = [
        Sample(METRICS["bytes_transferred_total"], ("sent",), (512.0,)),
        Sample(speed, ("p2p",), observation),
    ]
    registry.merge(samples)
    registry.merge(samples)
    assert registry.value("bytes_transferred_total", direction="sent") == 1024
    assert registry.value("transfer_speed_mbps_count", method="p2p") == 2
    assert registry.value("transfer_speed_mbps_sum", method="p2p") == 40_000


def test_an_observation_keeps_the_correlation_id_as_exemplar(registry: Registry) -> None:
    started = time.time()
    with correlation.bind("ab" * 16):
        registry.observe(registry.families["transfer_speed_mbps"], "p2p", 3.0)
    ((correlation_id, value, timestamp),) = registry.exemplars.values()
    assert (correlation_id, value) == ("ab" * 16, 3.0)
    assert started <= timestamp <= time.time()


def test_every_exemplar_has_a_timestamp(registry: Registry) -> None:
    record = Metrics(registry)
    started = time.time()
    with correlation.bind("ab" * 16):
        record.record_transfer("success", "p2p", 5_000, 0.5, "image/png")
        record.record_transfer("success", "p2p", 5_000, 0.5, files=[(2_000, "image/png"), (3_000, None)])
        record.record_chunk_transfer("p2p", "sent", 5_000, 0.5)
        record.record_http_request("GET", "other", 200, 0.1, 10, 10)
    assert len(registry.exemplars) >= 8
    assert all(started <= timestamp <= time.time() for _, _, timestamp in registry.exemplars.values())


def test_observations_of_a_scrape_have_no_exemplar(registry: Registry) -> None:
    with correlation.bind("ab" * 16, exemplars=False):
        assert correlation.current() == "ab" * 16
        registry.observe(registry.families["transfer_speed_mbps"], "p2p", 3.0)
    assert registry.exemplars == {}


def test_an_application_declares_its_own_metrics(registry: Registry) -> None:
    family = registry.declare(Metric("jobs_total", "counter", "Jobs.", (Label("queue", ("a", "b")),)))
    registry.add(family, "a")
    assert registry.value("jobs_total", queue="a") == 1
    with pytest.raises(ValueError, match="already declared"):
        registry.declare(Metric("jobs_total", "counter", "Jobs."))
    assert registry.value("label_overflow_total", metric="tallow_jobs_total") == 0
    assert Metrics(registry).registry.value("metric_series", metric="tallow_jobs_total") == 2
    registry.add(family, "c")
    assert registry.value("label_overflow_total", metric="tallow_jobs_total") == 1


@pytest.mark.parametrize(
    ("metric", "problem"),
    [
        (Metric("job_seconds", "histogram", "Time.", buckets=(2, 1)), "rising"),
        (Metric("job_seconds", "histogram", "Time."), "rising"),
        (Metric("job_seconds", "gauge", "Time.", buckets=(1,)), "rising"),
        (Metric("job_seconds", "histogram", "Time.", buckets=(1, math.inf)), "finite"),
        (Metric("job_seconds", "histogram", "Time.", buckets=(math.nan,)), "finite"),
        (Metric("job seconds", "gauge", "Time."), "letters"),
        (Metric("jöb", "gauge", "Time."), "letters"),
        (Metric("jobs", "counter", "Jobs."), "_total"),
        (Metric("jobs_total", "gauge", "Jobs."), "_total"),
        (Metric("jobs_bucket", "gauge", "Jobs."), "histogram's samples"),
        (Metric("jobs_total", "counter", "Jobs.", (Label("a", ("b",)), Label("a", ("b",)))), "distinct"),
        (Metric("jobs_total", "counter", "Jobs.", (Label("le", ("b",)),)), "not le"),
        (Metric("jobs_total", "counter", "Jobs.", (Label("__name__", ("b",)),)), "beginning with __"),
        (Metric("jobs_total", "counter", "Jobs.", (Label("a", (1,)),)), "text"),  # type: ignore[arg-type]
        (Metric("jobs_total", "counter", "Jobs.", (Label("a", ("\ud800",)),)), "UTF-8"),
        (Metric("jobs_total", "counter", "Jobs.\0"), "zero bytes"),
    ],
)
def test_a_metric_that_cannot_be_exposed_is_rejected(
    registry: Registry, metric: Metric, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        registry.declare(metric)
    assert metric.name not in registry.families


def test_a_counter_never_decreases(registry: Registry) -> None:
    family = registry.families["bytes_transferred_total"]
    registry.add(family, "sent", 5)
    registry.add(family, "sent", -1)
    assert registry.value("bytes_transferred_total", direction="sent") == 5
    assert registry.value("label_overflow_total", metric="tallow_bytes_transferred_total") == 1
