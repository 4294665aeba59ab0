"""``/metrics`` of the viewer: access and formats."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from support.dashboards.viewer import PASSWORD, Viewer, credentials_file, tallow_viewer
from support.raw_http import open_connection, send, status_of
from tallow.monitoring.integrations.http_server.limits import REFUSALS

pytestmark = pytest.mark.slow

TOKEN = "a-token-for-the-scrapes"


@pytest.mark.parametrize("sent", [None, "Bearer wrong", f"Basic {TOKEN}", "Bearer"])
async def test_metrics_require_the_token(viewer: Viewer, sent: str | None) -> None:
    headers = {"authorization": sent} if sent else {}
    async with viewer(metrics_token=TOKEN) as url, httpx.AsyncClient(base_url=url) as client:
        refused = await client.get("/metrics", headers=headers)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert "tallow_viewer" not in refused.text
        taken = await client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
        assert taken.status_code == 200


async def test_token_gives_no_dashboards_and_a_session_no_metrics(viewer: Viewer) -> None:
    async with viewer(metrics_token=TOKEN) as url, httpx.AsyncClient(base_url=url) as client:
        bearer = {"authorization": f"Bearer {TOKEN}"}
        assert (await client.get("/api/dashboards", headers=bearer)).status_code == 401
        await client.post("/login", data={"password": PASSWORD})
        assert (await client.get("/metrics")).status_code == 401


@pytest.mark.parametrize("headers", [{"x-forwarded-for": "10.0.0.1"}, {"host": "evil.example"}])
async def test_without_a_token_only_this_machine_gets_metrics(
    viewer: Viewer, headers: dict[str, str]
) -> None:
    async with viewer() as url, httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/metrics")).status_code == 200
        assert (await client.get("/metrics", headers=headers)).status_code in {401, 403}


async def test_both_formats_parse(viewer: Viewer) -> None:
    async with viewer() as url, httpx.AsyncClient(base_url=url) as client:
        text = await client.get("/metrics")
        assert text.headers["content-type"].startswith("text/plain; version=0.0.4")
        openmetrics = await client.get("/metrics", headers={"accept": "application/openmetrics-text"})
        assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
        parsed = list(parse_openmetrics(openmetrics.text))  # type: ignore[no-untyped-call]
        for families in (parse_text(text.text), parsed):
            assert "tallow_viewer_login_failures" in {family.name for family in families}


def refused(exposition: str, limit: str) -> float:
    """The counter of refused connections for one limit."""
    return next(
        sample.value
        for family in parse_text(exposition)
        for sample in family.samples
        if sample.name == "tallow_viewer_connections_refused_total" and sample.labels == {"limit": limit}
    )


async def test_each_refused_connection_is_counted(tmp_path: Path) -> None:
    with tallow_viewer(credentials_file(tmp_path), "http://127.0.0.1:9") as url:
        async with httpx.AsyncClient(base_url=url, timeout=20) as client:
            before = (await client.get("/metrics")).text
            assert {refused(before, limit) for limit in REFUSALS} == {0}
            silent = [await open_connection(url) for _ in range(150)]
            assert status_of(await send(url, b"no HTTP\r\n\r\n")) == 400
            while True:  # the viewer accepts some of them later
                found = (await client.get("/metrics")).text
                if refused(found, "connections_per_address") >= 50 and refused(found, "malformed_request"):
                    break
            for _, writer in silent:
                writer.transport.abort()
