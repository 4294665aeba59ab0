"""``instrument(app)`` with unusual scopes, disconnects, prefixes, mounts and unknown routers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from tallow.monitoring import correlation, instrument
from tallow.monitoring.http.middleware import Instrumentation
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry

COUNT = "http_request_duration_seconds_count"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Registry())


@asynccontextmanager
async def client_of(app: Any, root_path: str = "") -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(
        app, raise_app_exceptions=False, client=("127.0.0.1", 40000), root_path=root_path
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://tallow") as client:
        yield client


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


def routes() -> list[Route]:
    # One endpoint with two templates: only the path distinguishes them.
    return [Route("/hello/{name}", hello), Route("/farewell/{name}", hello)]


def http(**more: Any) -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": "/", "headers": [], **more}


class Server:
    """Calls an application as a server does, and stores what it sends."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.sent: list[Any] = []

    async def call(self, scope: dict[str, Any], *received: dict[str, Any]) -> None:
        messages = iter(received)

        async def receive() -> Any:
            return next(messages)

        async def send(message: Any) -> None:
            self.sent.append(message)

        await self._app(scope, receive, send)


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def recorded(metrics: Metrics) -> int:
    return len(metrics.registry.families["http_request_duration_seconds"])


async def test_routes_and_endpoints_are_found_behind_a_prefix(metrics: Metrics) -> None:
    app = instrument(Starlette(routes=routes()), metrics=metrics)
    async with client_of(app, root_path="/tallow") as client:
        await client.get("/tallow/farewell/bob")
        assert (await client.get("/tallow/metrics")).status_code == 200
        assert (await client.get("/tallow/api/health/liveness")).status_code == 200
    assert metrics.registry.value(COUNT, method="GET", route="/farewell/{name}", status_code="2xx") == 1
    assert metrics.registry.value(COUNT, method="GET", route="/metrics", status_code="2xx") == 1


async def test_a_mounted_instrumented_application_is_recorded_once(metrics: Metrics) -> None:
    inner = instrument(Starlette(routes=routes()), metrics=metrics)
    outer = instrument(Starlette(routes=[Mount("/inner", app=inner)]), metrics=metrics)
    async with client_of(outer) as client:
        await client.get("/inner/hello/bob")
    assert metrics.registry.value(COUNT, method="GET", route="/inner/hello/{name}", status_code="2xx") == 1
    assert recorded(metrics) == 1


async def test_the_application_s_middleware_has_the_correlation_id(metrics: Metrics) -> None:
    seen = []

    class Middleware:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            seen.append(correlation.current())
            await self.app(scope, receive, send)

    app = Starlette(routes=routes())
    instrument(app, metrics=metrics)
    app.add_middleware(Middleware)
    async with client_of(app) as client:
        returned = (await client.get("/hello/bob")).headers["x-request-id"]
    assert seen == [returned]


@pytest.mark.parametrize("method", ["HEAD", "PROPFIND", "get", "x" * 5000])
async def test_any_method_is_recorded(metrics: Metrics, method: str) -> None:
    app = instrument(answer, metrics=metrics, route_of=lambda scope: "/")
    metrics.register_route("/")
    await Server(app).call(http(method=method))
    label = method if method == "HEAD" else "other"
    assert metrics.registry.value(COUNT, method=label, route="/", status_code="2xx") == 1


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "1e3", "\u0662", "", "many"])
async def test_an_invalid_content_length_is_ignored(metrics: Metrics, length: str) -> None:
    app = instrument(answer, metrics=metrics)
    server = Server(app)
    await server.call(http(headers=[(b"content-length", length.encode())]))
    assert server.sent[-1]["body"] == b"ok"
    sizes = metrics.registry.families["http_request_size_bytes"]
    assert metrics.registry.value("http_request_size_bytes_sum", method="GET", route="other") == 0
    assert sizes


async def test_with_a_broken_router_only_the_route_is_unknown(metrics: Metrics) -> None:
    def route_of(scope: Any) -> str:
        raise LookupError("no route table here")

    server = Server(instrument(answer, metrics=metrics, route_of=route_of))
    await server.call(http())
    assert server.sent[-1]["body"] == b"ok"
    assert metrics.registry.value(COUNT, method="GET", route="other", status_code="2xx") == 1


