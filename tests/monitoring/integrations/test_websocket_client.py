"""WebSockets use the proxy of HTTP requests; a failing proxy is named."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import InvalidStatus

from support.certificates import self_signed
from support.http_proxy import HOST, proxying
from tallow.monitoring.integrations.proxy_address import ProxyConnectionError
from tallow.monitoring.integrations.websocket_client import connect_websocket

URL = f"ws://{HOST}:80/socket"


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with serve(echo, "127.0.0.1", 0) as server:
        yield next(iter(server.sockets)).getsockname()[1]


async def answered(url: str, **options: object) -> str:
    async with await connect_websocket(url, **options) as connection:  # type: ignore[arg-type]
        await connection.send("hello")
        return str(await connection.recv())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("all_proxy", "socks://127.0.0.1:1080/"),
        ("http_proxy", "127.0.0.1:1"),
        ("NO_PROXY", "[::1]"),
        ("no_proxy", "fe80::/10"),
        ("socks_proxy", "http://127.0.0.1:1"),
        ("ALL_PROXY", "socks5h://127.0.0.1:1"),
        ("https_proxy", "http://me@127.0.0.1:1"),
    ],
)
async def test_loopback_is_always_reached_directly(
    port: int, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert await answered(f"ws://127.0.0.1:{port}/") == "hello"


@pytest.mark.parametrize("form", ["http://{}", "{}", "http://me:p%40ss@{}", "http://me@{}"])
async def test_a_proxy_is_used(port: int, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    login = {"http://me:p%40ss@{}": "me:p@ss", "http://me@{}": "me:"}.get(form)
    with proxying(port, login=login) as proxy:
        monkeypatch.setenv("http_proxy", form.format(f"127.0.0.1:{proxy.port}"))
        assert await answered(URL) == "hello"
    assert proxy.requests == [f"CONNECT {HOST}:80 HTTP/1.1"]


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
async def test_a_socks_proxy_is_used(port: int, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxying(port) as proxy:
        monkeypatch.setenv("all_proxy", f"{scheme}://127.0.0.1:{proxy.port}")
        assert await answered(URL) == "hello"
    assert proxy.requests == [f"{HOST}:80"]


async def test_tls_uses_the_tunnel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    trust = ssl.create_default_context(cafile=certificate)
    trust.check_hostname = False  # the certificate is that of 127.0.0.1
    async with serve(echo, "127.0.0.1", 0, ssl=context) as server:
        with proxying(next(iter(server.sockets)).getsockname()[1]) as proxy:
            monkeypatch.setenv("https_proxy", proxy.address)
            url = URL.replace("ws:", "wss:").replace(":80", ":443")
            assert await answered(url, ssl=trust) == "hello"
            with pytest.raises(ProxyConnectionError, match="certificate shown through the proxy"):
                await connect_websocket(url)
            await asyncio.sleep(0)  # the connection is lost in a callback
    assert caplog.records == []  # no traceback of asyncio


async def test_a_direct_websocket_uses_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with proxying(1) as proxy:
        monkeypatch.setenv("http_proxy", proxy.address)
        with pytest.raises(socket.gaierror):
            await connect_websocket(URL, direct=True)
    assert proxy.requests == []


async def test_a_rejection_by_the_server_does_not_name_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(connection: ServerConnection, _request: object) -> object:
        return connection.respond(403, "no")

    async with serve(echo, "127.0.0.1", 0, process_request=refuse) as server:  # type: ignore[arg-type]
        with proxying(next(iter(server.sockets)).getsockname()[1]) as proxy:
            monkeypatch.setenv("http_proxy", proxy.address)
            with pytest.raises(InvalidStatus):
                await connect_websocket(URL)


@pytest.mark.parametrize(
    ("behaviour", "login", "message"),
    [
        ("bad gateway", None, "the proxy {} answers 502"),
        ("works", "me:right", "the proxy {} answers 407"),
        ("hangs", None, "no answer in time through the proxy {}"),
    ],
)
async def test_a_failing_proxy_is_named_without_password(
    behaviour: str, login: str | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxying(1, behaviour, login) as proxy:  # type: ignore[arg-type]
        monkeypatch.setenv("all_proxy", f"http://me:hunter2@127.0.0.1:{proxy.port}")
        with pytest.raises(ProxyConnectionError) as failed:
            await connect_websocket(URL, open_timeout=0.3)
    assert str(failed.value) == message.format(proxy.address)


@pytest.mark.parametrize("scheme", ["http", "https", "socks5h"])
async def test_an_unreachable_proxy_is_named(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", f"{scheme}://127.0.0.1:1")
    with pytest.raises(ProxyConnectionError) as failed:
        await connect_websocket(URL)
    assert str(failed.value) == f"the proxy {scheme}://127.0.0.1:1 cannot be reached"


async def test_an_invalid_host_name_is_an_oserror() -> None:
    with pytest.raises(OSError, match="the host name is invalid"):
        await connect_websocket("ws://a..b/")


async def test_cancelling_the_closing_handshake_closes_the_tcp_connection() -> None:
    ended = asyncio.Event()

    async def never_closes(request: ServerConnection) -> None:
        request.transport.pause_reading()
        await ended.wait()

    async with serve(never_closes, "127.0.0.1", 0, close_timeout=0.1) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        connection = await connect_websocket(f"ws://127.0.0.1:{port}/", close_timeout=60)
        closing = asyncio.create_task(connection.close())
        await asyncio.sleep(0.05)
        waited = not closing.done()
        closing.cancel()
        await asyncio.wait({closing})
        ended.set()
        assert (waited, closing.cancelled(), connection.transport.is_closing()) == (True, True, True)
