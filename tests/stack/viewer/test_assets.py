"""The responses with front-end files."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from support.dashboards.viewer import Viewer, logged_in

SCRIPT = "/assets/main-1a2b.js"


@pytest.mark.parametrize("path", ["/", "/d/tallow-overview", "/d/tallow-overview/any-slug"])
async def test_page_is_served_for_every_dashboard(viewer: Viewer, path: str) -> None:
    async with viewer() as url, logged_in(url) as client:
        answer = await client.get(path)
        assert "<title>Tallow</title>" in answer.text
        assert answer.headers["cache-control"] == "no-cache"


async def test_request_without_session_is_redirected_to_login_and_back(viewer: Viewer) -> None:
    wanted = "/d/tallow-errors?viewPanel=6&from=now-1h"
    async with viewer() as url, httpx.AsyncClient(base_url=url) as client:
        answer = await client.get(wanted)
        assert answer.status_code == 303
        address = urlsplit(answer.headers["location"])
        assert (address.path, parse_qs(address.query)["next"]) == ("/login", [wanted])
        assert "no-store" in answer.headers["cache-control"]


async def test_hashed_files_are_cacheable_and_compressed(viewer: Viewer, static: Path) -> None:
    async with viewer() as url, httpx.AsyncClient(base_url=url) as client:
        answer = await client.get(SCRIPT, headers={"accept-encoding": "gzip"})
        assert answer.text == (static / SCRIPT[1:]).read_text()
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) < 100
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]
        plain = await client.get(SCRIPT, headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        again = await client.get(SCRIPT, headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/none"]
)
async def test_nothing_outside_the_folder_is_served(viewer: Viewer, path: str) -> None:
    async with viewer() as url, httpx.AsyncClient(base_url=url) as client:
        request = client.build_request("GET", "/")
        request.url = httpx.URL(url).copy_with(raw_path=path.encode())
        answer = await client.send(request)
        assert answer.status_code == 404
        assert "not a built file" not in answer.text
