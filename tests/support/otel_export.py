"""Send metrics, logs and spans over OTLP; the first argument chooses what else happens.

A program of its own, because OpenTelemetry's provider belongs to a whole process. It prints what it counted,
as JSON, on its last line.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time

from tallow.monitoring import correlation, otel
from tallow.monitoring.logging import logger
from tallow.monitoring.metrics import METRICS
from tallow.monitoring.sentry import performance_monitoring

TRACE = "0af7651916cd43dd8448eb211c80319c"


def work() -> None:
    METRICS.record_http_request("GET", "/rooms/{code}", 200, 0.03, 10, 20)
    with correlation.bind(TRACE), performance_monitoring.monitor_api_call("get", "/users/alice@mail.example"):
        METRICS.record_http_request("GET", "/rooms/{code}", 200, 0.3, 10, 20)
        nested = {"n": [1, None]}
        logger.warning("Mail to alice@mail.example", size=2**63, password="rosebud-1941", nested=nested)
        try:
            raise ValueError("boom for alice@mail.example")
        except ValueError as error:
            logger.error("Failed", exc_info=error)


def foreign_span() -> None:
    """A span as OpenTelemetry's instrumentation makes it, with everything that must not leave."""
    from opentelemetry import trace

    state = trace.TraceState.from_header(["congo=zanzibar"])
    remote = trace.SpanContext(int("ab" * 16, 16), int("cd" * 8, 16), True, trace.TraceFlags(1), state)
    parent = trace.set_span_in_context(trace.NonRecordingSpan(remote))
    tracer = trace.get_tracer("foreign")
    attributes = {
        "http.target": "/rooms/7-zanzibar?mail=alice@mail.example",
        "url.full": "http://next/rooms/7-zanzibar",
        "user_agent.original": "zanzibar-browser",
        "client.address": "203.0.113.9",
        "db.statement": "select 'zanzibar'",
        "note": "alice@mail.example",
        "tags": ["alice@mail.example", "x"],
    }
    links = [trace.Link(remote, {"note": "alice@mail.example"})]
    span = tracer.start_span(
        "GET /rooms/7-zanzibar", parent, trace.SpanKind.CLIENT, attributes=attributes, links=links
    )
    span.record_exception(ValueError("boom for alice@mail.example"))
    span.set_status(trace.StatusCode.ERROR, "boom for alice@mail.example")
    span.end()


def fork() -> None:
    """Send from a forked child: its own lines, by another instance."""
    child = os.fork()
    if child == 0:
        logger.info("From the child")
        otel.flush()
        os._exit(0)
    os.waitpid(child, 0)
    logger.info("From the parent")


def main(scenario: str) -> None:
    logging.getLogger().addHandler(logging.StreamHandler(sys.stderr))  # what would leave unscrubbed is seen
    signals = otel.start()
    assert otel.start() == signals
    work()
    if scenario == "foreign":
        foreign_span()
    elif scenario == "fork":
        fork()
    elif scenario == "flood":
        for number in range(30_000):
            logger.info("Line", number=number)
    elif scenario == "again":
        otel.flush()
        METRICS.record_http_request("GET", "/rooms/{code}", 200, 0.3, 10, 20)
        otel.flush()
        otel.stop()
        otel.start()
        work()
    started = time.monotonic()
    otel.flush(0.5)
    otel.stop(1.5)
    dropped = {
        reason: METRICS.value("telemetry_dropped_total", pipeline="otel", reason=reason)
        for reason in ("queue_full", "rejected", "failed")
    }
    print(json.dumps({"signals": signals, "dropped": dropped, "seconds": time.monotonic() - started}))


if __name__ == "__main__":
    main(sys.argv[1])
