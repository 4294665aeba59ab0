"""The services of the stack under clients that send nothing, too much, or nonsense."""

from __future__ import annotations

import asyncio
import base64
import random
import smtplib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from support import raw_http
from support.dashboards.viewer import serving
from support.raw_http import open_connection, request, status_of
from tallow.monitoring.integrations.http_server.limits import ConnectionLimits
from tallow.monitoring.testing import captured_logs
from tallow.stack.alerts.links import Links
from tallow.stack.heartbeat.app import create_app as heartbeat_app
from tallow.stack.heartbeat.message import MessageComposer
from tallow.stack.heartbeat.monitor import HeartbeatMonitor
from tallow.stack.heartbeat.pager import Pager
from tallow.stack.heartbeat.state import HeartbeatState
from tallow.stack.mailbox import server as mailbox
from tallow.stack.mailbox.reader import read_messages
from tallow.stack.prometheus import USER
from tallow.stack.viewer.app import ViewerSettings
from tallow.stack.viewer.app import create_app as viewer_app
from tallow.stack.viewer.credentials import Credentials, Login

pytestmark = pytest.mark.slow

PASSWORD = "a password of this test"
LOGIN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@asynccontextmanager
async def serving_viewer(folder: Path) -> AsyncIterator[str]:
    (folder / "index.html").write_text("<!doctype html>")
    settings = ViewerSettings(prometheus="http://127.0.0.1:9", static=folder)
    async with serving(viewer_app(settings, Credentials(Login(USER, PASSWORD)), {})) as url:
        yield url


@asynccontextmanager
async def serving_heartbeat(folder: Path) -> AsyncIterator[str]:
    (folder / "password").write_text(PASSWORD)
    monitor = HeartbeatMonitor((), HeartbeatState.read(folder))
    pager = Pager(monitor, [], MessageComposer(Links(), "tallow status", "", ()), folder, 1.0)
    async with serving(heartbeat_app(pager, folder / "password")) as url:
        yield url


