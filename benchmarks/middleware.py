"""CPU time that the middleware adds to a request, compared with two other instrumentations.

Ours makes a correlation id, or takes it from the request, binds it, returns it and records it as an exemplar;
the competitors do not. They are configured as in their documentation; the instrumentator is also measured
with only the three metrics that ours records.

With the OpenTelemetry API loaded, ours also reads the current span. So there is a child process without it,
and one with it. Plugins of pydantic, which FastAPI loads, are off: that of logfire would load the API.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_fastapi_instrumentator import Instrumentator, metrics
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from benchmarks.isolated_process import print_rows, rows_of
from benchmarks.paired_measurement import Row, paired
from tallow.monitoring import instrument
from tallow.monitoring.catalog import METRICS
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry

REQUESTS = 1_000
HEADERS = [
    (b"host", b"tallow.example"),
    (b"user-agent", b"benchmark"),
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip"),
    (b"connection", b"keep-alive"),
]
DEFAULT, SAME_METRICS = (
    "prometheus-fastapi-instrumentator",
    "prometheus-fastapi-instrumentator, our three metrics",
)
OTEL = "OpenTelemetry ASGI"
TRACE_API = "opentelemetry.trace"


async def item(request: Request) -> PlainTextResponse:
    """A handler that does almost nothing."""
    return PlainTextResponse("ok")


def application() -> Starlette:
    return Starlette(routes=[Route("/items/{number}", item)])


def rows() -> list[Row]:
    """The table's rows: the cost added to the bare application."""
    environment = os.environ | {"PYDANTIC_DISABLE_PLUGINS": "__all__"}
    return [
        row
        for process in PROCESSES
        for row in rows_of([sys.executable, "-m", "benchmarks.middleware", process], environment)
    ]


def without_opentelemetry() -> list[Row]:
    """Most applications: the OpenTelemetry API is not loaded."""
    ours, default, base = instrumented(), with_instrumentator(), application()
    found = [
        *paired(
            "middleware, cost added to a request without an id",
            runner(ours),
            {DEFAULT: runner(default), SAME_METRICS: runner(with_same_metrics())},
            requests_without_ids,
            items=REQUESTS,
            aims={DEFAULT: 0.3, SAME_METRICS: 0.5},
            base=runner(base),
        ),
        *paired(
            "middleware, cost added to a request with traceparent and X-Request-ID",
            runner(ours),
            {DEFAULT: runner(default)},
            requests,
            items=REQUESTS,
            aims={DEFAULT: 0.3},
            base=runner(base),
        ),
    ]
    if TRACE_API in sys.modules:
        sys.exit("benchmarks: a compared library has loaded OpenTelemetry")
    return found


def with_opentelemetry() -> list[Row]:
    """The API is loaded: the server records a span of each request, or nothing does."""
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider

    tracer = TracerProvider().get_tracer("benchmark")

    def in_span(app: Any) -> Any:
        async def call(scope: Any, receive: Any, send: Any) -> None:
            with tracer.start_as_current_span("request"):
                await app(scope, receive, send)

        return call

    traced = OpenTelemetryMiddleware(
        application(),
        tracer_provider=TracerProvider(),
        meter_provider=MeterProvider([InMemoryMetricReader()]),
    )
    return [
        *paired(
            "middleware, in a recorded OpenTelemetry span",
            runner(in_span(instrumented())),
            {DEFAULT: runner(in_span(with_instrumentator()))},
            requests,
            items=REQUESTS,
            aims={},
            base=runner(in_span(application())),
        ),
        *paired(
            "middleware, OpenTelemetry loaded, no span",
            runner(instrumented()),
            {DEFAULT: runner(with_instrumentator()), OTEL: runner(traced)},
            requests,
            items=REQUESTS,
            aims={},
            base=runner(application()),
        ),
    ]


PROCESSES = {"without-opentelemetry": without_opentelemetry, "with-opentelemetry": with_opentelemetry}


def instrumented() -> Any:
    return instrument(application(), metrics=Metrics(Registry()))


def with_instrumentator() -> Any:
    app: Any = application()
    Instrumentator(registry=CollectorRegistry()).instrument(app)
    return app


def with_same_metrics() -> Any:
    """An application instrumented only for durations in our buckets and both sizes."""
    app: Any = application()
    registry = CollectorRegistry()
    buckets = METRICS["http_request_duration_seconds"].buckets
    instrumentator = Instrumentator(registry=registry)
    instrumentator.add(metrics.latency(buckets=buckets, registry=registry))
    instrumentator.add(metrics.request_size(registry=registry))
    instrumentator.add(metrics.response_size(registry=registry))
    instrumentator.instrument(app)
    return app


def requests() -> list[dict[str, Any]]:
    """Scopes of requests with new paths and correlation ids. Each run copies them."""
    return [scope(number, os.urandom(16).hex().encode()) for number in range(REQUESTS)]


def requests_without_ids() -> list[dict[str, Any]]:
    """As :func:`requests`, without the headers of an id."""
    return [given | {"headers": HEADERS.copy()} for given in requests()]


def scope(number: int, identifier: bytes) -> dict[str, Any]:
    path = f"/items/{number}"
    brought = [(b"x-request-id", identifier), (b"traceparent", b"00-%b-00f067aa0ba902b7-01" % identifier)]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [*HEADERS, *brought],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 3000),
    }


def runner(app: Any) -> Callable[[list[dict[str, Any]]], None]:
    """A function that calls the ASGI application once for each scope."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        pass

    async def serve(scopes: list[dict[str, Any]]) -> None:
        for given in scopes:
            await app(given.copy(), receive, send)

    return lambda scopes: asyncio.run(serve(scopes))


if __name__ == "__main__":
    print_rows(PROCESSES[sys.argv[1]]())
