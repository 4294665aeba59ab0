"""A registry exposes an application's metrics under its own namespace, and Tallow's catalogues on request."""

from __future__ import annotations

import logging

import pytest
from starlette.applications import Starlette

from tallow.monitoring import instrument
from tallow.monitoring.catalog import CATALOGS, CORE, METRICS, Metric
from tallow.monitoring.exposition.text import expose
from tallow.monitoring.lifecycle import warn_once
from tallow.monitoring.metrics import Counter, Metrics, Registry

TRANSFER = ("success", "p2p", 1_000_000, 2.0, "image/png")


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    warn_once.reset()
    caplog.set_level(logging.WARNING)
    return caplog


def names(registry: Registry) -> set[str]:
    text = expose(registry).decode()
    return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}


def test_an_empty_application_exposes_fewer_than_300_lines(registry: Registry) -> None:
    metrics = Metrics(registry)
    instrument(Starlette(), metrics=metrics)
    lines = expose(registry).decode().splitlines()
    assert len(lines) < 300
    assert {name.split("_")[0] for name in names(registry)} == {"app"}
    metrics.close()


def test_core_and_catalogues_are_the_whole_catalogue() -> None:
    listed = [metric.name for group in (CORE, *CATALOGS.values()) for metric in group]
    assert sorted(listed) == sorted(METRICS)


@pytest.mark.parametrize("catalog", CATALOGS)
def test_a_catalogue_appears_with_zeros_under_the_namespace(catalog: str) -> None:
    exposed = expose(Registry(namespace="shop", catalogs=[catalog])).decode().splitlines()
    for metric in CATALOGS[catalog]:
        samples = [line for line in exposed if line.startswith(f"shop_{metric.name}")]
        if not any(label.registered and not label.values for label in metric.labels):
            assert samples
        assert all(line.endswith(" 0.0") for line in samples)


def test_a_catalogue_may_be_named_without_a_list_and_twice(registry: Registry) -> None:
    registry.add_catalogs("storage")
    registry.add_catalogs(["storage"])
    assert "app_db_operation_duration_seconds" in names(registry)


def test_an_unknown_catalogue_is_refused(registry: Registry) -> None:
    with pytest.raises(ValueError, match=r"^no catalogue is named 'orders'; accepted are transfers, conn"):
        registry.add_catalogs(["orders"])


def test_a_helper_without_its_catalogue_adds_it_with_one_warning(
    registry: Registry, warnings: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics(registry)
    for _ in range(3):
        metrics.record_transfer(*TRANSFER)
        metrics.record_chunk_transfer("p2p", "sent", 1000, 0.1)
    assert metrics.value("transfers_total", status="success", method="p2p") == 3
    assert metrics.value("bytes_transferred_total", direction="sent") == 3000
    [message] = [text for text in warnings.messages if "catalogue" in text]
    assert "catalogs=['transfers']" in message
    assert "\n" not in message


@pytest.mark.parametrize("name", sorted(set(METRICS) - {metric.name for metric in CORE}))
def test_every_metric_of_a_catalogue_can_be_recorded_without_it(registry: Registry, name: str) -> None:
    family = registry.families[name]
    key = ("other",) * len(family.metric.labels)
    record = registry.observe if family.metric.kind == "histogram" else registry.add
    record(family, key, 1)
    assert sum(registry.collect()[first] for _, first in family.children()) >= 0
    assert f"app_{name}" in names(registry)


def test_no_warning_if_the_catalogue_was_asked_for(warnings: pytest.LogCaptureFixture) -> None:
    Metrics(Registry(catalogs=["transfers"])).record_transfer(*TRANSFER)
    assert warnings.messages == []


def test_values_registered_before_a_catalogue_are_in_it(registry: Registry) -> None:
    metrics = Metrics(registry)
    assert metrics.register_cache("thumbnails")
    registry.add_catalogs(["storage"])
    assert metrics.value("cache_hits_total", cache="thumbnails") == 0


def test_the_namespace_can_be_set_until_the_first_exposition(registry: Registry) -> None:
    registry.count_overflow("errors_total")
    registry.set_namespace("shop")
    text = expose(registry).decode()
    assert "shop_errors_total{" in text
    assert 'shop_label_overflow_total{metric="shop_errors_total"} 1.0' in text
    assert 'shop_metric_series{metric="shop_errors_total"}' in text
    assert "app_" not in text
    assert registry.value("label_overflow_total", metric="shop_errors_total") == 1
    registry.set_namespace("shop")  # no change
    with pytest.raises(ValueError, match=r"^namespace 'store': the metrics have been exposed as 'shop_"):
        registry.set_namespace("store")


@pytest.mark.parametrize("namespace", ["1shop", "my-shop", "shop.eu", "shop ", "shöp", "a:b", 5])
def test_an_invalid_namespace_is_refused(namespace: str) -> None:
    with pytest.raises(ValueError, match=r"^namespace .*: accepted are letters, digits and underscores"):
        Registry(namespace=namespace)


def test_an_empty_namespace_leaves_the_names_as_they_are() -> None:
    assert "errors_total" in names(Registry(namespace=""))


def test_two_metrics_with_one_exposed_name_are_refused(registry: Registry) -> None:
    Counter("errors", "Errors.", namespace="shop", registry=registry)
    with pytest.raises(ValueError, match="shop_errors_total"):
        registry.set_namespace("shop")
    assert registry.namespace == "app"
    assert {"app_errors_total", "shop_errors_total"} <= names(registry)


def test_a_sample_name_belongs_to_one_metric(registry: Registry) -> None:
    registry.declare(Metric("work", "histogram", "Work.", (), (1,)))
    with pytest.raises(ValueError, match=r"the name 'app_work' belongs to 'app_work'"):
        registry.declare(Metric("work_total", "counter", "Work."))


def test_a_catalogue_that_does_not_fit_breaks_no_helper(
    registry: Registry, warnings: pytest.LogCaptureFixture
) -> None:
    Counter("transfers", "Another shop's transfers.", namespace="app", registry=registry)
    Metrics(registry).record_transfer(*TRANSFER)
    text = expose(registry).decode()
    assert text.count("# TYPE app_transfers_total") == 1
    assert "app_transfers_total 0.0" in text
    assert any("is left out" in text for text in warnings.messages)


@pytest.mark.parametrize("kind", ["counter", "gauge"])
def test_an_observation_in_another_type_is_refused_and_counted(registry: Registry, kind: str) -> None:
    name = "jobs_total" if kind == "counter" else "jobs"
    jobs = registry.declare(Metric(name, kind, "Jobs."))  # type: ignore[arg-type]
    beside = registry.declare(Metric("beside", "gauge", "The next cell."))
    registry.observe(jobs, (), 5)
    assert (registry.value(name), registry.value("beside")) == (0, 0)
    assert registry.value("label_overflow_total", metric=f"app_{name}") == 1
    assert beside.name == "app_beside"


def test_a_histogram_cannot_be_added_to_or_set(registry: Registry) -> None:
    work = registry.declare(Metric("work_seconds", "histogram", "Work.", (), (1,)))
    registry.add(work, (), 1)
    registry.set(work, (), 1)
    assert registry.value("work_seconds_count") == 0
    assert registry.value("label_overflow_total", metric="app_work_seconds") == 2
