"""Clients that hold connections without using them displace one another, and nobody else."""

from __future__ import annotations

import asyncio
import gc
import resource
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from support import raw_http
from support.certificates import self_signed
from support.networks.own_address import own_address
from support.raw_http import HANDSHAKE, open_connection, request, status_of, websocket_frame
from support.transfers.server import Client, RunningServer, ServerProcess, serving, tallow_serve
from tallow.app.server.transport.movable_websocket import MovableWebSocket
from tallow.monitoring.testing import captured_logs

pytestmark = pytest.mark.slow

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def attack(url: str, count: int, data: bytes = b"") -> AsyncIterator[list[Stream]]:
    """Hold connections that send ``data`` and then nothing."""
    streams = [await open_connection(url) for _ in range(count)]
    for _, writer in streams:
        writer.write(data)
    try:
        yield streams
    finally:
        for _, writer in streams:
            writer.transport.abort()


async def check_probes(server: Client) -> None:
    """Health, readiness and metrics answer, each on a connection of its own.

    The proof measures how fast: here other tests use the processor, too.
    """
    for path in ("/api/health", "/api/health/readiness", "/metrics"):
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            assert (await http.get(path)).status_code == 200


async def check_relayed_transfer(server: Client) -> None:
    """Two peers meet and exchange data through the relay."""
    sender, receiver = await server.pair()
    one, other = await server.relayed(sender, receiver)
    for _ in range(20):
        await one.send(b"x" * 100_000)
        assert len(await other.recv()) == 100_000
    for each in (one, other, sender.socket, receiver.socket):
        await each.close()


async def wait_until_closed(stream: Stream, seconds: float) -> bytes:
    """What arrives until the connection is closed, or reset since the server had bytes left to read."""
    received, reader = b"", stream[0]
    async with asyncio.timeout(seconds):
        try:
            while more := await reader.read(2**16):
                received += more
        except ConnectionError:  # raised before what has arrived is read
            received += bytes(reader._buffer)  # type: ignore[attr-defined]
    return received


def rejections(samples: dict[str, float], limit: str) -> float:
    return samples[f'tallow_limit_rejections_total{{limit="{limit}"}}']


def sum_of_rejections(samples: dict[str, float]) -> float:
    return sum(value for name, value in samples.items() if name.startswith("tallow_limit_rejections_total{"))


HALF_HEADER = b"POST /api/rooms HTTP/1.1\r\nHost: x\r\n"
HALF_BODY = request("POST", "/api/rooms", {"Host": "x", "Content-Length": "100"}, b"{")
UPGRADE = request("GET", "/api/signal", {"Host": "x"} | HANDSHAKE)


async def test_1100_silent_connections_take_nothing_away(tmp_path: Path) -> None:
    limits = {"HEADER_TIMEOUT": "2", "BODY_TIMEOUT": "2", "JOIN_TIMEOUT": "2", "SOCKETS_PER_ADDRESS": "500"}
    attackers = 1100 + 100 + 100 + 150
    async with tallow_serve(tmp_path, ROOMS_PER_MINUTE="10000", **limits) as server:
        process = psutil.Process(server.pid)
        await check_relayed_transfer(server)
        descriptors, memory = process.num_fds(), process.memory_info().rss
        async with (
            attack(server.url, 1100),
            attack(server.url, 100, HALF_HEADER),
            attack(server.url, 100, HALF_BODY),
            attack(server.url, 150, UPGRADE),
        ):
            await check_probes(server)
            await check_relayed_transfer(server)
            # Which limit ends a connection depends on the speed of the machine, its end and its count do not.
            while sum_of_rejections(await server.metrics()) < attackers:
                await asyncio.sleep(0.1)
            await check_probes(server)
        assert rejections(await server.metrics(), "connections_per_address") >= 1100
        await settle(process, descriptors)
        assert process.memory_info().rss < memory + 30e6


async def settle(process: psutil.Process, descriptors: int) -> None:
    """Wait until the connections of an attack are gone; the test's own time limit ends the wait."""
    while process.num_fds() > descriptors + 5:
        await asyncio.sleep(0.1)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    limits = {"header_timeout": 1, "body_timeout": 1, "write_timeout": 1, "join_timeout": 1}
    async with serving(tmp_path, **limits) as running:
        yield running


async def test_a_trickled_request_ends_at_its_time_limit(server: RunningServer) -> None:
    """Each byte in time does not extend the limit for the whole."""
    with captured_logs() as logs:
        for begun, limit in ((HALF_HEADER, "header_timeout"), (HALF_BODY, "body_timeout")):
            for _ in range(2):
                started = time.monotonic()
                assert status_of(await trickle(server.url, begun)) == 408
                assert time.monotonic() - started >= 0.9
            assert server.value("limit_rejections_total", limit=limit) == 2
            lines = [record for record in logs.records if record.get("limit") == limit]
            assert [record["message"] for record in lines] == ["Connection refused"]
    assert server.value("api_errors_total", endpoint="/api/rooms", status_code="500") == 0
    assert not [record for record in logs.records if record["level"] in {"error", "fatal"}]


