"""When a response ends, what counts as an error, and what streams and WebSockets are recorded as."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tallow.monitoring import instrument
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry

COUNT = "http_request_duration_seconds_count"

App = Callable[[Any, Any, Any], Awaitable[None]]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Registry())


def http(**more: Any) -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": "/", "headers": [], **more}


def websocket() -> dict[str, Any]:
    return {"type": "websocket", "path": "/", "headers": [], "subprotocols": []}


def requests(metrics: Metrics) -> dict[str, float]:
    """The recorded requests to the only route, by status class."""
    family = metrics.registry.families["http_request_duration_seconds"]
    return {
        values[2]: metrics.value(COUNT, method=values[0], route=values[1], status_code=values[2])
        for values, _ in family.children()
        if values[1] == "/orders/{id}"
    }


def errors(metrics: Metrics) -> float:
    return metrics.value("errors_total", type="internal", severity="high")


async def call(app: App, metrics: Metrics, scope: Any, *received: Any, send: Any = None) -> None:
    """Call an instrumented application with the messages of a server."""
    messages = iter(received)

    async def receive() -> Any:
        return next(messages)

    async def accept(message: Any) -> None:
        """Send nowhere."""

    instrumented = instrument(app, metrics=metrics, route_of=lambda _scope: "/orders/{id}")
    await instrumented(scope, receive, send or accept)


async def start(send: Any, status: int = 200, content_type: bytes = b"text/plain") -> None:
    headers = [(b"Content-Type", content_type)]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def body(send: Any, more: bool = False) -> None:
    await send({"type": "http.response.body", "body": b"x" * 10, "more_body": more})


async def test_route_of_needs_no_registration(metrics: Metrics) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await start(send)
        await body(send)

    await call(app, metrics, http())
    assert requests(metrics) == {"2xx": 1}


async def test_a_response_is_recorded_with_its_last_byte(metrics: Metrics) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await start(send)
        await body(send, more=True)
        seen.append(requests(metrics))
        await body(send)
        seen.append(requests(metrics))

    await call(app, metrics, http())
    assert seen == [{}, {"2xx": 1}]


async def test_an_error_after_the_response_is_an_error_and_no_5xx(metrics: Metrics) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await start(send)
        await body(send)
        raise RuntimeError("a background task")

    with pytest.raises(RuntimeError):
        await call(app, metrics, http())
    assert requests(metrics) == {"2xx": 1}
    assert errors(metrics) == 1


async def test_a_response_with_trailers_ends_with_them(metrics: Metrics) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": True})
        await body(send)
        seen.append(requests(metrics))
        await send({"type": "http.response.trailers", "headers": []})
        seen.append(requests(metrics))

    await call(app, metrics, http())
    assert seen == [{}, {"2xx": 1}]


async def test_a_file_that_the_server_sends_is_a_whole_response(metrics: Metrics) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"4321")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.pathsend", "path": "/tmp/report"})

    await call(app, metrics, http())
    assert requests(metrics) == {"2xx": 1}
    assert metrics.value("http_response_size_bytes_sum", method="GET", route="/orders/{id}") == 4321


async def test_no_response_after_a_disconnect_is_not_recorded(metrics: Metrics) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    await call(app, metrics, http(), {"type": "http.disconnect"})
    assert requests(metrics) == {}
    assert errors(metrics) == 0


async def test_a_response_that_begins_after_a_disconnect_is_not_recorded(metrics: Metrics) -> None:
    """A framework answers 500 to a body that ends early, although nobody gets the answer."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await start(send, 500)
        await body(send)

    await call(app, metrics, http(), {"type": "http.disconnect"})
    assert requests(metrics) == {}
    assert errors(metrics) == 0


async def test_no_response_without_a_disconnect_is_what_the_server_answers(metrics: Metrics) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        """Respond with nothing."""

    await call(app, metrics, http())
    assert requests(metrics) == {"5xx": 1}


async def test_a_send_that_fails_in_asgi_2_4_is_a_disconnect(metrics: Metrics) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await start(send)
        await body(send)

    async def gone(message: Any) -> None:
        if message["type"] == "http.response.body":
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await call(app, metrics, http(asgi={"version": "3.0", "spec_version": "2.4"}), send=gone)
    assert requests(metrics) == {"2xx": 1}
    assert errors(metrics) == 0


@pytest.mark.parametrize("kind", [b"text/event-stream", b"Text/Event-Stream; charset=utf-8"])
async def test_an_event_stream_is_open_and_not_a_latency(metrics: Metrics, kind: bytes) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await start(send, content_type=kind)
        seen.append(metrics.value("websocket_connections", route="/orders/{id}"))
        await body(send, more=True)

    await call(app, metrics, http())
    assert seen == [1]
    assert metrics.value("websocket_connections", route="/orders/{id}") == 0
    assert metrics.value("websocket_duration_seconds_count", route="/orders/{id}") == 1
    assert requests(metrics) == {}


async def test_a_broken_event_stream_is_a_failed_response(metrics: Metrics) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await start(send, content_type=b"text/event-stream")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await call(app, metrics, http())
    assert metrics.value("api_errors_total", endpoint="/orders/{id}", status_code="500") == 1
    assert metrics.value("websocket_connections", route="/orders/{id}") == 0
    assert errors(metrics) == 1


async def test_a_refused_event_stream_is_a_request(metrics: Metrics) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await start(send, 401, b"text/event-stream")
        await body(send)

    await call(app, metrics, http())
    assert requests(metrics) == {"4xx": 1}


@pytest.mark.parametrize("ending", ["close", "disconnect", "return", "error"])
async def test_a_websocket_is_closed_once_however_it_ends(metrics: Metrics, ending: str) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        seen.append(metrics.value("websocket_connections", route="/orders/{id}"))
        if ending == "close":
            await send({"type": "websocket.close"})
        elif ending == "disconnect":
            await receive()
        elif ending == "error":
            raise ValueError

    try:
        await call(app, metrics, websocket(), {"type": "websocket.disconnect"})
    except ValueError:
        assert ending == "error"
    assert seen == [1]
    assert metrics.value("websocket_connections", route="/orders/{id}") == 0
    assert metrics.value("websocket_duration_seconds_count", route="/orders/{id}") == 1
    assert requests(metrics) == {}
    assert errors(metrics) == (ending == "error")


@pytest.mark.parametrize(
    ("messages", "status"),
    [
        ([{"type": "websocket.close"}], "4xx"),
        (
            [
                {"type": "websocket.http.response.start", "status": 429, "headers": []},
                {"type": "websocket.http.response.body", "body": b"later"},
            ],
            "4xx",
        ),
        (
            [
                {"type": "websocket.http.response.start", "status": 503, "headers": []},
                {"type": "websocket.http.response.body", "body": b"down"},
            ],
            "5xx",
        ),
        ([], "5xx"),
    ],
)
async def test_a_refused_handshake_is_a_request(metrics: Metrics, messages: list[Any], status: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    await call(app, metrics, websocket())
    assert requests(metrics) == {status: 1}
    assert metrics.value("websocket_duration_seconds_count", route="/orders/{id}") == 0
