"""Malformed requests and WebSocket messages get an answer below 500, and no error in the log."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from support import raw_http
from support.raw_http import HANDSHAKE, websocket_frame
from support.transfers.server import RunningServer
from tallow.monitoring.testing import captured_logs

pytestmark = pytest.mark.slow

LONG = "x" * 20_000
HEADERS: dict[str, tuple[str, ...]] = {
    "Origin": ("http://[", "//[", "http://]", "http://[v1.x]", "null", "http://a:b:c", "\x00", "℀", LONG),
    "Host": ("[", "a:b:c", ":", "", "@", "localhost:99999", "\xff", "℀", LONG),
    "Content-Type": ('application/json; charset="', "\xff", "multipart/form-data; boundary="),
    "Content-Length": ("-1", "+1", "1_0", "²", "1e3", "9" * 30, "0x10", "1,2", ""),
    "Transfer-Encoding": ("chunked, chunked", "gzip", "\xff"),
    "Authorization": ("Bearer", "Bearer \xff", "Bearer w99999.x", f"Bearer {LONG}", "\xff \xff"),
    "Cookie": ("=", '"' * 100, "\xff=\xff", LONG),
    "Sec-WebSocket-Protocol": ("", "\xff", ",,,", "a b"),
    "Sec-WebSocket-Extensions": ("a;;", '"', "permessage-deflate; server_max_window_bits=99"),
    "Sec-WebSocket-Key": ("", "x", "dGhl", "\xff"),
    "Sec-WebSocket-Version": ("", "x", "99999999999999", "²"),
    "X-Forwarded-For": ("[", ",", "1.2.3.4:x", "fe80::1%eth0", "[]:", "1.2.3.4, " * 2000, "1" * 5000, "\xff"),
    "X-Forwarded-Proto": ("x", "\xff", ""),
    "traceparent": ("00-", "0" * 20_000, "\xff"),
    "tracestate": ("\xff", "," * 8000),
    "X-Request-ID": ("\xff", LONG),
    "Accept": ("*/*;q=nan", "text/plain;q=1e999", "text/plain;escaping=", "," * 8000),
    "Accept-Encoding": ("gzip;q=x", "gzip;q=" + "9" * 400, "*;q=inf"),
    "X-Tallow-Client": ("[", "\xff"),
}
ROUTES = (
    ("POST", "/api/rooms"),
    ("POST", "/api/telemetry"),
    ("GET", "/metrics"),
    ("GET", "/api/health/detailed"),
)
TARGETS = ("/%00", "/%ff", "/%", "//[", "http://[", "*", "/%ed%a0%80", "/\\", "", "?", "[::1]", f"/{LONG}")
BODIES = (
    *(b"", b"{", b"\xff", b"NaN", b"1e999", b"9" * 5000, b"null", b"[]", b"\xef\xbb\xbf{}"),
    *(b"[" * 60_000, b"[" * 500 + b"]" * 500, b'{"token_hash":"\\ud800"}', b'{"token_hash":"\xed\xa0\x80"}'),
    *(b'{"token_hash":' + b"9" * 500 + b"}", b'{"token_hash":"' + "٣".encode() * 64 + b'"}'),
    b'{"token_hash":"' + b"0" * 64 + b'","token_hash":1}',
)


@pytest.fixture
async def server(server: RunningServer) -> RunningServer:
    """Every limit of requests is far away: what is refused is refused for its form."""
    for limiter in (server.context.creation_limiter, server.context.report_limiter):
        limiter._per_minute = 1e6
    return server


async def check(server: RunningServer, *pieces: bytes) -> None:
    answer = await asyncio.wait_for(raw_http.send(server.url, *pieces), 60)
    assert 100 <= raw_http.status_of(answer) < 500, (pieces[0][:200], answer[:200])


async def test_a_malformed_header_is_answered_below_500(server: RunningServer) -> None:
    with captured_logs() as logs:
        for name, values in HEADERS.items():
            for value in values:
                await check_header(server, name, value)
    assert not [record for record in logs.records if record["level"] in {"error", "fatal"}]


async def check_header(server: RunningServer, name: str, value: str) -> None:
    common = {"Host": "localhost", "Connection": "close"}
    for method, path in ROUTES:
        body = b"{}" if method == "POST" and name not in {"Content-Length", "Transfer-Encoding"} else b""
        length = {"Content-Length": str(len(body))} if body else {}
        await check(server, raw_http.request(method, path, common | length | {name: value}, body))
    await check(server, raw_http.request("GET", "/api/signal", {"Host": "x"} | HANDSHAKE | {name: value}))


async def test_a_malformed_target_or_body_is_answered_below_500(server: RunningServer) -> None:
    for target in TARGETS:
        await check(server, raw_http.request("GET", target, {"Host": "x", "Connection": "close"}))
        await check(server, raw_http.request("GET", target, {"Host": "x"} | HANDSHAKE))
    for path in ("/api/rooms", "/api/telemetry"):
        for body in BODIES:
            headers = {"Host": "x", "Connection": "close", "Content-Length": str(len(body))}
            await check(server, raw_http.request("POST", path, headers, body))


async def test_a_client_that_leaves_before_the_end_of_its_body_is_no_error_of_the_server(
    server: RunningServer,
) -> None:
    """One request per second with half a body would fire HighErrorRate otherwise."""
    with captured_logs() as logs:
        _, writer = await raw_http.open_connection(server.url)
        headers = {"Host": "x", "Content-Length": "10"}
        writer.write(raw_http.request("POST", "/api/rooms", headers, b"{"))
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()
        await asyncio.sleep(0.1)
    assert (await server.http.get("/api/info")).status_code == 200
    assert server.value("api_errors_total", endpoint="/api/rooms", status_code="500") == 0
    assert not [record for record in logs.records if record["level"] in {"error", "fatal"}]


async def test_a_handshake_that_cannot_be_read_is_answered(server: RunningServer) -> None:
    """uvicorn leaves such a connection open without an answer."""
    for name, value in {"A": "x" * 9000, "Content-Length": "5", "Transfer-Encoding": "chunked"}.items():
        handshake = raw_http.request("GET", "/api/signal", {"Host": "x"} | HANDSHAKE | {name: value})
        answer = await asyncio.wait_for(raw_http.send(server.url, handshake), 60)
        assert raw_http.status_of(answer) == 400


MESSAGES: dict[str, bytes] = {
    "invalid UTF-8": websocket_frame(1, b"\xff"),
    "surrogate": websocket_frame(1, b"\xed\xa0\x80"),
    "unmasked": websocket_frame(1, b"{}", masked=False),
    "unknown opcode": websocket_frame(3, b""),
    "long ping": websocket_frame(9, b"x" * 126),
    "continuation of nothing": websocket_frame(0, b""),
    "short close": websocket_frame(8, b"\x03"),
    "length of 2**63": bytes([0x82, 0xFF]) + b"\x7f" + b"\xff" * 7,
    "NaN": websocket_frame(1, b"NaN"),
    "lone surrogate": websocket_frame(1, b'{"type":"join","room":"\\ud800"}'),
    "deep": websocket_frame(1, b"[" * 60_000),
    "huge integer": websocket_frame(1, b'{"type":"join","version":' + b"9" * 5000 + b"}"),
    "repeated key": websocket_frame(1, b'{"type":"join","type":"leave","type":"x"}'),
    "NUL": websocket_frame(1, b'{"type":"\\u0000"}'),
}


async def test_a_malformed_message_closes_the_socket_without_an_error(server: RunningServer) -> None:
    with captured_logs() as logs:
        for path, message in itertools.product(("/api/signal", "/api/relay"), MESSAGES.values()):
            reader, writer = await raw_http.open_connection(server.url)
            handshake = raw_http.request("GET", path, {"Host": "x"} | HANDSHAKE)
            writer.write(handshake)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(message)
            await asyncio.wait_for(_until_close_frame(reader), 60)
            writer.close()
    await server.wait_for_value("active_connections", 0, type="websocket")
    assert not [record for record in logs.records if record["level"] in {"error", "fatal"}]


async def _until_close_frame(reader: asyncio.StreamReader) -> Any:
    while (first := (await reader.readexactly(1))[0]) != 0x88:
        assert first == 0x81, "a text message of the server"
        length = (await reader.readexactly(1))[0]
        await reader.readexactly(int.from_bytes(await reader.readexactly(2)) if length == 126 else length)
