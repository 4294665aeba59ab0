"""Host, Origin and headers, over real sockets."""

from __future__ import annotations

import httpx
import pytest

from support.dashboards.viewer import PASSWORD, Viewer, logged_in

pytestmark = pytest.mark.slow


async def test_unknown_host_name_is_refused(viewer: Viewer) -> None:
    async with viewer() as url, httpx.AsyncClient(base_url=url) as client:
        for host in ("evil.example", "evil.example:3001", "localhost.evil.example", "[::1", ""):
            answer = await client.get("/login", headers={"host": host})
            assert answer.status_code in {400, 403}, host
        assert (await client.get("/login", headers={"host": "localhost:9"})).status_code == 200
        assert (await client.get("/login", headers={"host": "[::1]:9"})).status_code == 200


async def test_an_allowed_name_is_served(viewer: Viewer) -> None:
    async with viewer(hosts=["Boards.Example"]) as url, httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/login", headers={"host": "boards.example:443"})).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_other_origin_is_refused(viewer: Viewer, origin: str) -> None:
    async with viewer() as url, logged_in(url) as client:
        headers = {"origin": origin}
        assert (await client.get("/api/dashboards", headers=headers)).status_code == 403
        posted = await client.post("/login", data={"password": PASSWORD}, headers=headers)
        assert posted.status_code == 403


async def test_own_origin_is_served(viewer: Viewer) -> None:
    async with viewer() as url, logged_in(url) as client:
        assert (await client.get("/api/dashboards", headers={"origin": url})).status_code == 200


async def test_other_site_may_only_link(viewer: Viewer) -> None:
    async with viewer() as url, logged_in(url) as client:
        foreign = {"sec-fetch-site": "cross-site"}
        link = await client.get("/d/tallow-errors", headers=foreign | {"sec-fetch-mode": "navigate"})
        assert link.status_code == 200
        for mode in ("cors", "no-cors"):
            read = await client.get("/api/dashboards", headers=foreign | {"sec-fetch-mode": mode})
            assert read.status_code == 403


@pytest.mark.parametrize("path", ["/", "/login", "/healthz", "/api/dashboards", "/assets/main-1a2b.js", "/x"])
async def test_every_response_has_the_security_headers(viewer: Viewer, path: str) -> None:
    async with viewer() as url, httpx.AsyncClient(base_url=url) as client:
        headers = (await client.get(path)).headers
    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


async def test_health_requires_neither_login_nor_host_name(viewer: Viewer) -> None:
    async with viewer() as url, httpx.AsyncClient(base_url=url) as client:
        answer = await client.get("/healthz", headers={"host": "10.1.2.3:3001"})
        assert (answer.status_code, answer.text) == (200, "ok\n")
