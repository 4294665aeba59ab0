"""Under load a server responds to every probe and runs each check about once a second."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from support.transfers.server import listener
from tallow.monitoring import instrument
from tallow.monitoring.health import Health
from tallow.monitoring.health.responses import LIVENESS, PATHS
from tallow.monitoring.testing import fresh_metrics

pytestmark = pytest.mark.slow

CLIENTS = 100
ROUNDS = 10


async def test_every_probe_gets_a_response_while_the_server_is_busy() -> None:
    """Requests in hundreds, a component that hangs, one that blocks its thread, one that fails: the states
    stay what they are, and probes cost the components nothing."""
    asked: Counter[str] = Counter()

    async def hangs() -> None:
        asked["hangs"] += 1
        await asyncio.sleep(60)

    def blocks() -> None:
        asked["blocks"] += 1
        time.sleep(0.05)

    def fails() -> None:
        asked["fails"] += 1
        raise ConnectionError

    async def work(request: Request) -> PlainTextResponse:
        await asyncio.sleep(0.02)
        return PlainTextResponse("done")

    health = Health(cache=0.2)
    health.unregister_check("memory")
    health.register_check("search", hangs, critical=False, timeout=0.1)
    health.register_check("disk", blocks)
    health.register_check("database", fails)
    app = instrument(Starlette(routes=[Route("/work", work)]), health=health, metrics=fresh_metrics())
    bound = listener()
    # The server must not close an idle connection while the client reuses it: that would fail the test.
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_keep_alive=60))
    serving = asyncio.create_task(server.serve([bound]))
    started = time.monotonic()
    limits = httpx.Limits(max_connections=CLIENTS)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{bound.getsockname()[1]}", limits=limits, timeout=60
    ) as client:
        while not server.started:
            await asyncio.sleep(0.01)

        async def send_requests(number: int) -> Counter[tuple[str, int]]:
            seen: Counter[tuple[str, int]] = Counter()
            for turn in range(ROUNDS):
                path = PATHS[(number + turn) % len(PATHS)] if number % 2 else "/work"
                seen[path, (await client.get(path)).status_code] += 1
            return seen

        total = sum(
            await asyncio.gather(*(send_requests(number) for number in range(CLIENTS))),
            Counter[tuple[str, int]](),
        )
    took = time.monotonic() - started
    server.should_exit = True
    await serving
    assert total.total() == CLIENTS * ROUNDS
    assert {status for path, status in total if path in {LIVENESS, "/work"}} == {200}
    assert {status for path, status in total if path in PATHS and path != LIVENESS} == {503}
    assert max(asked.values()) <= took / 0.2 + 2
    assert min(asked.values()) >= 1
