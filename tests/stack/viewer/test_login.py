"""The login page and the pages that require a session, over real sockets."""

from __future__ import annotations

import httpx
import pytest

from support.dashboards.viewer import PASSWORD, Viewer, logged_in
from tallow.stack.viewer.login import local_path
from tallow.stack.viewer.sessions import FREE_FAILURES

pytestmark = pytest.mark.slow

PRIVATE = ["/api/dashboards", "/api/dashboards/tallow-overview", "/api/prometheus/query?query=up"]
PRIVATE += ["/api/prometheus/rules", "/api/prometheus/label/job/values", "/api/alertmanager/alerts"]
PRIVATE += ["/api/unavailable-dashboards"]


@pytest.mark.parametrize("path", PRIVATE)
async def test_data_requires_a_session(viewer: Viewer, path: str) -> None:
    async with viewer() as url, httpx.AsyncClient(base_url=url) as client:
        answer = await client.get(path, headers={"cookie": "tallow_viewer=forged"})
        assert answer.status_code == 401
        assert answer.json()["error"] == "log in first"


async def test_password_opens_a_session_with_a_strict_cookie(viewer: Viewer) -> None:
    async with viewer() as url, httpx.AsyncClient(base_url=url) as client:
        form = {"password": PASSWORD, "next": "/d/tallow-errors?viewPanel=6"}
        answer = await client.post("/login", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, form["next"])
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert (await client.get("/api/dashboards")).status_code == 200
        assert (await client.get("/login", params={"next": "/d/x"})).headers["location"] == "/d/x"


async def test_logging_out_ends_the_session_itself(viewer: Viewer) -> None:
    async with viewer() as url, logged_in(url) as client:
        kept = dict(client.cookies)
        await client.post("/logout")
        client.cookies.update(kept)
        assert (await client.get("/api/dashboards")).status_code == 401


async def test_wrong_passwords_are_refused_and_rate_limited(viewer: Viewer) -> None:
    async with viewer() as url, httpx.AsyncClient(base_url=url) as client:
        for _ in range(FREE_FAILURES):
            answer = await client.post("/login", data={"password": "guess", "next": '"><script>'})
            assert answer.status_code == 401
            assert "Wrong password." in answer.text
        assert "<script>" not in answer.text
        held = await client.post("/login", data={"password": PASSWORD})
        assert held.status_code == 429
        assert 0 < int(held.headers["retry-after"]) <= 30


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a=" + b"x" * 9000, b"&".join([b"a=1"] * 500)])
async def test_body_that_is_not_a_form_is_refused(viewer: Viewer, body: bytes) -> None:
    async with viewer() as url, httpx.AsyncClient(base_url=url) as client:
        assert (await client.post("/login", content=body)).status_code in {400, 413}


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "evil",
        "",
        None,
        "/\t/evil",
        "/a\r\nb",
        "//[",
    ],
)
def test_redirects_stay_on_this_server(wanted: str | None) -> None:
    assert local_path(wanted) == "/"


def test_redirect_keeps_the_dashboards_address() -> None:
    wanted = "/d/tallow-errors?viewPanel=6&from=now-1h&var-job=tallow"
    assert local_path(wanted) == wanted
