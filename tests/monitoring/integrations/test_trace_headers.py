"""The trace of an incoming request goes on with requests of each supported client, over a real connection."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import aiohttp
import httpx
import pytest
import requests

from tallow.monitoring import instrument
from tallow.monitoring.integrations.trace_headers import instrument_client
from tallow.monitoring.testing import captured_logs, fresh_metrics

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
STATE = "rojo=00f067aa0ba902b7,congo=alice@mail.example"

Call = Callable[[str, dict[str, str]], Awaitable[None]]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    received: list[list[tuple[str, str]]]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.received.append([(name.lower(), value) for name, value in self.headers.items()])
        redirect = self.path == "/redirect"
        self.send_response(302 if redirect else 200)
        if redirect:
            self.send_header("location", "/")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Print nothing."""


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.received = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def _httpx_async(url: str, headers: dict[str, str]) -> None:
    async with instrument_client(httpx.AsyncClient(trust_env=False, follow_redirects=True)) as client:
        await instrument_client(client).get(url, headers=headers)


async def _httpx_sync(url: str, headers: dict[str, str]) -> None:
    with instrument_client(httpx.Client(trust_env=False, follow_redirects=True)) as client:
        instrument_client(client).get(url, headers=headers)


async def _requests(url: str, headers: dict[str, str]) -> None:
    with instrument_client(requests.Session()) as session:
        session.trust_env = False
        instrument_client(session).get(url, headers=headers)


async def _aiohttp(url: str, headers: dict[str, str]) -> None:
    async with instrument_client(aiohttp.ClientSession()) as session:
        async with instrument_client(session).get(url, headers=headers):
            pass


CLIENTS = pytest.mark.parametrize("call", [_httpx_async, _httpx_sync, _requests, _aiohttp])


async def _handle(call: Call, url: str, headers: dict[str, str], **incoming: str) -> None:
    """Run ``call`` in an instrumented application that receives the headers ``incoming``."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await call(url, headers)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    transport = httpx.ASGITransport(instrument(app, metrics=fresh_metrics()))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        named = {name.replace("_", "-"): value for name, value in incoming.items()}
        assert (await client.get("/", headers=named)).status_code == 204


def _url(server: _Server, path: str = "/") -> str:
    return f"http://127.0.0.1:{server.server_port}{path}"


@CLIENTS
@pytest.mark.parametrize("flags", ["00", "01", "03"])
async def test_flags_and_tracestate_go_out_unchanged_once_each(
    server: _Server, call: Call, flags: str
) -> None:
    await _handle(call, _url(server), {}, traceparent=f"00-{TRACE}-{PARENT}-{flags}", tracestate=STATE)
    (received,) = server.received
    names = [name for name, _ in received]
    values = dict(received)
    assert [names.count(name) for name in ("traceparent", "tracestate", "x-request-id")] == [1, 1, 1]
    version, trace, span, sent_flags = values["traceparent"].split("-")
    assert (version, trace, sent_flags) == ("00", TRACE, flags)
    assert span != PARENT
    assert values["tracestate"] == STATE
    assert values["x-request-id"] == TRACE


@CLIENTS
async def test_a_redirected_request_keeps_its_trace(server: _Server, call: Call) -> None:
    await _handle(
        call, _url(server, "/redirect"), {}, traceparent=f"00-{TRACE}-{PARENT}-01", tracestate=STATE
    )
    assert [dict(received)["tracestate"] for received in server.received] == [STATE, STATE]


@CLIENTS
async def test_headers_of_the_caller_are_kept_and_get_no_tracestate_of_another_trace(
    server: _Server, call: Call
) -> None:
    own = f"00-{'ab' * 16}-{PARENT}-01"
    await _handle(
        call, _url(server), {"traceparent": own}, traceparent=f"00-{TRACE}-{PARENT}-01", tracestate=STATE
    )
    (received,) = server.received
    assert [value for name, value in received if name == "traceparent"] == [own]
    assert "tracestate" not in dict(received)


@CLIENTS
async def test_an_invalid_traceparent_starts_a_new_trace_without_tracestate(
    server: _Server, call: Call
) -> None:
    await _handle(call, _url(server), {}, traceparent=f"ff-{TRACE}-{PARENT}-01", tracestate=STATE)
    (received,) = server.received
    assert TRACE not in dict(received)["traceparent"]
    assert "tracestate" not in dict(received)


@CLIENTS
async def test_nothing_is_added_outside_of_a_request(server: _Server, call: Call) -> None:
    await call(_url(server), {})
    (received,) = server.received
    assert {"traceparent", "tracestate", "x-request-id"}.isdisjoint(dict(received))


@pytest.fixture
async def sessions() -> AsyncIterator[list[Any]]:
    aio = aiohttp.ClientSession()
    yield [requests.Session(), aio]
    await aio.close()


async def test_other_clients_of_the_same_library_are_not_changed(sessions: list[Any]) -> None:
    plain, plain_aio = sessions
    instrument_client(requests.Session()).close()
    assert "send" not in vars(plain)
    assert plain_aio.trace_configs == []


@pytest.mark.parametrize("other", [object(), requests, None])
def test_another_object_is_refused_with_the_accepted_clients(other: object) -> None:
    with pytest.raises(TypeError, match=r"httpx.Client, httpx.AsyncClient, requests.Session, aiohttp"):
        instrument_client(other)


async def test_tracestate_is_in_no_log_line(server: _Server) -> None:
    with captured_logs() as logs:
        await _handle(
            _httpx_async, _url(server), {}, traceparent=f"00-{TRACE}-{PARENT}-01", tracestate="congo=zanzibar"
        )
    assert "zanzibar" not in str(logs.records)
    assert dict(server.received[0])["tracestate"] == "congo=zanzibar"
