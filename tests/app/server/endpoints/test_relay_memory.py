"""The relay's memory use does not grow with the amount of data: a slow reader slows the writer."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from support.transfers.server import join_message

pytestmark = pytest.mark.slow

MESSAGE = bytes(256 * 1024)
MIB = 2**20
PAUSE_EVERY = 64
ALLOWED_GROWTH = 48 * MIB


@asynccontextmanager
async def server_process(folder: Path) -> AsyncIterator[tuple[Process, str]]:
    """A server in its own process, whose memory is measured; its process and URL."""
    environment = os.environ | {"TALLOW_DATA_DIR": str(folder)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from tallow.cli import main; main()",
        "serve",
        "--port",
        "0",
        stderr=PIPE,
        env=environment,
    )
    try:
        assert process.stderr is not None
        yield process, (await process.stderr.readline()).decode().split()[-1]
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def connect_pair(url: str) -> tuple[list[ClientConnection], list[ClientConnection]]:
    """The signaling and relay sockets of a new pair."""
    token = os.urandom(32)
    async with httpx.AsyncClient(base_url=url) as http:
        answer = await http.post("/api/rooms", json={"token_hash": hashlib.sha256(token).hexdigest()})
    signaling, relays = [], []
    base = url.replace("http", "ws", 1)
    for role in ("sender", "receiver"):
        joined = await websockets.connect(f"{base}/api/signal", compression=None)
        await joined.send(json.dumps(join_message(answer.json()["room"], token, role)))
        ticket = json.loads(await joined.recv())["relay_ticket"]
        relay = await websockets.connect(f"{base}/api/relay", compression=None, max_size=None, max_queue=2)
        await relay.send(json.dumps({"type": "relay", "ticket": ticket}))
        signaling.append(joined)
        relays.append(relay)
    for relay in relays:
        assert json.loads(await relay.recv()) == {"type": "paired"}
    return signaling, relays


async def memory_growth(folder: Path, size: int, pause: float) -> tuple[int, int]:
    """Relay ``size`` bytes to a reader that pauses often; peak and growth of resident memory in bytes."""
    async with server_process(folder) as (process, url):
        signaling, (left, right) = await connect_pair(url)
        memory = psutil.Process(process.pid)
        before = peak = memory.memory_info().rss
        count = size // len(MESSAGE)

        async def write() -> None:
            for _ in range(count):
                await left.send(MESSAGE)

        writing = asyncio.create_task(write())
        for number in range(count):
            if number % PAUSE_EVERY == 0:
                peak = max(peak, memory.memory_info().rss)
                await asyncio.sleep(pause)  # the slow reader under test
            assert len(await right.recv()) == len(MESSAGE)
        await writing
        for connection in (*signaling, left, right):
            await connection.close()
    return peak, peak - before


async def test_memory_is_flat_behind_a_slow_reader(tmp_path: Path) -> None:
    _, grown = await memory_growth(tmp_path, 256 * MIB, 0.02)
    assert grown < ALLOWED_GROWTH


@pytest.mark.proof
@pytest.mark.timeout(600)
async def test_memory_is_flat_while_two_gigabytes_cross(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    peak, grown = await memory_growth(tmp_path, 2_000_000_000, 0.05)
    record_property("relay_peak_rss_mib", round(peak / MIB, 1))
    print(f"relay: 2 GB to a slow reader, server peak RSS {peak / MIB:.1f} MiB, grown {grown / MIB:.1f} MiB")
    assert grown < ALLOWED_GROWTH
