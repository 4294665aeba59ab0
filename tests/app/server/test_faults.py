"""Fault switches of the server: absent by default, and effective when they are on."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
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
        await set_faults(running, method="DELETE")


async def set_faults(server: RunningServer, method: str = "PUT", **faults: Any) -> int:
    headers = {"authorization": f"Bearer {TOKEN}"}
    answer = await server.http.request(method, "/api/faults", json=faults, headers=headers)
    return answer.status_code


async def test_without_tallow_faults_the_endpoint_does_not_exist(tmp_path: Path) -> None:
    async with serving(tmp_path, faults_token=TOKEN) as server:
        assert await set_faults(server, burn_cpu=1) == 404


def test_without_tallow_faults_the_code_is_not_loaded(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from tallow.app.server.app import create_app\n"
        "from tallow.app.server.settings import ServerSettings\n"
        "create_app(ServerSettings.load(data_dir=pathlib.Path(sys.argv[1])))\n"
        "print([name for name in sys.modules if 'faults' in name])"
    )
    ended = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert json.loads(ended.stdout.replace("'", '"')) == []


@pytest.mark.parametrize(
    ("options", "environment", "error"),
    [
        ((), {}, "TALLOW_FAULTS_TOKEN is not set"),
        ((), {"TALLOW_FAULTS_TOKEN": "short"}, "TALLOW_FAULTS_TOKEN is ***"),
        (("--host", "0.0.0.0"), {"TALLOW_FAULTS_TOKEN": TOKEN}, "a loopback --host"),
        (("--workers", "2"), {"TALLOW_FAULTS_TOKEN": TOKEN}, "--workers 1"),
    ],
)
def test_unsafe_faults_are_refused_at_the_start(
    tmp_path: Path, options: tuple[str, ...], environment: dict[str, str], error: str
) -> None:
    assert error in startup_error(tmp_path, *options, TALLOW_FAULTS="1", **environment)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Bearer {TOKEN}", "x-forwarded-for": "127.0.0.1"},
    ],
)
async def test_the_endpoint_needs_its_token_and_a_direct_request(
    server: RunningServer, headers: dict[str, str]
) -> None:
    assert (await server.http.put("/api/faults", json={"burn_cpu": 1}, headers=headers)).status_code == 401


@pytest.mark.parametrize(
    "faults", [{"burn_cpu": -1}, {"burn_cpu": 99}, {"burn_cpu": True}, {"explode": 1}, {"burn_cpu": "1"}]
)
async def test_an_invalid_fault_is_refused(server: RunningServer, faults: dict[str, Any]) -> None:
    assert await set_faults(server, **faults) == 400


async def test_burn_cpu_uses_cpu_and_does_not_block_the_event_loop(server: RunningServer) -> None:
    process = psutil.Process()
    assert await set_faults(server, burn_cpu=1) == 200
    before, iterations = process.cpu_times().user, 0
    while process.cpu_times().user - before < 0.5:
        await asyncio.sleep(0.01)
        iterations += 1
    assert iterations > 5
    assert await set_faults(server, method="DELETE") == 200


async def test_hold_memory_allocates_and_frees_memory(server: RunningServer) -> None:
    process = psutil.Process()
    before = process.memory_info().rss
    await set_faults(server, hold_memory=200e6)
    assert process.memory_info().rss - before > 150e6
    await set_faults(server, hold_memory=0)
    assert process.memory_info().rss - before < 100e6


async def test_slow_database_delays_statements(server: RunningServer) -> None:
    await set_faults(server, slow_database=0.3)
    await server.room(b"t" * 32)
    assert server.value("db_operation_duration_seconds_sum", operation="insert", status="success") >= 0.3


async def test_empty_cache_causes_cache_misses(server: RunningServer) -> None:
    await set_faults(server, empty_cache=1)
    token = b"t" * 32
    room = await server.room(token)
    await asyncio.sleep(0.1)
    await server.join(room, token, "sender")
    assert server.value("cache_misses_total", cache="rooms") == 1
