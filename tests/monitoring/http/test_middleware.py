"""``instrument(app)`` with requests to Starlette applications."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics import parser as openmetrics_parser
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tallow.monitoring import correlation, instrument
from tallow.monitoring.exposition.escaping import SCHEMES
from tallow.monitoring.exposition.text import OPENMETRICS, TEXT, TEXT_1_0_0
from tallow.monitoring.http.middleware import Instrumentation
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry

COUNT = "http_request_duration_seconds_count"


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"hello {correlation.current()}")


async def broken(request: Request) -> PlainTextResponse:
    raise RuntimeError("the cellar is flooded")


async def forbidden(request: Request) -> PlainTextResponse:
    raise HTTPException(403)


async def upload(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def halfway(request: Request) -> StreamingResponse:
    async def stream() -> AsyncIterator[bytes]:
        yield b"so far"
        raise RuntimeError("and no further")

    return StreamingResponse(stream())


def application() -> Starlette:
    return Starlette(
        routes=[
            Route("/hello/{name}", hello),
            Route("/farewell/{name}", hello),
            Route("/broken", broken),
            Route("/forbidden", forbidden),
            Route("/halfway", halfway),
            Route("/upload", upload, methods=["POST"]),
            Mount("/inner", routes=[Route("/deep/{id:int}", forbidden)]),
            Mount("/static", StaticFiles(directory=Path(__file__).parent)),
        ]
    )


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Registry())


@asynccontextmanager
async def client_of(app: Any, host: str = "127.0.0.1", **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(host, 40000))
    async with httpx.AsyncClient(transport=transport, base_url="http://tallow", headers=headers) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/hello/alice%40example.org", "/hello/{name}", "2xx"),
        ("GET", "/farewell/bob", "/farewell/{name}", "2xx"),
        ("GET", "/inner/deep/7", "/inner/deep/{id:int}", "4xx"),
        ("GET", "/forbidden", "/forbidden", "4xx"),
        ("DELETE", "/hello/x", "/hello/{name}", "4xx"),
        ("GET", "/static/test_middleware.py", "/static/{path}", "2xx"),
        ("GET", "/nowhere/alice", "other", "4xx"),
        ("GET", "/broken", "/broken", "5xx"),
        ("GET", "/halfway", "/halfway", "5xx"),
    ],
)
async def test_requests_are_recorded_by_route_template(
    metrics: Metrics, method: str, path: str, route: str, status: str
) -> None:
    app = instrument(application(), metrics=metrics)
    async with client_of(app) as client:
        await client.request(method, path)
    assert metrics.registry.value(COUNT, method=method, route=route, status_code=status) == 1


async def test_a_path_never_becomes_a_label(metrics: Metrics) -> None:
    app = instrument(application(), metrics=metrics)
    async with client_of(app) as client:
        for number in range(50):
            await client.get(f"/nowhere/secret-{number}")
            await client.get(f"/hello/secret-{number}")
        exposition = (await client.get("/metrics")).text
    assert "secret-" not in exposition


async def test_sizes_are_recorded_with_and_without_a_content_length(metrics: Metrics) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x" * 700
        yield b"x" * 300

    app = instrument(application(), metrics=metrics)
    async with client_of(app) as client:
        assert (await client.post("/upload", content=b"x" * 500)).text == "500"
        assert (await client.post("/upload", content=chunks())).text == "1000"
    size = metrics.registry.value("http_request_size_bytes_sum", method="POST", route="/upload")
    assert size == 1500
    assert metrics.registry.value("http_response_size_bytes_sum", method="POST", route="/upload") == 7


async def test_an_unhandled_exception_is_an_internal_error(metrics: Metrics) -> None:
    app = instrument(application(), metrics=metrics)
    async with client_of(app) as client:
        assert (await client.get("/broken")).status_code == 500
    assert metrics.registry.value("errors_total", type="internal", severity="high") == 1
    assert metrics.registry.value("api_errors_total", endpoint="/broken", status_code="500") == 1


async def test_error_series_of_known_routes_exist_at_zero(metrics: Metrics) -> None:
    app = instrument(application(), metrics=metrics)
    async with client_of(app) as client:
        await client.get("/hello/x")
    assert metrics.registry.value("api_errors_total", endpoint="/upload", status_code="503") == 0


async def test_the_correlation_id_is_taken_bound_and_returned(metrics: Metrics) -> None:
    app = instrument(application(), metrics=metrics)
    async with client_of(app) as client:
        given = await client.get("/hello/x", headers={"X-Request-ID": "ab" * 16})
        made = await client.get("/hello/x", headers={"X-Request-ID": "alice@example.org"})
        failed = await client.get("/broken")
    assert given.text == f"hello {'ab' * 16}"
    assert given.headers["x-request-id"] == "ab" * 16
    assert correlation.parse(made.headers["x-request-id"])
    assert correlation.parse(failed.headers["x-request-id"])


async def test_format_and_compression_of_metrics_are_negotiated(metrics: Metrics) -> None:
    app = instrument(application(), metrics=metrics)
    async with client_of(app) as client:
        text = await client.get("/api/metrics", headers={"Accept-Encoding": "identity"})
        strict = await client.get(
            "/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
        )
        head = await client.head("/metrics")
    assert text.headers["content-type"] == TEXT
    assert "content-encoding" not in text.headers
    assert strict.headers["content-type"] == OPENMETRICS
    assert strict.headers["content-encoding"] == "gzip"
    assert strict.text.endswith("# EOF\n")
    assert head.status_code == 200
    assert head.content == b""


async def test_the_requested_escaping_is_named_in_the_response(metrics: Metrics) -> None:
    app = instrument(application(), metrics=metrics)
    async with client_of(app) as client:
        for kind, base in (("application/openmetrics-text", OPENMETRICS), ("text/plain", TEXT_1_0_0)):
            for escaping in SCHEMES:
                accept = f"{kind};version=1.0.0;escaping={escaping}"
                answer = await client.get("/metrics", headers={"Accept": accept})
                assert answer.headers["content-type"] == f"{base}; escaping={escaping}"
                assert "app_errors_total" in answer.text


async def test_scrapes_and_probes_leave_no_exemplars(metrics: Metrics) -> None:
    app = instrument(application(), metrics=metrics)
    traced = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}  # Prometheus sends it if it is traced
    async with client_of(app) as client:
        for path in ("/metrics", "/api/metrics", "/api/health", "/api/health/liveness"):
            await client.get(path, headers=traced)
            await client.head(path)
            await client.post(path)
        assert metrics.registry.exemplars == {}
        asked = await client.get("/hello/x", headers=traced)
        assert asked.headers["x-request-id"] == "ab" * 16
        exposed = await client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert {identifier for identifier, _, _ in metrics.registry.exemplars.values()} == {"ab" * 16}
    samples = [
        sample
        for family in openmetrics_parser.text_string_to_metric_families(exposed.text)  # type: ignore[no-untyped-call]
        for sample in family.samples
        if sample.exemplar and "route" in sample.labels  # a garbage collection may have an exemplar, too
    ]
    assert len(samples) == 3
    assert all("/hello" in sample.labels["route"] for sample in samples)
    assert all(abs(float(sample.exemplar.timestamp) - time.time()) < 60 for sample in samples)


async def test_event_loop_lag_has_no_exemplar_of_the_first_request(metrics: Metrics) -> None:
    app = instrument(application(), metrics=metrics)
    async with client_of(app) as client:
        await client.get("/hello/x")  # starts the measurement
        while not metrics.registry.value("event_loop_lag_seconds_count"):
            await asyncio.sleep(0.01)
    lag = metrics.registry.families["event_loop_lag_seconds"]
    first = lag.series[0].first
    assert not metrics.registry.exemplars.keys() & set(range(first, first + lag.width))


async def test_compressed_metrics_are_plain_gzip(metrics: Metrics) -> None:
    app = instrument(application(), metrics=metrics)
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://tallow") as client,
        client.stream("GET", "/metrics", headers={"Accept-Encoding": "gzip"}) as answer,
    ):
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert gzip.decompress(raw).startswith(b"# HELP app_")


@pytest.mark.parametrize(
    ("host", "token", "headers", "status"),
    [
        ("127.0.0.1", None, {}, 200),
        ("::1", None, {}, 200),
        ("::ffff:127.0.0.1", None, {}, 200),
        ("192.0.2.7", None, {}, 401),
        ("not-an-address", None, {}, 401),
        ("127.0.0.1", None, {"X-Forwarded-For": "192.0.2.7"}, 401),
        ("127.0.0.1", None, {"Forwarded": "for=192.0.2.7"}, 401),
        ("127.0.0.1", "s3cret", {}, 401),
        ("127.0.0.1", "s3cret", {"Authorization": "Bearer wrong"}, 401),
        ("127.0.0.1", "s3cret", {"Authorization": "Basic s3cret"}, 401),
        ("192.0.2.7", "s3cret", {"Authorization": "Bearer s3cret"}, 200),
        ("192.0.2.7", "s3cret", {"Authorization": "bearer s3cret", "X-Forwarded-For": "1.2.3.4"}, 200),
    ],
)
async def test_access_to_metrics(
    metrics: Metrics, host: str, token: str | None, headers: dict[str, str], status: int
) -> None:
    app = instrument(application(), metrics=metrics, metrics_token=token)
    async with client_of(app, host, **headers) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == status
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_any_asgi_callable_is_wrapped(metrics: Metrics) -> None:
    async def bare(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    app = instrument(bare, metrics=metrics, route_of=lambda scope: "/bare")
    metrics.register_route("/bare")
    assert instrument(app) is app
    async with client_of(app) as client:
        answer = await client.get("/x")
    assert answer.status_code == 204
    assert metrics.registry.value(COUNT, method="GET", route="/bare", status_code="2xx") == 1


async def test_instrumenting_twice_has_no_effect_and_too_late_is_an_error(metrics: Metrics) -> None:
    app = application()
    assert instrument(app, metrics=metrics) is app
    assert instrument(app, metrics=metrics) is app
    async with client_of(app) as client:
        await client.get("/hello/x")
    assert metrics.registry.value(COUNT, method="GET", route="/hello/{name}", status_code="2xx") == 1
    late = application()
    async with client_of(late) as client:
        await client.get("/hello/x")
    with pytest.raises(RuntimeError, match="before the application serves"):
        instrument(late)


async def test_a_cancelled_request_is_not_a_server_error(metrics: Metrics) -> None:
    started = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        started.set()
        await asyncio.Event().wait()

    app = Instrumentation(slow, metrics=metrics)
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}
    task = asyncio.create_task(app(scope, None, None))  # type: ignore[arg-type]
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not metrics.registry.families["http_request_duration_seconds"]
