"""Two servers, one PostgreSQL, one Redis: all of them real."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import InvalidStatus

from support.databases import postgres, redis_server
from support.server import ServerProcess, join_message, tallow_serve
from tallow.app.server.cluster.redis import RedisRoomDirectory, connect
from tallow.app.server.cluster.room_directory import NodeAddress

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture
async def servers(tmp_path: Path, database: str) -> AsyncIterator[list[ServerProcess]]:
    """Two, each with two workers."""
    async with AsyncExitStack() as stack:
        redis, _ = stack.enter_context(redis_server(tmp_path))
        shared = {
            "DATABASE_URL": database,
            "REDIS_URL": redis,
            "CLUSTER_SECRET": "0123456789abcdef",
            "SENDER_RECONNECT_GRACE": "0.5",
        }
        starting = [
            stack.enter_async_context(tallow_serve(folder(tmp_path, n), "--workers", "2", **shared))
            for n in range(2)
        ]
        running = [await server for server in starting]
        for server in running:
            while (await server.metrics()).get("tallow_workers") != 2:
                await asyncio.sleep(0.05)
        yield running


def folder(tmp_path: Path, number: int) -> Path:
    made = tmp_path / str(number)
    made.mkdir()
    return made


async def test_peers_meet_who_come_in_through_different_servers(servers: list[ServerProcess]) -> None:
    first, second = servers
    for here, there in [(first, second), (second, first)] * 4:
        sender, receiver = await here.pair(across=there)
        await receiver.send(type="answer", data={"x": 1})
        assert await sender.receive() == {"type": "answer", "data": {"x": 1}}
        ends = [await here.relay(sender), await there.relay(receiver)]
        for end in ends:
            assert json.loads(await end.recv()) == {"type": "paired"}
        await sender.send(type="started", method="relay")
        payload = os.urandom(200_000)
        for _ in range(10):
            await ends[0].send(payload)
        assert [await ends[1].recv() for _ in range(10)] == [payload] * 10
        answer = await there.report(receiver.joined["telemetry_token"], {})
        assert answer.status_code == 200, answer.text
        for connection in (*ends, sender.socket, receiver.socket):
            await connection.close()
    failed = 'tallow_transfers_total{status="failed",method="relay"}'
    while (totals := await added(servers))[failed] < 8:  # each sender vanished after the start
        await asyncio.sleep(0.05)
    assert totals[failed] == totals["tallow_transfers_started_total"] == 8
    assert totals["tallow_active_transfers"] == totals['tallow_active_connections{type="websocket"}'] == 0
    assert totals['tallow_client_reports_total{outcome="accepted"}'] == 8
    assert totals['tallow_db_operation_duration_seconds_count{operation="insert",status="success"}'] >= 8
    assert totals['tallow_cache_hits_total{cache="rooms"}'] >= 8


async def added(servers: list[ServerProcess]) -> Counter[str]:
    """All servers' samples added up."""
    totals: Counter[str] = Counter()
    for server in servers:
        totals.update(await server.metrics())
    return totals


async def test_without_redis_no_room_is_lost_and_none_is_found(tmp_path: Path, database: str) -> None:
    with redis_server(tmp_path) as (url, redis):
        shared = {"DATABASE_URL": database, "REDIS_URL": url, "CLUSTER_SECRET": "0123456789abcdef"}
        async with tallow_serve(tmp_path, **shared) as server:
            sender, receiver = await server.pair()
            redis.kill()
            redis.wait()
            await sender.send(type="offer", data={})
            assert await receiver.receive() == {"type": "offer", "data": {}}
            token = os.urandom(32)
            stranger = await server.connect("/api/signal")
            await stranger.send(json.dumps(join_message(await server.room(token), token, "sender")))
            assert json.loads(await stranger.recv())["code"] == "internal"
            figures = await server.metrics()
            assert figures['tallow_errors_total{type="storage",severity="medium"}'] >= 1
            for connection in (stranger, sender.socket, receiver.socket):
                await connection.close()


async def test_a_home_is_kept_by_saying_so_and_ends_by_silence(tmp_path: Path) -> None:
    with redis_server(tmp_path) as (url, _):
        one, other = (
            RedisRoomDirectory(connect(url), "one:1", lease=1),
            RedisRoomDirectory(connect(url), "other:2", lease=1),
        )
        await one.open()
        assert await one.locate_room("room") is None
        assert await other.locate_room("room") == NodeAddress("one:1")
        assert await other.locate_token(f"{one.name}.token") == NodeAddress("one:1")
        assert await one.locate_token(f"{one.name}.token") is None
        await asyncio.sleep(0.7)
        assert await one.renew_leases(["room"]) == []
        await asyncio.sleep(0.7)
        assert await other.locate_room("room") == NodeAddress("one:1")
        await asyncio.sleep(1.1)
        await other.open()
        assert await other.locate_room("room") is None
        assert await one.renew_leases(["room"]) == ["room"]
        await other.release_room("room")
        assert await one.renew_leases(["room"]) == []  # nobody has it: a Redis that forgot ends no transfer
        await one.close()
        await other.close()


async def test_the_inner_door_opens_to_the_secret_alone(servers: list[ServerProcess]) -> None:
    doors = [port for server in servers for port in server.ports() if str(port) not in server.url]
    assert len(doors) == 4
    for port in doors:
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url) as http:
            for secret in ({}, {"x-tallow-cluster": "wrong"}):
                answer = await http.get("/api/info", headers={"x-tallow-client": "127.0.0.1", **secret})
                assert answer.status_code == 403
                with pytest.raises(InvalidStatus):
                    await connect_websocket(f"ws://127.0.0.1:{port}/api/signal", additional_headers=secret)
