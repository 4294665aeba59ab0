"""Instrument an application with OpenTelemetry and with tallow, in the order of the first argument.

A program of its own: OpenTelemetry's provider and its patches belong to a whole process. It prints what its
requests left behind, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import httpx
import requests
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tallow.monitoring import correlation, instrument
from tallow.monitoring.exposition.text import expose
from tallow.monitoring.integrations.trace_headers import instrument_client
from tallow.monitoring.logging import logger
from tallow.monitoring.sentry import performance_monitoring
from tallow.monitoring.testing import captured_logs, fresh_metrics

TRACE = "0af7651916cd43dd8448eb211c80319c"
INCOMING = {
    "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
    "tracestate": "rojo=1,congo=zanzibar",
    "x-request-id": "ab" * 16,
}


class Recorder:
    """A next service, for httpx and requests: keeps the headers that arrive."""

    def __init__(self) -> None:
        self.received: list[list[tuple[str, str]]] = []

    def httpx(self, request: httpx.Request) -> httpx.Response:
        self.received.append([(name.lower(), value) for name, value in request.headers.multi_items()])
        return httpx.Response(200)


class Adapter(requests.adapters.BaseAdapter):
    """Keeps the headers of a request of requests and answers it."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def send(self, request: Any, *_args: Any, **_options: Any) -> requests.Response:
        self._recorder.received.append([(name.lower(), value) for name, value in request.headers.items()])
        response = requests.Response()
        response.status_code, response.request, response.url = 200, request, request.url
        return response

    def close(self) -> None:
        """Nothing is open."""


def _clients(order: str, recorder: Recorder) -> tuple[httpx.Client, requests.Session]:
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
    from opentelemetry.instrumentation.requests import RequestsInstrumentor

    client = httpx.Client(transport=httpx.MockTransport(recorder.httpx))
    session = requests.Session()
    session.mount("http://", Adapter(recorder))
    steps = [
        lambda: (HTTPXClientInstrumentor().instrument_client(client), RequestsInstrumentor().instrument()),
        lambda: (instrument_client(client), instrument_client(session)),
    ]
    for step in steps if order.startswith("otel") else reversed(steps):
        step()
    return client, session


def _app(order: str, handler: Any, metrics: Any) -> Any:
    framework = order.rpartition(" ")[2]  # the last word
    app: Any
    otel: Any
    if framework == "fastapi":
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

        app = FastAPI()
        app.get("/rooms/{code}")(handler)
        otel = FastAPIInstrumentor.instrument_app
    elif framework == "starlette":
        from opentelemetry.instrumentation.starlette import StarletteInstrumentor

        app = Starlette(routes=[Route("/rooms/{code}", handler)])
        otel = StarletteInstrumentor.instrument_app
    elif framework == "asgi":
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

        app = Starlette(routes=[Route("/rooms/{code}", handler)])
        if order.startswith("otel"):
            return instrument(OpenTelemetryMiddleware(app), metrics=metrics)
        return OpenTelemetryMiddleware(instrument(app, metrics=metrics))
    else:  # OpenTelemetry instruments the clients alone
        return instrument(Starlette(routes=[Route("/rooms/{code}", handler)]), metrics=metrics)
    if order.startswith("otel"):
        otel(app)
        return instrument(app, metrics=metrics)
    app = instrument(app, metrics=metrics)
    otel(app)
    return app


async def main(order: str) -> None:
    finished = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(finished))
    trace.set_tracer_provider(provider)
    recorder, metrics = Recorder(), fresh_metrics()
    client, session = _clients(order, recorder)
    seen: dict[str, Any] = {}

    async def handler(request: Any = None) -> Any:
        context = trace.get_current_span().get_span_context()
        seen["span"] = f"{context.span_id:016x}"
        with performance_monitoring.monitor_crypto("encrypt", "aes_256_gcm"):
            logger.info("Handled", trace_id="mine")
        client.get("http://next/")
        session.get("http://next/")
        seen["correlation"] = correlation.current()
        return PlainTextResponse("ok")

    app = _app(order, handler, metrics)
    answers = []
    with captured_logs() as logs:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
            answers.append(await http.get("/rooms/7-secret", headers=INCOMING))
            answers.append(await http.get("/rooms/7-secret"))
    spans = finished.get_finished_spans()
    print(
        json.dumps(
            {
                "ids": [answer.headers.get_list("x-request-id") for answer in answers],
                "status": [answer.status_code for answer in answers],
                "sent": recorder.received,
                "seen": seen,
                "logs": logs.records,
                "spans": [
                    {
                        "name": span.name,
                        "kind": span.kind.name,
                        "trace": f"{span.context.trace_id:032x}",
                        "span": f"{span.context.span_id:016x}",
                        "parent": None if span.parent is None else f"{span.parent.span_id:016x}",
                        "attributes": dict(span.attributes or {}),
                    }
                    for span in spans
                ],
                "exposition": expose(metrics.registry, openmetrics=True).decode(),
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
