"""CPU time that the middleware adds to a request, compared with two other instrumentations.

Every request has a correlation id (X-Request-ID for us, traceparent for OpenTelemetry). Ours binds it,
returns it and records it as an exemplar; the competitors do not. They are configured as in their
documentation; the instrumentator is also measured with only the three metrics that ours records.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry
from prometheus_fastapi_instrumentator import Instrumentator, metrics
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

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


async def item(request: Request) -> PlainTextResponse:
    """A handler that does almost nothing."""
    return PlainTextResponse("ok")


def application() -> Starlette:
    return Starlette(routes=[Route("/items/{number}", item)])


def rows() -> list[Row]:
    """The table's rows: the cost added to the bare application."""
    ours = application()
    instrument(ours, metrics=Metrics(Registry()))
    default: Any = application()
    Instrumentator(registry=CollectorRegistry()).instrument(default)
    traced = OpenTelemetryMiddleware(
        application(),
        tracer_provider=TracerProvider(),
        meter_provider=MeterProvider([InMemoryMetricReader()]),
    )
    return paired(
        "middleware, cost added to a request",
        runner(ours),
        {DEFAULT: runner(default), SAME_METRICS: runner(with_same_metrics()), OTEL: runner(traced)},
        ids,
        items=REQUESTS,
        aims={DEFAULT: 0.5, SAME_METRICS: 0.5},
        base=runner(application()),
    )


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


def ids() -> list[bytes]:
    """New correlation ids."""
    return [os.urandom(16).hex().encode() for _ in range(REQUESTS)]


def runner(app: Any) -> Callable[[list[bytes]], None]:
    """A function that calls the ASGI application once for each correlation id."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        pass

    async def requests(given: list[bytes]) -> None:
        for number, name in enumerate(given):
            path = f"/items/{number}"
            brought = [(b"x-request-id", name), (b"traceparent", b"00-%b-00f067aa0ba902b7-01" % name)]
            await app(
                {
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
                },
                receive,
                send,
            )

    return lambda given: asyncio.run(requests(given))
