"""Responses are logged by route: errors in bounded volume, others at debug."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tallow.monitoring import instrument
from tallow.monitoring.http.response_log import log_response
from tallow.monitoring.testing import captured_logs, fresh_metrics


async def answer(request: Any) -> PlainTextResponse:
    return PlainTextResponse("", int(request.path_params["status"]))


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = instrument(
        Starlette(routes=[Route("/orders/{status}", answer)]),
        metrics=fresh_metrics(),
        on_response=log_response,
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop")


@pytest.mark.parametrize(
    ("status", "level"), [(200, "debug"), (302, "debug"), (404, "info"), (429, "info"), (503, "warning")]
)
async def test_the_status_decides_the_level(client: httpx.AsyncClient, status: int, level: str) -> None:
    with captured_logs() as logs:
        await client.get(f"/orders/{status}?name=alice")
        [record] = logs.from_loggers("api")
    assert (record["level"], record["status"], record["route"]) == (level, status, "/orders/{status}")
    assert record["correlation_id"]
    assert "alice" not in str(record)


async def test_an_attack_of_refused_requests_is_one_line_a_minute(client: httpx.AsyncClient) -> None:
    with captured_logs() as logs:
        for _ in range(300):
            await client.get("/orders/401")
        assert len(logs.from_loggers("api")) == 1


async def test_a_refused_scrape_is_logged_with_its_route() -> None:
    app = instrument(
        Starlette(),
        metrics=fresh_metrics(),
        metrics_token="a-long-random-bearer-token",
        on_response=log_response,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as client:
        with captured_logs() as logs:
            await client.get("/metrics")
            [record] = logs.from_loggers("api")
    assert (record["route"], record["status"]) == ("/metrics", 401)


async def test_a_listener_that_fails_does_not_disturb_the_response() -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    app = instrument(Starlette(), metrics=fresh_metrics(), on_response=broken)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as client:
        assert (await client.get("/nothing")).status_code == 404
