"""The proxy with a real Prometheus and with misbehaving servers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from support.dashboards.viewer import PASSWORD, Viewer, logged_in, serving
from support.programs.prometheus import Prometheus, backfill, running
from tallow.stack.viewer import upstream
from tallow.stack.viewer.app import ViewerSettings, create_app
from tallow.stack.viewer.credentials import Credentials, Login
from tallow.stack.viewer.dashboards import load_dashboards

pytestmark = pytest.mark.slow

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus") / "data"
    now = int(time.time())
    lines = [f'up{{job="tallow",instance="one:3000"}} 1 {now - ago}\n' for ago in range(600, 0, -15)]
    backfill(folder, "".join(lines) + "# EOF\n")
    with running(folder) as server:
        yield server


@pytest.mark.integration
async def test_every_endpoint_returns_what_prometheus_returns(viewer: Viewer, prometheus: Prometheus) -> None:
    now = time.time()
    span = {"start": str(now - 600), "end": str(now)}
    asked = {
        "query": {"query": "up", "time": str(now - 60)},
        "query_range": {"query": "up", "step": "15", **span},
        "series": {"match[]": "up", **span},
        "labels": {"match[]": "up", **span},
        "label/instance/values": {"match[]": "up", **span},
        "alerts": {},
        "rules": {"type": "alert"},
    }
    async with viewer(prometheus.url) as url, logged_in(url) as client:
        for path, parameters in asked.items():
            ours = await client.get(f"/api/prometheus/{path}", params=parameters)
            theirs = prometheus.client.get(f"{prometheus.url}/api/v1/{path}", params=parameters)
            assert ours.json() == theirs.json(), path
            assert ours.json()["status"] == "success"
        assert (await client.get("/api/prometheus/query", params=asked["query"])).json()["data"]["result"]


@pytest.mark.integration
async def test_long_queries_are_posted_and_errors_forwarded(viewer: Viewer, prometheus: Prometheus) -> None:
    long = " or ".join(['up{instance="one:3000"}'] * 400)
    async with viewer(prometheus.url) as url, logged_in(url) as client:
        answer = await client.post("/api/prometheus/query", data={"query": long})
        assert len(answer.json()["data"]["result"]) == 1
        wrong = await client.post("/api/prometheus/query", data={"query": "up{"})
        assert wrong.status_code == 400
        assert "parse error" in wrong.json()["error"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "admin/tsdb/delete_series?match[]=up"),
        ("PUT", "query"),
        ("DELETE", "series"),
        ("POST", "label/job/values"),
        ("GET", "status/config"),
        ("GET", "targets"),
        ("POST", "write"),
        ("GET", "query/../../../-/reload"),
        ("GET", "label/..%2f..%2fadmin/values"),
        ("GET", "label/a%3fb/values"),
    ],
)
async def test_only_read_requests_are_forwarded(viewer: Viewer, method: str, path: str) -> None:
    asked: list[str] = []

    async def answer(request: Request) -> Response:
        asked.append(request.url.path)
        return Response("{}", media_type="application/json")

    async with serving(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])) as behind:
        async with viewer(behind) as url, logged_in(url) as client:
            answered = await client.request(method, f"/api/prometheus/{path}")
    assert answered.status_code in {400, 404, 405}
    assert asked == []


@pytest.mark.parametrize(
    ("parameters", "status", "says"),
    [
        ({"query": "up", "timeout": "1h"}, 400, "query takes query, time"),
        ({"query": "x" * 20_000}, 413, "query has more than"),
        ([("query", "up")] * 65, 400, "at most 64 parameters"),
    ],
)
async def test_refused_parameter_is_explained(
    viewer: Viewer, parameters: Any, status: int, says: str
) -> None:
    async with viewer() as url, logged_in(url) as client:
        answer = await client.get("/api/prometheus/query", params=parameters)
        assert answer.status_code == status
        assert says in answer.json()["error"]


async def test_body_must_be_a_form_of_bounded_size(viewer: Viewer) -> None:
    async with viewer() as url, logged_in(url) as client:
        for content, headers, status in [
            (b"{}", {"content-type": "application/json"}, 415),
            (b"query=" + b"x" * 140_000, FORM, 413),
            (b"query=%ff", FORM, 400),
        ]:
            answer = await client.post("/api/prometheus/query", content=content, headers=headers)
            assert answer.status_code == status


async def test_unreachable_prometheus_is_reported(viewer: Viewer) -> None:
    async with viewer() as url, logged_in(url) as client:
        answer = await client.get("/api/prometheus/query", params={"query": "up"})
        assert (answer.status_code, answer.json()["error"]) == (503, "Prometheus is not reachable")
        assert (await client.get("/api/alertmanager/alerts")).json() == []


async def test_unusable_responses_are_not_forwarded(viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "MAX_BYTES", 1000)
    answers = {
        "401": Response("secret hint", 401),
        "redirect": RedirectResponse("http://elsewhere.example/"),
        "page": PlainTextResponse("<script>alert(1)</script>"),
        "large": Response(b"[" + b"1," * 2000 + b"1]", media_type="application/json"),
    }

    async def misbehave(request: Request) -> Response:
        return answers[request.query_params["query"]]

    async with serving(Starlette(routes=[Route("/api/v1/query", misbehave)])) as behind:
        async with viewer(behind) as url, logged_in(url) as client:
            for kind in answers:
                answer = await client.get("/api/prometheus/query", params={"query": kind})
                assert answer.status_code == 502, kind
                assert answer.json()["status"] == "error"
                assert "secret" not in answer.text


async def test_slow_server_times_out(viewer: Viewer) -> None:
    over = asyncio.Event()

    async def dawdle(_request: Request) -> Response:
        await over.wait()
        return Response("{}", media_type="application/json")

    async with serving(Starlette(routes=[Route("/api/v1/query", dawdle)])) as behind:
        async with viewer(behind, timeout=0.2) as url, logged_in(url) as client:
            answer = await client.get("/api/prometheus/query", params={"query": "up"})
            over.set()
    assert answer.status_code == 504
    assert answer.json()["error"] == "Prometheus did not answer within 0.2 s"


async def test_concurrent_and_waiting_requests_are_limited(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "MAX_QUEUED", 20)
    full = asyncio.Event()
    here, most = 0, 0

    async def count(_request: Request) -> Response:
        nonlocal here, most
        here += 1
        most = max(most, here)
        if here == upstream.MAX_CONCURRENT:
            full.set()
        await full.wait()
        await asyncio.sleep(0)
        here -= 1
        return Response("{}", media_type="application/json")

    async with serving(Starlette(routes=[Route("/api/v1/query", count)])) as behind:
        async with viewer(behind) as url, logged_in(url) as client:
            asked = [client.get("/api/prometheus/query", params={"query": "up"}) for _ in range(30)]
            answers = [answer.status_code for answer in await asyncio.gather(*asked)]
    assert most == upstream.MAX_CONCURRENT
    assert set(answers) == {200, 503}
    assert answers.count(200) >= 20


async def test_only_the_viewers_credentials_are_sent_upstream(static: Path) -> None:
    seen: list[httpx.Headers] = []

    async def note(request: Request) -> Response:
        seen.append(httpx.Headers(request.headers.raw))
        return Response("[]", media_type="application/json")

    async with serving(Starlette(routes=[Route("/{path:path}", note)])) as behind:
        settings = ViewerSettings(prometheus=behind, alertmanager=behind, static=static)
        credentials = Credentials(Login("tallow", PASSWORD), Login("p", "pw"), Login("a", "pw"))
        async with (
            serving(create_app(settings, credentials, load_dashboards())) as url,
            logged_in(url) as client,
        ):
            foreign = {"authorization": "Basic eDp5", "x-scope-orgid": "other"}
            await client.get("/api/prometheus/query", params={"query": "up"}, headers=foreign)
            await client.get("/api/alertmanager/alerts", headers=foreign)
    expected = [httpx.BasicAuth(user, "pw")._auth_header for user in ("p", "a")]
    assert [headers["authorization"] for headers in seen] == expected
    assert not any("cookie" in headers or "x-scope-orgid" in headers for headers in seen)
