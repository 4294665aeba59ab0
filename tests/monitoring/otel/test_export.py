"""Metrics, logs and spans arrive at a strict OTLP endpoint, scrubbed; what does not arrive is counted."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tallow.monitoring import otel
from tallow.monitoring.lifecycle import warn_once
from tallow.monitoring.testing import captured_logs
from tallow.monitoring.testing.leak_search import assert_absent
from tallow.monitoring.testing.otlp import FakeOtlpEndpoint, otlp_endpoint

PROGRAM = Path(__file__).parents[2] / "support" / "otel_export.py"
TRACE = "0af7651916cd43dd8448eb211c80319c"
SECRETS = ["alice@mail.example", "rosebud-1941", "zanzibar", "203.0.113.9"]

pytestmark = pytest.mark.slow


@dataclass
class Ended:
    """What the program left behind."""

    endpoint: FakeOtlpEndpoint
    result: dict[str, Any]
    stderr: str


def run(url: str, scenario: str = "plain", **variables: str) -> tuple[dict[str, Any], str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    environment |= {"PYTHONPATH": str(PROGRAM.parents[1]), "LOG_FILE": os.devnull}
    environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": url, **variables}
    ended = subprocess.run(
        [sys.executable, PROGRAM, scenario],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    result: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return result, ended.stderr


@pytest.fixture(scope="module")
def plain() -> Iterator[Ended]:
    with otlp_endpoint() as endpoint:
        result, stderr = run(
            endpoint.url + "/",
            "foreign",
            OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
            OTEL_EXPORTER_OTLP_HEADERS="api-key=open%20sesame,x-tenant=a",
            OTEL_SERVICE_NAME="shop",
            OTEL_RESOURCE_ATTRIBUTES="service.name=other,team=blue%20whales,owner=alice@mail.example",
        )
        yield Ended(endpoint, result, stderr)


def test_a_strict_endpoint_accepts_all_three_signals(plain: Ended) -> None:
    assert plain.endpoint.rejections == []
    assert {request.path for request in plain.endpoint.requests} == {"/v1/metrics", "/v1/logs", "/v1/traces"}
    assert plain.result["signals"] == ["metrics", "logs", "traces"]
    assert set(plain.result["dropped"].values()) == {0.0}


def test_headers_compression_and_resource_are_those_of_the_environment(plain: Ended) -> None:
    for request in plain.endpoint.requests:
        assert request.headers["api-key"] == "open sesame"
        assert request.headers["x-tenant"] == "a"
        assert request.headers["content-encoding"] == "gzip"
    for resource in plain.endpoint.resources:
        assert resource["service.name"] == "shop"
        assert resource["team"] == "blue whales"
        assert resource["owner"] == "[user]"
    assert len({resource["service.instance.id"] for resource in plain.endpoint.resources}) == 1


def test_nothing_private_arrives(plain: Ended) -> None:
    assert_absent(SECRETS, *(request.body for request in plain.endpoint.requests))
    assert_absent(SECRETS, plain.endpoint.text)


def test_metrics_have_the_registrys_values_edges_and_exemplars(plain: Ended) -> None:
    duration = plain.endpoint.metrics["app_http_request_duration_seconds"]
    assert duration.unit == "s"
    (point,) = [point for point in duration.histogram.data_points if point.count]
    assert plain.endpoint.attributes_of(point)["method"] == "GET"
    assert point.count == 2
    assert point.sum == pytest.approx(0.33)
    (exemplar,) = [exemplar for exemplar in point.exemplars if exemplar.trace_id]
    assert exemplar.trace_id.hex() == TRACE
    assert exemplar.as_double == pytest.approx(0.3)
    records = plain.endpoint.metrics["app_log_records_total"].sum
    assert records.is_monotonic
    levels = {plain.endpoint.attributes_of(found)["level"]: found.as_double for found in records.data_points}
    assert levels["warning"] >= 1


def test_log_records_carry_severity_trace_and_exception(plain: Ended) -> None:
    records = {record.body.string_value: record for record in plain.endpoint.logs}
    mail = records["Mail to [email]"]
    assert (mail.severity_number, mail.severity_text) == (13, "warning")
    assert mail.trace_id.hex() == TRACE
    attributes = plain.endpoint.attributes_of(mail)
    assert attributes["size"] == str(2**63)
    assert attributes["password"] == "[secret]"
    assert attributes["nested"] == {"n": [1, None]}
    failed = plain.endpoint.attributes_of(records["Failed"])
    assert failed["exception.type"] == "ValueError"
    assert "boom for [email]" in failed["exception.message"]


def test_a_new_trace_has_the_correlation_id_and_a_log_records_span_is_sent(plain: Ended) -> None:
    spans = {span.name: span for span in plain.endpoint.spans}
    own = next(span for name, span in spans.items() if name.startswith("GET /users/"))
    assert own.trace_id.hex() == TRACE
    assert not own.parent_span_id
    mail = next(record for record in plain.endpoint.logs if record.body.string_value.startswith("Mail"))
    assert mail.span_id == own.span_id


def test_a_foreign_span_is_sent_without_path_tracestate_and_client(plain: Ended) -> None:
    (span,) = [span for span in plain.endpoint.spans if span.trace_id.hex() == "ab" * 16]
    assert span.name == "GET"
    assert plain.endpoint.attributes_of(span) == {"note": "[email]", "tags": ["[email]", "x"]}
    assert span.status.message == "boom for [email]"
    assert span.events[0].name == "exception"
    assert span.parent_span_id.hex() == "cd" * 8


def test_values_rise_after_a_restart_of_the_export() -> None:
    with otlp_endpoint() as endpoint:
        run(endpoint.url, "again")
    assert endpoint.rejections == []
    duration = endpoint.metrics["app_http_request_duration_seconds"].histogram
    assert sum(point.count for point in duration.data_points) == 5
    assert len({resource["service.instance.id"] for resource in endpoint.resources}) == 2


def test_a_forked_child_sends_its_own_lines_as_another_instance() -> None:
    with otlp_endpoint() as endpoint:
        run(endpoint.url, "fork")
    assert endpoint.rejections == []
    messages = [record.body.string_value for record in endpoint.logs]
    assert [messages.count(text) for text in ("From the child", "From the parent", "Failed")] == [1, 1, 1]
    assert len({resource["service.instance.id"] for resource in endpoint.resources}) == 2


@pytest.mark.parametrize(
    ("failure", "reason"),
    [({"status": 503}, "failed"), ({"status": 400}, "rejected"), ({"cut": "reset"}, "failed")],
)
def test_what_an_endpoint_does_not_take_is_counted(failure: dict[str, Any], reason: str) -> None:
    with otlp_endpoint() as endpoint:
        endpoint.fail(**failure)
        result, stderr = run(endpoint.url)
    # Two lines and one warning about each signal at most, a span, and a report of metrics.
    assert result["dropped"][reason] >= 4
    assert sum(result["dropped"].values()) == result["dropped"][reason]
    assert "Traceback" not in stderr
    assert "127.0.0.1" not in stderr


def test_an_endpoint_that_fails_for_a_while_gets_everything() -> None:
    with otlp_endpoint() as endpoint:
        endpoint.fail(status=503, times=2)
        endpoint.fail(cut="half", times=1)
        result, _ = run(endpoint.url)
    assert set(result["dropped"].values()) == {0.0}
    assert "Failed" in [record.body.string_value for record in endpoint.logs]


def test_a_silent_endpoint_delays_the_end_by_the_given_time_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result, stderr = run(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert result["seconds"] < 2 + 3  # a bound on harm: flush(0.5) and stop(1.5), on a loaded machine
    assert result["dropped"]["failed"] >= 4
    assert "Traceback" not in stderr


def test_a_flood_is_bounded_and_counted() -> None:
    with otlp_endpoint() as endpoint:
        endpoint.fail(status=503)
        result, _ = run(endpoint.url, "flood")
    assert result["dropped"]["queue_full"] >= 15_000
    assert sum(result["dropped"].values()) >= 30_000


@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://[::1"},
    ],
)
def test_nothing_is_sent_without_a_usable_endpoint(variables: dict[str, str]) -> None:
    result, stderr = run("", **variables)
    assert result["signals"] == []
    warned = "OTEL_EXPORTER_OTLP_ENDPOINT" in stderr
    assert warned == bool(variables.get("OTEL_EXPORTER_OTLP_ENDPOINT"))


def test_an_exporter_that_is_left_out_is_fatal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")
    warn_once.reset()
    with captured_logs() as logs:
        assert otel._wanted_signals() == ()
    assert (logs.last["level"], "nothing is sent over OTLP" in logs.last["message"]) == ("fatal", True)


def test_a_signal_can_be_left_out_and_have_an_endpoint_of_its_own() -> None:
    with otlp_endpoint() as endpoint:
        result, _ = run(
            "",
            OTEL_TRACES_EXPORTER="none",
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{endpoint.url}/v1/traces",
            OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=f"{endpoint.url}/v1/logs",
        )
    assert result["signals"] == ["logs"]
    assert {request.path for request in endpoint.requests} == {"/v1/logs"}
