"""Two real servers that share a real PostgreSQL and a real Redis."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import InvalidStatus

from support.programs.databases import postgres, redis_server
from support.transfers.server import ServerProcess, join_message, tallow_serve
from tallow.app.server.cluster.redis import RedisRoomDirectory, connect
from tallow.app.server.cluster.room_directory import NodeAddress
from tallow.app.server.storage.inspection import inspect_database

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture
async def servers(tmp_path: Path, database: str) -> AsyncIterator[list[ServerProcess]]:
    """Two servers with two workers each."""
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


async def test_peers_meet_through_different_servers(servers: list[ServerProcess]) -> None:
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
    while (totals := await summed_metrics(servers))[failed] < 8:  # each sender vanished after the start
        await asyncio.sleep(0.05)
    assert totals[failed] == totals["tallow_transfers_started_total"] == 8
    assert totals["tallow_active_transfers"] == totals['tallow_active_connections{type="websocket"}'] == 0
    assert totals['tallow_client_reports_total{outcome="accepted"}'] == 8
    assert totals['tallow_db_operation_duration_seconds_count{operation="insert",status="success"}'] >= 8
    assert totals['tallow_cache_hits_total{cache="rooms"}'] >= 8
    # All senders have one address: four processes count it once between them.
    assert totals['tallow_client_outcomes_total{kind="transfer",status="failed"}'] == 1


async def test_replicas_that_start_together_create_one_schema(tmp_path: Path) -> None:
    """Kubernetes starts them at the same time; each checks the database before it serves."""
    with postgres(tmp_path) as url:
        database = url.replace("postgresql:", "postgresql+asyncpg:")
        assert await asyncio.gather(*(inspect_database(database) for _ in range(6))) == [""] * 6


async def summed_metrics(servers: list[ServerProcess]) -> Counter[str]:
    """The sum of all servers' samples."""
    totals: Counter[str] = Counter()
    for server in servers:
        totals.update(await server.metrics())
    return totals


async def test_without_redis_open_rooms_continue_and_others_are_not_found(
    tmp_path: Path, database: str
) -> None:
    with redis_server(tmp_path) as (url, redis):
        shared = {"DATABASE_URL": database, "REDIS_URL": url, "CLUSTER_SECRET": "0123456789abcdef"}
        async with tallow_serve(tmp_path, **shared) as server:
            sender, receiver = await server.pair()
            redis.kill()
            redis.wait()
            await sender.send(type="offer", data={})
            assert await receiver.receive() == {"type": "offer", "data": {}}
            token = os.urandom(32)
            newcomer = await server.connect("/api/signal")
            await newcomer.send(json.dumps(join_message(await server.room(token), token, "sender")))
            assert json.loads(await newcomer.recv())["code"] == "internal"
            figures = await server.metrics()
            assert figures['tallow_errors_total{type="storage",severity="medium"}'] >= 1
            assert figures['tallow_errors_total{type="storage",severity="high"}'] >= 1
            for connection in (newcomer, sender.socket, receiver.socket):
                await connection.close()


def let_time_pass(redis: Redis, seconds: int) -> None:
    """Let every key of Redis expire earlier. A test that waits itself needs an idle machine."""
    keys: Any = redis.keys("*")
    for key in keys:
        left: Any = redis.pttl(key)
        if left > seconds * 1000:
            redis.pexpire(key, left - seconds * 1000)
        else:
            redis.delete(key)


async def test_a_room_lease_lasts_while_it_is_renewed(tmp_path: Path) -> None:
    with redis_server(tmp_path) as (url, _), Redis.from_url(url) as admin:
        one, other = (
            RedisRoomDirectory(connect(url), "one:1", lease=1000),
            RedisRoomDirectory(connect(url), "other:2", lease=1000),
        )
        await one.open()
        assert await one.locate_room("room") is None
        assert await other.locate_room("room") == NodeAddress("one:1")
        assert await other.locate_token(f"{one.name}.token") == NodeAddress("one:1")
        assert await one.locate_token(f"{one.name}.token") is None
        let_time_pass(admin, 700)
        assert await one.renew_leases(["room"]) == []
        let_time_pass(admin, 700)
        assert await other.locate_room("room") == NodeAddress("one:1")
        let_time_pass(admin, 1000)
        await other.open()
        assert await other.locate_room("room") is None
        assert await one.renew_leases(["room"]) == ["room"]
        await other.release_room("room")
        assert await one.renew_leases(["room"]) == []  # no owner: a Redis that lost its data ends no transfer
        await one.close()
        await other.close()


async def test_the_internal_listener_requires_the_cluster_secret(servers: list[ServerProcess]) -> None:
    internal_ports = [port for server in servers for port in server.ports() if str(port) not in server.url]
    assert len(internal_ports) == 4
    for port in internal_ports:
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url) as http:
            for secret in ({}, {"x-tallow-cluster": "wrong"}):
                answer = await http.get("/api/info", headers={"x-tallow-client": "127.0.0.1", **secret})
                assert answer.status_code == 403
                with pytest.raises(InvalidStatus):
                    await connect_websocket(f"ws://127.0.0.1:{port}/api/signal", additional_headers=secret)
