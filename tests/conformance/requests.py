"""Send the requests of the table to a running server, and compare its metrics with the table."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from conformance.cases import BACKGROUND, BACKGROUND_FAILS, CHAT, REQUESTS, ROUTES, STATUSES
from conformance.servers import START_SECONDS, Running


async def check_routes(server: Running, framework: str) -> None:
    """Every request has its method, route and status class, and no value of a parameter is exposed."""
    expected: Counter[tuple[str, str, str]] = Counter()
    for case, route in ROUTES[framework].items():
        request = REQUESTS[case]
        headers = {"connection": "close", **request.headers}  # a server closes it after a failure
        # A broken stream ends the connection, except of daphne, which leaves it open.
        with suppress(httpx.RemoteProtocolError, httpx.ReadTimeout):
            timeout = 6 if case == "stream breaks" else START_SECONDS
            await server.client.request(request.method, request.path, headers=headers, timeout=timeout)
        expected[request.method, route, STATUSES.get(case, "2xx")] += 1
    async with asyncio.timeout(START_SECONDS):  # a server may finish its side after the client
        while (answered := await server.answered()) != expected and sum(answered.values()) < expected.total():
            await asyncio.sleep(0.02)
    assert answered == expected, f"{answered} instead of {dict(expected)}"
    assert "alice" not in (await server.client.get("/metrics")).text


async def check_stream(server: Running) -> None:
    """An event stream is counted while it is open, and its time is not the latency of a request."""
    async with server.client.stream("GET", "/events") as stream:
        received = stream.aiter_raw()  # its end would close the connection
        await anext(received)
        assert await server.value("websocket_connections", route="/events") == 1
    await server.client.get("/release")
    await server.until("websocket_duration_seconds_count", 1, route="/events")
    assert await server.value("websocket_connections", route="/events") == 0
    assert ("GET", "/events", "2xx") not in await server.answered()
    assert await server.value("errors_total", type="internal", severity="high") == 0


async def check_websocket(server: Running, framework: str) -> None:
    """A WebSocket is counted while it is open; a refused handshake is an HTTP response."""
    before = Counter(await server.answered())
    route = CHAT[framework]
    async with connect(f"ws://127.0.0.1:{server.port}/chat/alice-11", proxy=None) as websocket:
        await websocket.send("hello")
        assert await websocket.recv() == "hello"
        assert await server.value("websocket_connections", route=route) == 1
    await server.until("websocket_duration_seconds_count", 1, route=route)
    assert await server.value("websocket_connections", route=route) == 0
    assert await refused_status(server) == 403
    refused = ("GET", route.replace("chat", "refused"), "4xx")
    assert Counter(await server.answered()) - before == {refused: 1}
    assert await server.value("errors_total", type="internal", severity="high") == 0


async def check_refused_websocket(server: Running, framework: str) -> None:
    """A handshake is counted by its route, and as a server error if the framework fails on this server."""
    route = CHAT[framework].replace("chat", "refused")
    assert await refused_status(server) in {403, 500}
    statuses = {status for _, found, status in await server.answered() if found == route}
    failed = await server.value("errors_total", type="internal", severity="high")
    assert (statuses, failed) in [({"4xx"}, 0), ({"5xx"}, 1)]


async def refused_status(server: Running) -> int:
    """The status with which the handshake of ``/refused`` is answered."""
    try:
        async with connect(f"ws://127.0.0.1:{server.port}/refused/alice-12", proxy=None):
            raise AssertionError("the handshake was not refused")
    except InvalidStatus as error:
        return error.response.status_code


async def check_background(server: Running, framework: str) -> None:
    """A response is recorded with its last byte, before its background task ends."""
    assert framework in BACKGROUND
    assert (await server.client.get("/background")).status_code == 200
    assert (await server.answered())["GET", "/background", "2xx"] == 1
    assert (await server.client.get("/release")).status_code == 200


async def check_failing_background(server: Running, framework: str) -> None:
    """A background task that fails is one error, and leaves the response as it was sent."""
    assert framework in BACKGROUND_FAILS
    before = await server.value("errors_total", type="internal", severity="high")
    answer = await server.client.get("/background-fails", headers={"connection": "close"})
    assert answer.status_code == 200
    await server.until("errors_total", before + 1, type="internal", severity="high")
    counted = {
        key: value for key, value in (await server.answered()).items() if key[1] == "/background-fails"
    }
    assert counted == {("GET", "/background-fails", "2xx"): 1}


async def check_disconnect(server: Running) -> None:
    """A client that goes away is no error of the server."""
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = b"POST /api/v1/items/alice-13 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
    writer.write(head + b"part")
    await writer.drain()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    assert (await server.client.get("/api/v1/items/alice-14")).status_code == 200
    statuses = {status for _, _, status in await server.answered()}
    assert "5xx" not in statuses
    assert await server.value("errors_total", type="internal", severity="high") == 0
