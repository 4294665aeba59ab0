"""The containers of the manifests run: replicas with real Redis and PostgreSQL, and the heartbeat checker."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Final

import httpx
import pytest

from support.kubernetes.containers import SECRET_VALUES, container, container_process, started
from support.programs.databases import postgres, redis_server
from support.transfers.server import Client
from tallow.stack.alerts import RULES
from tallow.stack.kubernetes.server import GRACE_SECONDS

pytestmark = [pytest.mark.proof, pytest.mark.integration]

POD_ADDRESS: Final = "10.1.2.3:3000"
PROBES: Final = ("startupProbe", "livenessProbe", "readinessProbe")


async def probe(workload: str, url: str, name: str) -> int:
    """The status that the kubelet gets: it names the pod's address as the host."""
    path = container(workload)[name]["httpGet"]["path"]
    async with httpx.AsyncClient() as client:
        return (await client.get(url + path, headers={"host": POD_ADDRESS}, timeout=30)).status_code


async def until_ready(workload: str, url: str, running: subprocess.Popen[bytes]) -> None:
    """Wait as the kubelet does, which counts a refused connection as a failed probe."""
    status = 0
    while status != 200:
        assert running.poll() is None, f"{workload} ended while starting"
        await asyncio.sleep(0.1)
        with suppress(httpx.TransportError):
            status = await probe(workload, url, "readinessProbe")


@pytest.fixture
async def replicas(tmp_path: Path) -> AsyncIterator[list[tuple[str, subprocess.Popen[bytes]]]]:
    """Two replicas of the server that start together, with one empty database and one Redis."""
    async with AsyncExitStack() as stack:
        database = stack.enter_context(postgres(tmp_path))
        redis, _ = stack.enter_context(redis_server(tmp_path))
        running = []
        for number in range(2):
            folder = tmp_path / f"replica-{number}"
            found = container_process("tallow", folder, database_url=database, redis_url=redis)
            running.append(stack.enter_context(started("tallow", found, folder)))
        for url, one in running:
            await until_ready("tallow", url, one)
        yield running


async def test_replicas_answer_probes_and_share_rooms(
    replicas: list[tuple[str, subprocess.Popen[bytes]]],
) -> None:
    for url, _process in replicas:
        assert [await probe("tallow", url, name) for name in PROBES] == [200, 200, 200]
    async with AsyncExitStack() as stack:
        clients = [
            Client(url=url, http=await stack.enter_async_context(httpx.AsyncClient(base_url=url)))
            for url, _process in replicas
        ]
        here, there = clients
        sender, receiver = await here.pair(across=there)
        ends = [await here.relay(sender), await there.relay(receiver)]
        for end in ends:
            assert json.loads(await end.recv()) == {"type": "paired"}
        payload = os.urandom(200_000)
        await ends[0].send(payload)
        assert await ends[1].recv() == payload
        token = {"authorization": f"Bearer {SECRET_VALUES['metrics-token']}"}
        for client in clients:
            assert (await client.http.get("/metrics", headers=token)).status_code == 200
            refused = await client.http.get("/metrics", headers={"x-forwarded-for": "192.0.2.1"})
            assert refused.status_code in (401, 403)
        for connection in (*ends, sender.socket, receiver.socket):
            await connection.close()


async def test_a_pod_that_is_deleted_drains_before_it_ends(
    replicas: list[tuple[str, subprocess.Popen[bytes]]],
) -> None:
    url, running = replicas[0]
    running.send_signal(signal.SIGTERM)
    while await probe("tallow", url, "readinessProbe") != 503:
        await asyncio.sleep(0.05)
    assert await probe("tallow", url, "livenessProbe") == 200, "requests are answered while it drains"
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{url}/api/rooms", json={"token_hash": "0" * 64})
    assert answer.status_code == 201
    ended = await asyncio.to_thread(running.wait, GRACE_SECONDS)
    assert ended in (0, -signal.SIGTERM)
    assert await probe("tallow", replicas[1][0], "readinessProbe") == 200


async def test_the_heartbeat_takes_watchdog_from_the_service_of_its_namespace(tmp_path: Path) -> None:
    found = container_process("tallow-heartbeat", tmp_path)
    login = ("tallow", SECRET_VALUES["monitoring-password"])
    body = {"status": "firing", "alerts": [{"labels": {"alertname": RULES["Watchdog"].name}}]}
    with started("tallow-heartbeat", found, tmp_path) as (url, running):
        await until_ready("tallow-heartbeat", url, running)
        for name in PROBES:
            assert await probe("tallow-heartbeat", url, name) == 200
        async with httpx.AsyncClient(auth=login) as client:

            async def post(host: str) -> int:
                return (await client.post(f"{url}/heartbeat", json=body, headers={"host": host})).status_code

            assert await post("attacker.example.net") == 403
            assert await post("tallow-heartbeat.tallow.svc:9095") == 200
            status = (await client.get(f"{url}/status")).json()
            assert status["state"] == "beating"
            page = await client.get(
                f"{url}/runbooks/ServiceDown", headers={"host": "heartbeat.tallow.example.org"}
            )
            assert page.status_code == 200
