"""Outgoing requests carry the current correlation id."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tallow.monitoring import correlation, instrument
from tallow.monitoring.integrations.httpx import instrument_client, outgoing_headers
from tallow.monitoring.testing import captured_logs, fresh_metrics

ID = "0af7651916cd43dd8448eb211c80319c"


async def say(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(correlation.current()))


def service() -> httpx.ASGITransport:
    return httpx.ASGITransport(instrument(Starlette(routes=[Route("/", say)]), metrics=fresh_metrics()))


async def test_a_request_carries_the_id_to_the_next_service() -> None:
    async with instrument_client(httpx.AsyncClient(transport=service(), base_url="http://next")) as client:
        with correlation.bind(ID):
            answer = await client.get("/")
        assert answer.text == answer.headers["x-request-id"] == ID
        assert (await client.get("/")).text != ID


def test_headers_follow_the_standard_and_are_absent_outside_a_request() -> None:
    assert outgoing_headers() == {}
    with correlation.bind(ID):
        headers = outgoing_headers()
    assert headers["X-Request-ID"] == ID
    assert re.fullmatch(rf"00-{ID}-[0-9a-f]{{16}}-00", headers["traceparent"])


def test_a_sync_client_is_instrumented_once_and_existing_headers_are_kept() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200)

    with instrument_client(httpx.Client(transport=httpx.MockTransport(answer))) as client:
        instrument_client(client)
        assert len(client.event_hooks["request"]) == 1
        with correlation.bind(ID), captured_logs():
            client.get("http://next/", headers={"X-Request-ID": "mine"})
    assert asked[0].headers["x-request-id"] == "mine"
    assert ID in asked[0].headers["traceparent"]


@pytest.mark.parametrize("client", [object(), None, "client"])
def test_an_object_that_is_not_a_client_is_rejected(client: Any) -> None:
    with pytest.raises(TypeError, match="is not a client of httpx"):
        instrument_client(client)