async def trickle(url: str, begun: bytes) -> bytes:
    """Send bytes, and then one at a time until the server closes the connection; what it answered.

    A stream of asyncio would drop the answer if one more byte meets the closed connection.
    """
    loop, parts = asyncio.get_running_loop(), urlsplit(url)
    with socket.socket() as client:
        client.setblocking(False)
        await loop.sock_connect(client, (parts.hostname, parts.port))
        await loop.sock_sendall(client, begun)
        sending = asyncio.create_task(_send_slowly(client))
        answer = b""
        with suppress(ConnectionError):
            while data := await loop.sock_recv(client, 2**16):
                answer += data
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        return answer


async def _send_slowly(client: socket.socket) -> None:
    with suppress(ConnectionError):
        while True:
            await asyncio.get_running_loop().sock_sendall(client, b"x")
            await asyncio.sleep(0.05)


async def test_a_silent_websocket_ends_at_its_time_limit(server: RunningServer) -> None:
    streams = [await open_connection(server.url) for _ in range(2)]
    for path, (_, writer) in zip(("/api/signal", "/api/relay"), streams, strict=True):
        writer.write(request("GET", path, {"Host": "x"} | HANDSHAKE))
    for stream in streams:
        assert status_of(await wait_until_closed(stream, 60)) == 101
        stream[1].close()
    assert server.value("limit_rejections_total", limit="join_timeout") == 2


async def test_a_client_that_does_not_read_is_disconnected(server: RunningServer) -> None:
    reader, writer = await open_connection(server.url)
    writer.transport.pause_reading()  # type: ignore[attr-defined] # every transport of a stream has it
    while server.value("limit_rejections_total", limit="write_timeout") == 0:
        writer.write(request("GET", "/metrics", {"Host": "localhost"}))
        await asyncio.sleep(0.01)
    writer.transport.abort()
    assert reader


async def test_a_flood_of_pings_whose_answers_nobody_reads_is_not_read_either(tmp_path: Path) -> None:
    """Else the answers would fill the server's memory."""
    async with serving(tmp_path, join_timeout=60) as server:
        reader, writer = await open_connection(server.url)
        writer.write(UPGRADE)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        pings = websocket_frame(9, b"x" * 125) * 2_000
        for _ in range(400):  # 52 MB, more than the buffers of the system
            writer.write(pings)
            try:
                async with asyncio.timeout(0.5):
                    await writer.drain()
            except TimeoutError:
                break
        else:
            pytest.fail("the server reads pings without end")
        sockets = [found for found in gc.get_objects() if type(found) is MovableWebSocket]
        assert max(found.transport.get_write_buffer_size() for found in sockets) < 1_000_000
        await check_probes(server)
        writer.transport.abort()


async def test_oversized_headers_are_refused_and_counted(server: RunningServer) -> None:
    whole = request("GET", "/api/info", {"Host": "x", "A": "x" * 40_000})
    endless = b"GET /api/info HTTP/1.1\r\n" + b"A: " + b"x" * 1_000_000
    many = request("GET", "/api/info", {"Host": "x"} | {f"A{number}": "x" for number in range(10_000)})
    for data in (whole, endless, many):
        assert status_of(await raw_http.send(server.url, data)) == 431
    assert server.value("limit_rejections_total", limit="max_header_bytes") == 3


async def test_pipelined_requests_are_limited(server: RunningServer) -> None:
    """Each would be held with its headers until its turn comes: 14,000 fit into one read."""
    stream = await open_connection(server.url)
    stream[1].write(b"GET /api/info HTTP/1.1\r\nHost: x\r\n\r\n" * 20_000)
    answer = await wait_until_closed(stream, 60)
    stream[1].close()
    assert answer.count(b"HTTP/1.1 ") <= 20
    assert server.value("api_errors_total", endpoint="other", status_code="400") == 1


async def test_a_few_pipelined_requests_are_answered_in_order(server: RunningServer) -> None:
    targets = ("/api/info", "/nothing", "/api/health")
    stream = await open_connection(server.url)
    for target in targets:
        stream[1].write(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    stream[1].write(request("GET", "/metrics/x", {"Host": "x", "Connection": "close"}))
    answer = await wait_until_closed(stream, 60)
    stream[1].close()
    statuses = [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"404", b"200", b"404"]


async def test_above_the_total_probes_are_answered_and_others_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, max_connections=4) as server:
        sender, receiver = await server.pair()
        more = await server.pair()
        await server.http.aclose()
        with captured_logs() as logs:
            for _ in range(3):
                await check_probes(server)
                refused = await raw_http.send(server.url, request("GET", "/api/info", {"Host": "x"}))
                assert status_of(refused) == 503
                assert status_of(await raw_http.send(server.url, UPGRADE)) == 503
        assert server.value("limit_rejections_total", limit="max_connections") >= 6
        lines = [record for record in logs.records if record.get("limit") == "max_connections"]
        assert len(lines) == 1
        await sender.send(type="offer", data={})
        assert (await receiver.receive())["type"] == "offer"
        for peer in (sender, receiver, *more):
            await peer.socket.close()


