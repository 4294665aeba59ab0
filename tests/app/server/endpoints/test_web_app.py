"""The server's side of the page: files with their headers, and a share target that is never read."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from support.transfers.server import RunningServer, serving
from tallow.app.server.endpoints.web_app import BUILD_RECORD, SHARE_REFUSAL, web_app_routes
from tallow.app.server.transport.responses import ApiError, on_api_error

FILES = {
    "index.html": "<!doctype html>",
    "sw.js": "self.version = 1",
    "manifest.webmanifest": "{}",
    "assets/index-abc123.js": "const text = 'x'.repeat(9);" * 40,
    "icons/icon-192.png": "not really a picture",
    BUILD_RECORD: "hash  sources",
}
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'self'",
    "require-trusted-types-for 'script'",
    "trusted-types tallow",
}


@pytest_asyncio.fixture
async def page(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    for name, content in FILES.items():
        path = tmp_path / "web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (tmp_path / "secret.txt").write_text("not served")
    app = Starlette(routes=web_app_routes(tmp_path / "web"), exception_handlers={ApiError: on_api_error})
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://tallow.test") as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/", "/sw.js", "/manifest.webmanifest", "/assets/index-abc123.js", "/icons/icon-192.png"]
)
async def test_every_file_has_the_headers_of_a_strict_page(page: httpx.AsyncClient, path: str) -> None:
    answer = await page.get(path)
    assert answer.status_code == 200
    directives = set(answer.headers["content-security-policy"].split("; "))
    assert directives >= POLICY
    assert not any(
        word in answer.headers["content-security-policy"] for word in ("unsafe", "*", "http", "data:")
    )
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "camera=()" in answer.headers["permissions-policy"]


async def test_only_files_with_a_hash_in_their_name_are_cached_without_a_question(
    page: httpx.AsyncClient,
) -> None:
    hashed = await page.get("/assets/index-abc123.js")
    assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
    for path in ("/", "/sw.js", "/manifest.webmanifest", "/icons/icon-192.png"):
        answer = await page.get(path)
        assert answer.headers["cache-control"] == "no-cache", path
        tag = answer.headers["etag"]
        for candidates in (tag, f"W/{tag}", f'"other", {tag}'):
            again = await page.get(path, headers={"if-none-match": candidates})
            assert (again.status_code, again.content) == (304, b""), candidates
        assert (await page.get(path, headers={"if-none-match": '"other"'})).status_code == 200


async def test_text_is_compressed_on_request_and_pictures_are_not(page: httpx.AsyncClient) -> None:
    gzipped = {"accept-encoding": "gzip"}
    async with page.stream("GET", "/assets/index-abc123.js", headers=gzipped) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert gzip.decompress(raw).decode() == FILES["assets/index-abc123.js"]
    assert "content-encoding" not in (await page.get("/icons/icon-192.png")).headers
    plain = await page.get("/assets/index-abc123.js", headers={"accept-encoding": "identity"})
    assert plain.text == FILES["assets/index-abc123.js"]
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/other.js",
        "/assets/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets//index-abc123.js",
        "/assets/index-abc123.js/",
        "/secret.txt",
        f"/{BUILD_RECORD}",
        "/icons/",
    ],
)
async def test_nothing_but_the_built_files_is_served(page: httpx.AsyncClient, path: str) -> None:
    answer = await page.get(path)
    assert answer.status_code == 404
    assert "not served" not in answer.text


async def share(server: RunningServer, method: str, sent: bytes) -> bytes:
    """The whole response to a request to the share target that announces a gigabyte and sends ``sent``."""
    host = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(host.hostname, host.port)
    head = f"{method} /share HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Length: 1000000000\r\n\r\n"
    writer.write(head.encode() + sent)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("sent", [b"", b"canary-of-a-shared-file" * 1000], ids=["header only", "a part"])
async def test_a_share_without_the_service_worker_is_refused_unread(
    tmp_path: Path, method: str, sent: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    async with serving(tmp_path, body_timeout=600) as server:
        async with asyncio.timeout(30):  # it would wait for the body otherwise
            answer = (await share(server, method, sent)).decode()
        head, _, body = answer.partition("\r\n\r\n")
        assert head.startswith("HTTP/1.1 403 ")
        assert "connection: close" in head.lower()
        assert body == SHARE_REFUSAL
        assert server.value("tallow_api_errors_total", endpoint="/share", status_code="403") == 1
    assert "canary" not in answer + "".join(capfd.readouterr())


async def test_requests_for_the_page_are_counted_by_route_and_not_by_file(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        page = await server.http.get("/")
        assert page.status_code == 200
        for name in ("a.js", "b.js"):
            assert (await server.http.get(f"/assets/{name}")).status_code == 404
        exposition = (await server.http.get("/metrics")).text
        assert server.value("tallow_api_errors_total", endpoint="other", status_code="404") == 2
    assert 'route="/{file:path}"' in exposition
    assert "sw.js" not in exposition
    assert "a.js" not in exposition


async def test_json_responses_are_neither_pages_nor_readable_by_other_sites(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        for answer in (await server.http.get("/api/info"), await server.http.get("/nothing")):
            assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