@pytest.fixture(params=[serving_viewer, serving_heartbeat], ids=["viewer", "heartbeat"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    async with request.param(tmp_path) as found:
        yield found


async def test_silent_connections_take_nothing_away(url: str) -> None:
    silent = [await open_connection(url) for _ in range(300)]
    half = [await open_connection(url) for _ in range(150)]
    for _, writer in half:
        writer.write(request("POST", "/login", {"Host": "localhost", "Content-Length": "100"}, b"x"))
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        assert (await http.get("/healthz")).status_code == 200
    for _, writer in (*silent, *half):
        writer.transport.abort()


BODIES = (
    b'{"status":["firing"],"alerts":[]}',
    b'{"status":{},"alerts":[]}',
    b'{"status":"firing","alerts":[{"labels":{"alertname":["Watchdog"]}}]}',
    b"[" * 60_000,
    b'{"a":' * 12_000,
    b"NaN",
    b"\xff",
    b"password=%ff",
    b"password=%ed%a0%80&next=http://[",
    b"&" * 5000,
)
HEADERS = {
    "Host": ("[", "localhost:99999", "localhost:-1", "localhost:x", "[::1]:99999", "localhost\xff"),
    "Origin": ("http://[", "http://localhost:99999", "null", "\xff"),
    "Cookie": ("=", "tallow_viewer_http=\xff", '"' * 200),
    "Authorization": ("Basic \xff", "Basic !", "Basic Og==", "Basic " + "A" * 20_000, "Bearer \xff"),
    "Content-Type": ("\xff", 'application/json; charset="', "multipart/form-data; boundary="),
    "Range": ("bytes=9-1", "bytes=x", "bytes=" + "0-0," * 2000),
    "If-Modified-Since": ("x", "\xff", "Thu, 99 Jan 0000 99:99:99 GMT"),
}
TARGETS = (
    *("/%00", "/%ff", "/..%2f..%2fetc/passwd", "/assets/" + "x" * 5000, "/login?next=http://[", "//["),
    *("/login?next=%ed%a0%80", "/d/%ff", "/runbooks/%2e%2e", "/runbooks/%00", "/api/dashboards/%00", "*"),
)
PATHS = ("/", "/login", "/heartbeat", "/status", "/api/prometheus/query", "/metrics", "/healthz")


def malformed_requests() -> Iterator[bytes]:
    common = {"Host": "localhost", "Authorization": f"Basic {LOGIN}", "Connection": "close"}
    yield from (request("GET", target, common) for target in TARGETS)
    for path in PATHS:
        for name, values in HEADERS.items():
            yield from (request("GET", path, common | {name: value}) for value in values)
    for path in ("/login", "/heartbeat", "/api/prometheus/query"):
        for kind in ("application/json", "application/x-www-form-urlencoded"):
            for body in BODIES:
                length = {"Content-Type": kind, "Content-Length": str(len(body))}
                yield request("POST", path, common | length, body)


async def test_malformed_requests_are_answered_below_500(url: str) -> None:
    with captured_logs() as logs:
        for data in malformed_requests():
            answer = await asyncio.wait_for(raw_http.send(url, data), 60)
            assert 100 <= status_of(answer) < 500, (data[:200], answer[:100])
    assert not [record for record in logs.records if record["level"] in {"error", "fatal"}]


async def test_a_client_that_leaves_early_is_no_error(url: str) -> None:
    common = {"Host": "localhost", "Authorization": f"Basic {LOGIN}", "Content-Type": "application/json"}
    with captured_logs() as logs:
        for path in ("/login", "/heartbeat"):
            _, writer = await open_connection(url)
            writer.write(request("POST", path, common | {"Content-Length": "100"}, b"{"))
            await writer.drain()
            await asyncio.sleep(0.1)
            writer.close()
        await asyncio.sleep(0.1)
    assert not [record for record in logs.records if record["level"] in {"error", "fatal"}]


async def test_random_bytes_are_answered_below_500(url: str) -> None:
    generator = random.Random(17)
    valid = request("POST", "/login", {"Host": "localhost", "Content-Length": "3"}, b"a=b")
    with captured_logs() as logs:
        for _ in range(150):
            data = bytearray(valid if generator.random() < 0.7 else generator.randbytes(200))
            for _ in range(generator.randrange(1, 8)):
                data[generator.randrange(len(data))] = generator.randrange(256)
            answer = b""
            with suppress(TimeoutError):
                answer = await asyncio.wait_for(raw_http.send(url, bytes(data)), 0.05)
            assert status_of(answer) < 500
    assert not [record for record in logs.records if record["level"] in {"error", "fatal"}]
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        assert (await http.get("/healthz")).status_code == 200


@asynccontextmanager
async def running_mailbox(folder: Path) -> AsyncIterator[int]:
    (folder / "password").write_text(PASSWORD)
    listener = mailbox._listen("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    listener.close()
    task = asyncio.create_task(mailbox.serve(folder / "mail", folder / "password", "127.0.0.1", port))
    try:
        await _until(lambda: _connects(port))
        yield port
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _until(done: Callable[[], Awaitable[bool]]) -> None:
    while not await done():
        await asyncio.sleep(0.02)


async def _connects(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _send_mail(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.login(USER, PASSWORD)
        client.sendmail("a@localhost", "b@localhost", b"Subject: It fires\r\n\r\nText")


async def test_the_mailbox_takes_mail_while_strangers_hold_connections(tmp_path: Path) -> None:
    async with running_mailbox(tmp_path) as port:
        streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(300)]
        for _, writer in streams[::2]:
            writer.write(b"EHLO x\r\nAUTH PLAIN " + base64.b64encode(b"\0tallow\0wrong") + b"\r\n")
        await asyncio.to_thread(_send_mail, port)
        for _, writer in streams:
            writer.transport.abort()
    assert [mail.subject for mail in read_messages(tmp_path / "mail")] == ["It fires"]


async def test_the_mailbox_closes_a_connection_without_a_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "LIMITS", ConnectionLimits(header_timeout=0.5))
    async with running_mailbox(tmp_path) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        started = time.monotonic()
        writer.write(b"EHLO x\r\n")
        await asyncio.wait_for(reader.read(), 60)
        assert time.monotonic() - started >= 0.4
        writer.close()


async def test_the_mailbox_survives_random_bytes(tmp_path: Path) -> None:
    generator = random.Random(17)
    lines = (
        b"EHLO x",
        b"AUTH PLAIN \xff",
        b"AUTH PLAIN AAAA",
        b"MAIL FROM:<\xff>",
        b"RCPT TO:<a",
        b"DATA",
        b"VRFY \0",
    )
    with captured_logs() as logs:
        async with running_mailbox(tmp_path) as port:
            for _ in range(100):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                data = b"\r\n".join(generator.choices(lines, k=6)) + generator.randbytes(100) + b"\r\n" * 2
                writer.write(data + b"x" * generator.choice((0, 5000)))
                await asyncio.sleep(0.005)
                writer.transport.abort()
            await asyncio.to_thread(_send_mail, port)
    assert not [record for record in logs.records if record["level"] in {"error", "fatal"}]
    assert len(read_messages(tmp_path / "mail")) == 1


def test_an_address_in_use_ends_the_mailbox_with_one_line(tmp_path: Path) -> None:
    with mailbox._listen("127.0.0.1", 0) as taken:
        with pytest.raises(SystemExit, match=r"^cannot listen on 127\.0\.0\.1:\d+: "):
            mailbox._listen("127.0.0.1", taken.getsockname()[1])