async def test_an_invalid_list_of_routes_is_ignored(metrics: Metrics) -> None:
    class Framework:
        def routes(self) -> None:
            """A method, as some frameworks have it."""

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            scope["endpoint"] = self
            await answer(scope, receive, send)

    server = Server(instrument(Framework(), metrics=metrics))
    await server.call(http())
    assert server.sent[-1]["body"] == b"ok"
    assert metrics.registry.value(COUNT, method="GET", route="other", status_code="2xx") == 1


async def test_a_client_disconnect_is_not_a_server_error(metrics: Metrics) -> None:
    async def reads(scope: Any, receive: Any, send: Any) -> None:
        raise ClientDisconnect

    with pytest.raises(ClientDisconnect):
        await Server(Instrumentation(reads, metrics=metrics)).call(http())
    assert recorded(metrics) == 0
    assert metrics.registry.value("errors_total", type="internal", severity="high") == 0


async def test_a_failing_send_is_an_error_of_the_server(metrics: Metrics) -> None:
    async def disconnected(message: Any) -> None:
        raise ConnectionResetError

    app = Instrumentation(answer, metrics=metrics)
    with pytest.raises(ConnectionResetError):
        await app(http(), None, disconnected)  # type: ignore[arg-type]
    assert metrics.registry.value(COUNT, method="GET", route="other", status_code="5xx") == 1


async def test_a_scope_of_another_type_is_passed_on(metrics: Metrics) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    scope = {"type": "tallow.other"}
    await Server(instrument(app, metrics=metrics)).call(scope)
    assert seen == [{"type": "tallow.other"}]


async def test_a_scope_without_headers_gets_a_response(metrics: Metrics) -> None:
    server = Server(instrument(answer, metrics=metrics))
    scope = http()
    del scope["headers"]
    await server.call(scope)
    assert server.sent[-1]["body"] == b"ok"


async def test_a_websocket_has_a_correlation_id_and_is_not_an_http_request(metrics: Metrics) -> None:
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(str(correlation.current()))
        await websocket.close()

    app = instrument(Starlette(routes=[WebSocketRoute("/ws", echo)]), metrics=metrics)
    server = Server(app)
    await server.call(
        {"type": "websocket", "path": "/ws", "headers": [(b"x-request-id", b"ab" * 16)], "subprotocols": []},
        {"type": "websocket.connect"},
    )
    assert server.sent[1]["text"] == "ab" * 16
    assert recorded(metrics) == 0


async def test_a_websocket_that_fails_is_an_error(metrics: Metrics) -> None:
    async def broken(websocket: WebSocket) -> None:
        raise RuntimeError("the cellar is flooded")

    app = instrument(Starlette(routes=[WebSocketRoute("/ws", broken)]), metrics=metrics)
    with pytest.raises(RuntimeError):
        await Server(app).call(
            {"type": "websocket", "path": "/ws", "headers": [], "subprotocols": []},
            {"type": "websocket.connect"},
        )
    assert metrics.registry.value("errors_total", type="internal", severity="high") == 1


async def test_the_application_s_correlation_header_is_replaced(metrics: Metrics) -> None:
    async def own(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"X-Request-Id", b"mine"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    server = Server(instrument(own, metrics=metrics))
    await server.call(http(headers=[(b"x-request-id", b"cd" * 16)]))
    sent = server.sent[0]["headers"]
    assert sent == [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"x-request-id", b"cd" * 16)]


async def test_several_accept_headers_are_one_list(metrics: Metrics) -> None:
    server = Server(instrument(answer, metrics=metrics))
    headers = [(b"accept", b"text/html;q=0.9"), (b"accept", b"application/openmetrics-text")]
    await server.call(http(path="/metrics", headers=headers, client=("127.0.0.1", 1)))
    kinds = dict(server.sent[0]["headers"])[b"content-type"]
    assert kinds == b"application/openmetrics-text; version=1.0.0; charset=utf-8"


async def test_concurrent_requests_are_each_recorded(metrics: Metrics) -> None:
    app = instrument(Starlette(routes=routes()), metrics=metrics)
    async with client_of(app) as client:
        answers = await asyncio.gather(*(client.get(f"/hello/{number}") for number in range(50)))
    assert metrics.registry.value(COUNT, method="GET", route="/hello/{name}", status_code="2xx") == 50
    assert len({found.headers["x-request-id"] for found in answers}) == 50
