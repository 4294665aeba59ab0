"""Fault switches: not there unless asked for, and real when they are."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from support.transfers.server import RunningServer, serving, startup_error

pytestmark = pytest.mark.slow

TOKEN = "a token for drills"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    async with serving(tmp_path, faults=True, faults_token=TOKEN) as running:
        yield running
        await switch(running, method="DELETE")


async def switch(server: RunningServer, method: str = "PUT", **faults: Any) -> int:
    headers = {"authorization": f"Bearer {TOKEN}"}
    answer = await server.http.request(method, "/api/faults", json=faults, headers=headers)
    return answer.status_code


async def test_without_being_asked_for_they_are_not_there(tmp_path: Path) -> None:
    async with serving(tmp_path, faults_token=TOKEN) as server:
        assert await switch(server, burn_cpu=1) == 404


def test_without_being_asked_for_their_code_is_not_loaded(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from tallow.app.server.app import create_app\n"
        "from tallow.app.server.settings import ServerSettings\n"
        "create_app(ServerSettings.load(data_dir=pathlib.Path(sys.argv[1])))\n"
        "print([name for name in sys.modules if 'faults' in name])"
    )
    said = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout.replace("'", '"')) == []


@pytest.mark.parametrize(
    ("options", "environment", "said"),
    [
        ((), {}, "TALLOW_FAULTS_TOKEN is not set"),
        ((), {"TALLOW_FAULTS_TOKEN": "short"}, "TALLOW_FAULTS_TOKEN is ***"),
        (("--host", "0.0.0.0"), {"TALLOW_FAULTS_TOKEN": TOKEN}, "a loopback --host"),
        (("--workers", "2"), {"TALLOW_FAULTS_TOKEN": TOKEN}, "--workers 1"),
    ],
)
def test_they_are_refused_where_they_could_do_harm(
    tmp_path: Path, options: tuple[str, ...], environment: dict[str, str], said: str
) -> None:
    assert said in startup_error(tmp_path, *options, TALLOW_FAULTS="1", **environment)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Bearer {TOKEN}", "x-forwarded-for": "127.0.0.1"},
    ],
)
async def test_they_need_their_token_and_a_direct_request(
    server: RunningServer, headers: dict[str, str]
) -> None:
    assert (await server.http.put("/api/faults", json={"burn_cpu": 1}, headers=headers)).status_code == 401


@pytest.mark.parametrize(
    "bad", [{"burn_cpu": -1}, {"burn_cpu": 99}, {"burn_cpu": True}, {"explode": 1}, {"burn_cpu": "1"}]
)
async def test_a_bad_fault_is_refused(server: RunningServer, bad: dict[str, Any]) -> None:
    assert await switch(server, **bad) == 400


async def test_cpu_burns_while_the_loop_turns(server: RunningServer) -> None:
    process = psutil.Process()
    assert await switch(server, burn_cpu=1) == 200
    before, started = process.cpu_times(), time.monotonic()
    turns = 0
    while time.monotonic() < started + 1:
        await asyncio.sleep(0.01)
        turns += 1
    after = process.cpu_times()
    assert after.user - before.user > 0.3
    assert turns > 10
    assert await switch(server, method="DELETE") == 200


async def test_memory_is_held_and_given_back(server: RunningServer) -> None:
    process = psutil.Process()
    before = process.memory_info().rss
    await switch(server, hold_memory=200e6)
    assert process.memory_info().rss - before > 150e6
    await switch(server, hold_memory=0)
    assert process.memory_info().rss - before < 100e6


async def test_the_database_is_slow(server: RunningServer) -> None:
    await switch(server, slow_database=0.3)
    await server.room(b"t" * 32)
    assert server.value("db_operation_duration_seconds_sum", operation="insert", status="success") >= 0.3


async def test_the_cache_is_empty(server: RunningServer) -> None:
    await switch(server, empty_cache=1)
    token = b"t" * 32
    room = await server.room(token)
    await asyncio.sleep(0.1)
    await server.join(room, token, "sender")
    assert server.value("cache_misses_total", cache="rooms") == 1