async def test_behind_a_proxy_an_address_cannot_hold_all_requests(tmp_path: Path) -> None:
    """The proxy's own connections are not limited by address, and all come from one."""
    limits = {"trusted_proxies": ("127.0.0.1",), "connections_per_address": 5, "rooms_per_minute": 1000}
    async with serving(tmp_path, **limits) as server:

        def half(address: str) -> bytes:
            headers = {"Host": "x", "X-Forwarded-For": address, "Content-Length": "100"}
            return request("POST", "/api/rooms", headers, b"{")

        async with (
            attack(server.url, 3, half("2001:db8::1")),
            attack(server.url, 2, half("2001:db8::2")),
            attack(server.url, 20),
        ):
            await check_probes(server)
            refused = await raw_http.send(server.url, half("2001:db8::3"))
            assert status_of(refused) == 429
            other = {"x-forwarded-for": "2001:db8:0:1::1"}
            assert (await server.http.get("/api/info", headers=other)).status_code == 200
        assert server.value("limit_rejections_total", limit="connections_per_address") == 1
        assert server.value("limit_rejections_total", limit="max_connections") == 0


@pytest.mark.parametrize("data", [b"", request("GET", "/api/info", {"Host": "x"}), UPGRADE])
async def test_connections_that_are_opened_and_closed_at_once_are_limited(
    tmp_path: Path, data: bytes
) -> None:
    """Those of one address. The probes and a transfer on loopback go on, and the log gets one line."""
    address = own_address()
    async with serving(tmp_path, host="0.0.0.0", connections_per_minute=20) as server:
        sender, receiver = await server.pair()
        port = server.url.rpartition(":")[2]
        with captured_logs() as logs:
            # On a slow machine the rate admits further ones meanwhile.
            while server.value("limit_rejections_total", limit="connections_per_minute") < 40:
                with suppress(ConnectionError):
                    _, writer = await asyncio.open_connection(address, int(port))
                    writer.write(data)
                    writer.close()
            await check_probes(server)
            await check_relayed_transfer(server)
        lines = [record for record in logs.records if record.get("limit") == "connections_per_minute"]
        assert len(lines) == 1
        for peer in (sender, receiver):
            await peer.socket.close()


async def test_the_rate_is_checked_before_a_tls_handshake(tmp_path: Path) -> None:
    address = own_address()
    certificate, key = self_signed(tmp_path)
    options = ("--host", address, "--tls-cert", str(certificate), "--tls-key", str(key))
    context = ssl.create_default_context(cafile=str(certificate))
    context.check_hostname = False
    async with tallow_serve(tmp_path, *options, CONNECTIONS_PER_MINUTE="1") as server:
        for number in range(4):
            async with httpx.AsyncClient(base_url=server.url, verify=context) as http:
                if number < 1:
                    assert (await http.get("/api/info")).status_code == 200
                else:
                    with pytest.raises(httpx.HTTPError):
                        await http.get("/api/info")


async def test_a_silent_tls_handshake_ends_at_its_time_limit(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    options = ("--tls-cert", str(certificate), "--tls-key", str(key))
    async with tallow_serve(tmp_path, *options, HEADER_TIMEOUT="1") as server:
        context = ssl.create_default_context(cafile=str(certificate))
        async with httpx.AsyncClient(base_url=server.url, verify=context) as http:
            async with attack(server.url, 150) as streams:
                assert (await http.get("/api/health")).status_code == 200
                # The limit of a handshake is 60 s by default.
                await asyncio.gather(*(wait_until_closed(stream, 50) for stream in streams))
            text = (await http.get("/metrics")).text
        assert 'tallow_limit_rejections_total{limit="connections_per_address"} 0.0' not in text


async def test_a_server_without_descriptors_neither_spins_nor_ends(tmp_path: Path) -> None:
    """The limit counts what the process has open, and something else may open more."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with tallow_serve(tmp_path, RESERVED_DESCRIPTORS="1", CONNECTIONS_PER_ADDRESS="1000") as server:
        assert (await server.http.get("/api/info")).status_code == 200  # the server has raised its limit
        process = psutil.Process(server.pid)
        process.rlimit(resource.RLIMIT_NOFILE, (process.num_fds() + 80, hard))
        async with attack(server.url, 200):
            before, started = sum(process.cpu_times()[:2]), time.monotonic()
            await asyncio.sleep(1.5)
            assert sum(process.cpu_times()[:2]) - before < (time.monotonic() - started) / 2
            await _wait_for_answers(server)
        assert rejections(await server.metrics(), "reserved_descriptors") > 0


async def _wait_for_answers(server: ServerProcess) -> None:
    while True:
        async with httpx.AsyncClient(base_url=server.url, timeout=2) as http:
            try:
                await http.get("/api/health")
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
            else:
                return
