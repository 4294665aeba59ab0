"""What an application registers with prometheus_client appears in our exposition."""

from __future__ import annotations

from collections.abc import Iterator

import prometheus_client
import pytest
from prometheus_client.openmetrics import parser as openmetrics_parser

from tallow.monitoring import foreign
from tallow.monitoring.exposition import pieces
from tallow.monitoring.registry import Registry


@pytest.fixture
def sales() -> Iterator[prometheus_client.Counter]:
    counter = prometheus_client.Counter("sales", "Sales.", ["shop"])
    clashing = prometheus_client.Counter("tallow_errors", "Not ours.")
    counter.labels("north").inc(3)
    yield counter
    prometheus_client.REGISTRY.unregister(counter)
    prometheus_client.REGISTRY.unregister(clashing)


def test_a_users_collector_is_exposed(sales: prometheus_client.Counter) -> None:
    text = b"".join(pieces(Registry(), foreign=foreign.pieces(openmetrics=False))).decode()
    assert 'sales_total{shop="north"} 3.0\n' in text
    assert "Not ours" not in text
    assert "python_gc_objects_collected" not in text


def test_openmetrics_ends_once_and_is_valid(sales: prometheus_client.Counter) -> None:
    text = b"".join(pieces(Registry(), openmetrics=True, foreign=foreign.pieces(openmetrics=True))).decode()
    assert text.count("# EOF") == 1
    families = openmetrics_parser.text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    assert "sales" in {family.name for family in families}


def test_an_application_without_prometheus_client_pays_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(__import__("sys").modules, "prometheus_client")
    assert list(foreign.pieces(openmetrics=False)) == []
