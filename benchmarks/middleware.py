"""What the middleware adds to a request, against prometheus-fastapi-instrumentator and OpenTelemetry's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry
from prometheus_fastapi_instrumentator import Instrumentator
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from benchmarks.measure import Row, paired
from tallow.monitoring import instrument
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.registry import Registry

REQUESTS = 1_000
HEADERS = [
    (b"host", b"tallow.example"),
    (b"user-agent", b"benchmark"),
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip"),
    (b"connection", b"keep-alive"),
]


async def item(request: Request) -> PlainTextResponse:
    """An application that does next to nothing."""
    return PlainTextResponse("ok")


def application() -> Starlette:
    return Starlette(routes=[Route("/items/{number}", item)])


def rows() -> list[Row]:
    """The table's lines on the middleware: cost added to the bare application."""
    ours = application()
    instrument(ours, metrics=Metrics(Registry()))
    instrumented: Any = application()
    Instrumentator(registry=CollectorRegistry()).instrument(instrumented)
    traced = OpenTelemetryMiddleware(
        application(),
        tracer_provider=TracerProvider(),
        meter_provider=MeterProvider([InMemoryMetricReader()]),
    )
    return paired(
        "middleware, cost added to a request",
        runner(ours),
        {"prometheus-fastapi-instrumentator": runner(instrumented), "OpenTelemetry ASGI": runner(traced)},
        lambda: None,
        items=REQUESTS,
        aims={"prometheus-fastapi-instrumentator": 0.5},
        base=runner(application()),
    )


def runner(app: Any) -> Callable[[Any], None]:
    """Sends a thousand requests, straight into the application."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        pass

    async def requests() -> None:
        for number in range(REQUESTS):
            path = f"/items/{number}"
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
                    "headers": list(HEADERS),
                    "client": ("127.0.0.1", 50000),
                    "server": ("127.0.0.1", 3000),
                },
                receive,
                send,
            )

    return lambda _: asyncio.run(requests())
