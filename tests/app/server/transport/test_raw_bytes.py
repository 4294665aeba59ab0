"""Random and mutated bytes on the server's socket: no 5xx, no error in the log, nothing that grows."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from support.raw_http import HANDSHAKE, open_connection, request, status_of, websocket_frame
from support.transfers.server import RunningServer, join_message, serving
from tallow.monitoring.testing import captured_logs

pytestmark = pytest.mark.slow

SEED = 17
JOIN = str(join_message("a" * 16, b"t" * 32, "sender")).replace("'", '"').encode()
HTTP = (
    request("POST", "/api/rooms", {"Host": "x", "Content-Length": "2"}, b"{}"),
    request("POST", "/api/rooms", {"Host": "x", "Transfer-Encoding": "chunked"}, b"2\r\n{}\r\n0\r\n\r\n"),
    request(
        "POST", "/api/telemetry", {"Host": "x", "Authorization": "Bearer x", "Content-Length": "2"}, b"{}"
    ),
    request("GET", "/metrics", {"Host": "localhost", "Accept-Encoding": "gzip;q=0.5"}),
    request("GET", "/api/info?a=%41", {"Host": "x", "traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}),
    request("GET", "/api/signal", {"Host": "x", "Origin": "http://x", **HANDSHAKE}),
)
MESSAGES = (
    websocket_frame(1, JOIN),
    websocket_frame(1, b'{"type":"relay","ticket":"x"}'),
    websocket_frame(1, b'{"type":"candidate","data":{"a":[1,{"b":null}]}}', final=False),
    websocket_frame(0, b"rest"),
    websocket_frame(9, b"ping"),
    websocket_frame(8, b"\x03\xe8bye"),
)


def mutate(data: bytes, generator: random.Random) -> bytes:
    """Change, remove, repeat or insert some bytes."""
    changed = bytearray(data)
    for _ in range(generator.randrange(1, 6)):
        place = generator.randrange(len(changed) + 1)
        length = generator.randrange(1, 20)
        match generator.randrange(4):
            case 0:
                changed[place : place + 1] = generator.randbytes(1)
            case 1:
                del changed[place : place + length]
            case 2:
                changed[place:place] = changed[place : place + length] * generator.choice((1, 50))
            case _:
                changed[place:place] = generator.choice((b"\0", b"\r\n", b"\xff", b"%", b": ", b"[" * 200))
    return bytes(changed)


async def exchange(server: RunningServer, *pieces: bytes) -> bytes:
    """Send pieces on one connection and read for a moment."""
    reader, writer = await open_connection(server.url)
    answer = b""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(0.03):
            for piece in pieces:
                writer.write(piece)
                answer += await reader.read(2**16)
    writer.transport.abort()
    return answer


async def fuzz(server: RunningServer, generator: random.Random, rounds: int) -> None:
    for _ in range(rounds):
        data = mutate(generator.choice(HTTP), generator)
        if generator.random() < 0.1:
            data = generator.randbytes(generator.randrange(1, 2000))
        assert status_of(await exchange(server, data)) < 500, data
        frames = b"".join(mutate(frame, generator) for frame in generator.choices(MESSAGES, k=3))
        path = generator.choice(("/api/signal", "/api/relay"))
        handshake = request("GET", path, {"Host": "x"} | HANDSHAKE)
        assert status_of(await exchange(server, handshake, frames)) in {0, 101, 403}  # 0: no answer yet


async def check_bytes(folder: Path, rounds: int) -> None:
    """Fuzz a server. It must keep no connection, no room and no memory."""
    generator = random.Random(SEED)
    limits = {"rooms_per_minute": 10**6, "joins_per_minute": 10**6, "reports_per_minute": 10**6}
    async with serving(folder, **limits) as server:
        await fuzz(server, generator, 20)
        process = psutil.Process()
        descriptors, memory = process.num_fds(), process.memory_info().rss
        with captured_logs() as logs:
            await fuzz(server, generator, rounds)
        assert (await server.http.get("/api/health")).status_code == 200
        await server.wait_for_value("active_connections", 0, type="websocket")
        while process.num_fds() > descriptors + 3:
            await asyncio.sleep(0.05)
        assert process.memory_info().rss < memory + 30e6 + rounds * 500
        assert not [record for record in logs.records if record["level"] in {"error", "fatal"}]
        assert server.value("errors_total", type="internal", severity="high") == 0
        assert len(logs.records) < 200


async def test_mutated_bytes_change_nothing(tmp_path: Path) -> None:
    await check_bytes(tmp_path, 150)


@pytest.mark.proof
async def test_many_mutated_bytes_change_nothing(tmp_path: Path) -> None:
    await check_bytes(tmp_path, 10_000)
