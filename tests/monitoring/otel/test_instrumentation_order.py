"""OpenTelemetry's instrumentation and ours work on one application, whichever comes first."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[2] / "support" / "otel_order.py"
TRACE = "0af7651916cd43dd8448eb211c80319c"
ORDERS = ["otel, then fastapi", "tallow, then fastapi", "tallow, then starlette", "otel, then asgi"]
CLIENTS_ONLY = "tallow, then no server"

pytestmark = pytest.mark.slow
SERVERS = pytest.mark.parametrize("order", ORDERS)
ALL = pytest.mark.parametrize("order", [*ORDERS, CLIENTS_ONLY])


@functools.cache
def run(order: str) -> dict[str, Any]:
    """What two requests leave behind: one of a trace, and one without headers."""
    ended = subprocess.run(
        [sys.executable, PROGRAM, order],
        env=os.environ | {"PYTHONPATH": str(PROGRAM.parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stderr == ""
    found: dict[str, Any] = json.loads(ended.stdout)
    assert found["status"] == [200, 200]
    return found


@ALL
def test_the_incoming_trace_is_that_of_all_spans_lines_and_responses(order: str) -> None:
    found = run(order)
    traces = {span["trace"] for span in found["spans"][: len(found["spans"]) // 2]}
    assert traces == {TRACE}
    assert found["ids"][0] == [TRACE]
    line = next(record for record in found["logs"] if record["message"] == "Handled")
    assert line["correlation_id"] == line["trace_id"] == TRACE
    assert line["span_id"] in {span["span"] for span in found["spans"] if span["name"] == "crypto encrypt"}


@ALL
def test_outgoing_requests_have_each_header_once_and_the_callers_tracestate(order: str) -> None:
    for sent in run(order)["sent"][:2]:
        names = [name for name, _ in sent]
        assert [names.count(name) for name in ("traceparent", "tracestate", "x-request-id")] == [1, 1, 1]
        values = dict(sent)
        assert re.fullmatch(rf"00-{TRACE}-[0-9a-f]{{16}}-0[13]", values["traceparent"])
        assert values["tracestate"] == "rojo=1,congo=zanzibar"
        assert values["x-request-id"] == TRACE


@SERVERS
def test_without_incoming_headers_the_correlation_id_is_that_of_the_new_trace(order: str) -> None:
    found = run(order)
    half = found["spans"][len(found["spans"]) // 2 :]
    (trace,) = {span["trace"] for span in half}
    assert found["ids"][1] == [trace] == [found["seen"]["correlation"]]
    assert {dict(sent)["traceparent"].split("-")[1] for sent in found["sent"][2:]} == {trace}
    (server,) = [span for span in half if span["kind"] == "SERVER"]
    assert server["parent"] is None


@ALL
def test_routes_keep_their_labels_and_exemplars_carry_the_trace(order: str) -> None:
    exposition = run(order)["exposition"]
    assert 'route="/rooms/{code}"' in exposition
    assert "7-secret" not in exposition
    pattern = (
        rf'le="[^"]*"}} \S+ # {{correlation_id="{TRACE}",trace_id="{TRACE}",span_id="([0-9a-f]{{16}})"}}'
    )
    spans = {span["span"] for span in run(order)["spans"]}
    assert set(re.findall(pattern, exposition)) <= spans
    assert re.search(pattern, exposition)


@ALL
def test_no_line_contains_the_tracestate(order: str) -> None:
    assert "zanzibar" not in json.dumps(run(order)["logs"])


@pytest.mark.parametrize("order", ORDERS)
def test_neither_instrumentation_complains(order: str) -> None:
    assert [record for record in run(order)["logs"] if record["level"] in {"warning", "error"}] == []
