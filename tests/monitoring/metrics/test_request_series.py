"""The kept series of HTTP requests give the same figures as separate observations."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from tallow.monitoring import correlation
from tallow.monitoring.metrics.recorders import request_series
from tallow.monitoring.metrics.recorders.request_series import RequestSeries
from tallow.monitoring.testing import fresh_metrics

ROUTE = "/orders/{id}"


def test_repeated_requests_are_added_up_with_their_sizes_and_errors() -> None:
    metrics = fresh_metrics()
    metrics.register_route(ROUTE)
    for status in (200, 200, HTTPStatus.OK, 404):
        metrics.record_http_request("GET", ROUTE, status, 0.25, 10, 20.0)
    labels = {"method": "GET", "route": ROUTE}
    assert metrics.value("http_request_duration_seconds_count", **labels, status_code="2xx") == 3
    assert metrics.value("http_request_duration_seconds_sum", **labels, status_code="4xx") == 0.25
    assert metrics.value("http_request_size_bytes_sum", **labels) == 40
    assert metrics.value("http_response_size_bytes_sum", **labels) == 80
    assert metrics.value("api_errors_total", endpoint=ROUTE, status_code="404") == 1


def test_a_number_that_equals_a_known_status_is_still_no_status() -> None:
    metrics = fresh_metrics()
    metrics.register_route(ROUTE)
    metrics.record_http_request("GET", ROUTE, 200, 0.25, 0, 0)
    metrics.record_http_request("GET", ROUTE, 200.0, 0.25, 0, 0)  # type: ignore[arg-type]
    known = metrics.value("http_request_duration_seconds_count", method="GET", route=ROUTE, status_code="2xx")
    assert known == 1
    assert metrics.value("label_overflow_total", metric="http_request_duration_seconds") == 1


@pytest.mark.parametrize(
    ("method", "route", "status"),
    [("BREW", ROUTE, 200), ("GET", "/unknown", 200), ("GET", ROUTE, 999), ("GET", ["/orders"], 200)],
)
def test_unknown_values_are_counted_each_time_and_not_kept(method: str, route: str, status: int) -> None:
    metrics = fresh_metrics()
    metrics.register_route(ROUTE)
    for _ in range(3):
        metrics.record_http_request(method, route, status, 0.25, 0, 0)
    assert metrics.value("label_overflow_total", metric="http_request_duration_seconds") == 3
    assert len(metrics._requests) == 0


def test_one_impossible_number_does_not_lose_the_others() -> None:
    metrics = fresh_metrics()
    metrics.register_route(ROUTE)
    metrics.record_http_request("GET", ROUTE, 200, 0.25, float("nan"), 20)
    assert metrics.value("http_request_size_bytes_count", method="GET", route=ROUTE) == 0
    assert metrics.value("http_response_size_bytes_sum", method="GET", route=ROUTE) == 20
    assert metrics.value("label_overflow_total", metric="http_request_size_bytes") == 1


def test_the_number_of_kept_series_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_series, "MAX_KEPT", 2)
    metrics = fresh_metrics()
    metrics.register_route(ROUTE)
    series = RequestSeries(metrics.registry)
    cells = [series["GET", ROUTE, status] for status in (200, 201, 202)]
    assert len(series) == 2
    assert cells[0] == cells[1] == cells[2]


def test_each_histogram_of_a_request_gets_its_exemplar() -> None:
    metrics = fresh_metrics()
    metrics.register_route(ROUTE)
    with correlation.bind("ab" * 16):
        metrics.record_http_request("GET", ROUTE, 200, 0.25, 10, 20)
    kept = sorted((identifier, value) for identifier, value, _ in metrics.registry.exemplars.values())
    assert kept == [("ab" * 16, 0.25), ("ab" * 16, 10.0), ("ab" * 16, 20.0)]
