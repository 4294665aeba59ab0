"""A client that sends cheap requests on one connection is refused, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from support.networks.own_address import own_address
from support.transfers.server import RunningServer, serving
from tallow.monitoring.health import responses
from tallow.monitoring.testing import captured_logs

PER_MINUTE = 6
TRIES = 12
"""Requests of a flood. On a slow machine the rate admits further ones while they are sent."""
LIMIT = "requests_per_minute"


@asynccontextmanager
async def client_of(server: RunningServer, address: str, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client that reaches the server by an address of this machine that is not loopback."""
    url = f"http://{address}:{server.url.rpartition(':')[2]}"
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=20) as http:
        yield http


async def flood(http: httpx.AsyncClient, path: str) -> list[httpx.Response]:
    """The responses that refuse a request."""
    answers = [await http.get(path) for _ in range(TRIES)]
    return [answer for answer in answers if answer.status_code == 429]


@pytest.mark.parametrize("path", ["/nothing", "/", "/api/info", "/api/rooms", "/metrics", *responses.PATHS])
async def test_a_flood_of_requests_is_refused(tmp_path: Path, path: str) -> None:
    """Each refusal ends the connection; the log gets one line; this machine's probes are answered."""
    async with serving(tmp_path, host="0.0.0.0", requests_per_minute=PER_MINUTE) as server:
        with captured_logs() as logs:
            async with client_of(server, own_address()) as http:
                refused = await flood(http, path)
            for probed in ("/metrics", *responses.PATHS):
                assert (await server.http.get(probed)).status_code == 200
        assert refused
        assert server.value("limit_rejections_total", limit=LIMIT) == len(refused)
        lines = [record for record in logs.records if record.get("limit") == LIMIT]
        assert len(lines) == 1
    for answer in refused:
        assert answer.json()["error"] == "rate_limited"
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["connection"] == "close"


async def test_a_flood_leaves_the_probes_of_the_same_address(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, host="0.0.0.0", requests_per_minute=PER_MINUTE) as server,
        client_of(server, own_address()) as http,
    ):
        assert await flood(http, "/nothing")
        answers = {path: (await http.get(path)).status_code for path in ("/metrics", *responses.PATHS)}
    # Without a token only this machine may read the metrics and the details.
    assert answers == dict.fromkeys(responses.PATHS, 200) | {"/metrics": 401, "/api/health/detailed": 401}


async def test_pipelined_requests_beyond_the_rate_are_refused(tmp_path: Path) -> None:
    address = own_address()
    async with serving(tmp_path, host="0.0.0.0", requests_per_minute=1) as server:
        reader, writer = await asyncio.open_connection(address, int(server.url.rpartition(":")[2]))
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" * 4)
        answer = await reader.read()
        writer.close()
        await server.wait_for_value("limit_rejections_total", 1, limit=LIMIT)
    statuses = [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"404", b"429"]


@pytest.mark.parametrize("proxy", [own_address, lambda: "127.0.0.1"], ids=["another machine", "loopback"])
async def test_behind_a_proxy_one_client_is_refused(tmp_path: Path, proxy: Callable[[], str]) -> None:
    """The connection of a trusted proxy carries other clients: it is neither limited nor closed."""
    address = proxy()
    limits = {"trusted_proxies": (address,), "requests_per_minute": PER_MINUTE}
    async with (
        serving(tmp_path, host="0.0.0.0", **limits) as server,
        client_of(server, address) as http,
    ):
        flooding = {"x-forwarded-for": "192.0.2.1"}
        answers = [await http.get("/api/info", headers=flooding) for _ in range(TRIES)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert server.value("limit_rejections_total", limit=LIMIT) == len(refused)
        assert all("connection" not in answer.headers for answer in refused)
        assert int(refused[-1].headers["retry-after"]) >= 1
        other = {"x-forwarded-for": "198.51.100.1"}
        assert (await http.get("/api/info", headers=other)).status_code == 200
        assert (await http.get("/api/health", headers=flooding)).status_code == 200
