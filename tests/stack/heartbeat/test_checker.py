"""The checker as a process on loopback, with webhook requests and fake receivers."""

from __future__ import annotations

import asyncio
import html
import os
import re
import shlex
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from support.http_proxy import HOST
from tallow.stack.alerts import RULES
from tallow.stack.drill.receivers import serve
from tallow.stack.drill.receivers.message import ReceivedMessage
from tallow.stack.drill.receivers.receiver_set import ReceiverSet, running_receivers
from tallow.stack.heartbeat.state import HeartbeatState
from tallow.stack.mailbox import server as mailbox
from tallow.stack.mailbox.reader import read_messages
from tallow.stack.prometheus import USER

pytestmark = pytest.mark.slow

SCALE = 1 / 150
"""The checker notifies after two seconds without a beat."""


Login = tuple[str, str]
LOGIN: Login = (USER, "a password of this test")


def beat(status: str = "firing", alert: str = "Watchdog") -> dict[str, Any]:
    return {"version": "4", "status": status, "alerts": [{"status": status, "labels": {"alertname": alert}}]}


@dataclass(frozen=True)
class Checker:
    url: str

    async def post(self, body: Any, auth: Login | None = LOGIN, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(auth=auth) as client:
            return await client.post(f"{self.url}/heartbeat", json=body, headers=headers)

    async def get(self, path: str, auth: Login | None = LOGIN, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(auth=auth) as client:
            return await client.get(self.url + path, headers=headers)


@asynccontextmanager
async def run_checker(
    folder: Path, receivers: ReceiverSet | None = None, options: Sequence[str] = (), **more: str
) -> AsyncIterator[Checker]:
    """A checker in its own process, with the settings of a receiver set."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    given = receivers.settings.model_dump(exclude_none=True) if receivers else {}
    secrets = {name: getattr(value, "get_secret_value", lambda v=value: v)() for name, value in given.items()}
    environment = {name.upper(): str(value) for name, value in secrets.items()}
    (folder / "password").write_text(LOGIN[1])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tallow.stack.heartbeat", f"--port={port}", f"--folder={folder}"),
        f"--password-file={folder / 'password'}",
        *(f"--scale={SCALE}", f"--pagerduty={receivers.pagerduty if receivers else ''}", "--mark=DRILL"),
        *options,
        env=os.environ | environment | more,
        cwd=folder,
    )
    checker = Checker(f"http://127.0.0.1:{port}")
    try:
        await wait_until(lambda: reachable(port))
        yield checker
    finally:
        process.terminate()
        await process.wait()


def reachable(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


async def wait_until(done: Callable[[], bool]) -> None:
    """Wait for a condition; the test's timeout ends the wait."""
    while not done():
        await asyncio.sleep(0.02)


@pytest.fixture
async def receivers() -> AsyncIterator[ReceiverSet]:
    async with running_receivers() as opened:
        yield opened


def channels(receivers: ReceiverSet, *, firing: bool) -> set[str]:
    return {message.channel for message in receivers.inbox.messages if message.firing == firing}


def reported_by(receivers: ReceiverSet, words: str) -> set[str]:
    """The channels that received a message with these words in its subject."""
    return {message.channel for message in receivers.inbox.messages if words in message.subject}


def message(receivers: ReceiverSet, words: str) -> ReceivedMessage:
    return next(message for message in receivers.inbox.messages if words in message.subject)


EVERYWHERE = {"email", "slack", "pagerduty"}


async def test_missing_heartbeat_notifies_every_channel_and_a_beat_resolves_it(
    tmp_path: Path, receivers: ReceiverSet
) -> None:
    async with run_checker(tmp_path, receivers) as checker:
        assert (await checker.post(beat())).status_code == 200
        await wait_until(lambda: channels(receivers, firing=True) == EVERYWHERE)
        await checker.post(beat())
        await wait_until(lambda: channels(receivers, firing=False) == EVERYWHERE)
    assert receivers.inbox.rejections == []
    first = receivers.inbox.messages[0]
    assert "DRILL" in first.subject
    assert "/runbooks/Watchdog" in first.text
    keys = {message.dedup_key for message in receivers.inbox.messages if message.channel == "pagerduty"}
    assert keys == {"tallow-heartbeat"}
    mails = {message.target for message in receivers.inbox.messages if message.channel == "email"}
    assert mails == {"critical@drill.invalid"}


async def test_resolved_watchdog_notifies_at_once(tmp_path: Path, receivers: ReceiverSet) -> None:
    async with run_checker(tmp_path, receivers) as checker:
        await checker.post(beat())
        await checker.post(beat("resolved"))
        await wait_until(lambda: channels(receivers, firing=True) == EVERYWHERE)
    assert "Watchdog is resolved" in receivers.inbox.messages[0].text


async def test_delivery_is_retried_until_the_channel_works(tmp_path: Path, receivers: ReceiverSet) -> None:
    await receivers.close_slack()
    async with run_checker(tmp_path, receivers) as checker:
        await wait_until(lambda: channels(receivers, firing=True) == {"email", "pagerduty"})
        status = (await checker.get("/status")).json()
        assert status["state"] == "missing"
        await wait_until((tmp_path / "heartbeat.json").exists)
        await receivers.open_slack()
        await wait_until(lambda: channels(receivers, firing=True) == EVERYWHERE)


async def test_other_channels_and_the_page_report_a_failing_channel_and_its_recovery(
    tmp_path: Path, receivers: ReceiverSet
) -> None:
    await receivers.close_slack()
    async with run_checker(tmp_path, receivers) as checker:
        await wait_until(lambda: reported_by(receivers, "cannot deliver by slack") == {"email", "pagerduty"})
        assert "slack: cannot be reached." in message(receivers, "cannot deliver by slack").text
        assert (await checker.get("/status")).json()["undelivered"] == {"slack": "cannot be reached"}
        page = (await checker.get("/")).text
        assert "<dt>Not delivered by slack</dt><dd>cannot be reached</dd>" in page
        await receivers.open_slack()
        await wait_until(lambda: reported_by(receivers, "delivers by slack again") == {"email", "pagerduty"})
        assert (await checker.get("/status")).json()["undelivered"] == {}
    assert receivers.inbox.rejections == []
    keys = {one.dedup_key for one in receivers.inbox.messages if "by slack" in one.subject and one.dedup_key}
    assert keys == {"tallow-heartbeat-slack"}


async def test_unexpected_exception_is_survived_and_reported(tmp_path: Path, receivers: ReceiverSet) -> None:
    """A mail server whose challenge is not base64, so that smtplib raises a ValueError."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            reply = {b"ehlo": b"250-here\r\n250 AUTH CRAM-MD5\r\n", b"AUTH": b"334 x\r\n"}
            writer.write(reply.get(line[:4], b"250 ok\r\n"))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, run_checker(tmp_path, receivers, SMTP_PORT=str(port)) as checker:
        await wait_until(lambda: reported_by(receivers, "cannot deliver by email") == {"slack", "pagerduty"})
        assert "unexpected error: Error at base64.py" in message(receivers, "cannot deliver by email").text
        assert "unexpected error" in (await checker.get("/")).text
        assert (await checker.post(beat())).status_code == 200
        await wait_until(lambda: channels(receivers, firing=False) == {"slack", "pagerduty"})


DESKTOP = {"ALL_PROXY": "socks://127.0.0.1:1080/", "NO_PROXY": "[::1", "http_proxy": "127.0.0.1:1"}


@pytest.mark.parametrize("environment", [DESKTOP, {"no_proxy": "fe80::/10"}, {"NO_PROXY": "[::1]"}], ids=str)
async def test_desktop_proxy_settings_do_not_prevent_notifications(
    tmp_path: Path, receivers: ReceiverSet, environment: dict[str, str]
) -> None:
    async with run_checker(tmp_path, receivers, **environment) as checker:
        await wait_until(lambda: channels(receivers, firing=True) == EVERYWHERE)
        passed_over = (await checker.get("/status")).json()["proxy_settings"]
        page = (await checker.get("/")).text
    assert len(passed_over) == (2 if environment is DESKTOP else 0)
    assert ("ALL_PROXY: the scheme socks" in page) == (environment is DESKTOP)


async def test_failing_proxy_is_reported_by_other_channels_and_on_the_page(
    tmp_path: Path, receivers: ReceiverSet
) -> None:
    environment = {
        "SLACK_WEBHOOK_URL": f"http://{HOST}/services/T/B/x",
        "http_proxy": "http://me:hunter2@127.0.0.1:1",
        "all_proxy": "socks://127.0.0.1:1080/",
    }
    async with run_checker(tmp_path, receivers, **environment) as checker:
        await wait_until(lambda: reported_by(receivers, "cannot deliver by slack") == {"email", "pagerduty"})
        text = message(receivers, "cannot deliver by slack").text
        page = (await checker.get("/")).text
    reason = "the proxy http://127.0.0.1:1 cannot be reached"
    assert f"slack: {reason}." in text
    assert "all_proxy: the scheme socks" in text
    assert reason in page
    assert "hunter2" not in f"{page}{receivers.inbox.messages}"


async def test_failing_external_switch_is_reported_by_every_channel(
    tmp_path: Path, receivers: ReceiverSet
) -> None:
    async with run_checker(tmp_path, receivers, HEARTBEAT_URL="http://127.0.0.1:1/ping/secret") as checker:

        async def beat_until_reported() -> bool:
            await checker.post(beat())
            return reported_by(receivers, "cannot deliver by HEARTBEAT_URL") == EVERYWHERE

        while not await beat_until_reported():
            await asyncio.sleep(0.2)
        status = (await checker.get("/status")).json()
        page = (await checker.get("/")).text
    assert (status["outside"], status["undelivered"]) == ("cannot be reached", {})
    assert "<dt>External switch</dt><dd>cannot be reached</dd>" in page
    assert "secret" not in f"{page}{receivers.inbox.messages}"


async def test_restart_repeats_no_notification(tmp_path: Path, receivers: ReceiverSet) -> None:
    async with run_checker(tmp_path, receivers):
        await wait_until(lambda: channels(receivers, firing=True) == EVERYWHERE)
        await wait_until(lambda: (state := HeartbeatState.read(tmp_path)) is not None and not state.to_notify)
    before = len(receivers.inbox.messages)
    async with run_checker(tmp_path, receivers) as checker:
        await asyncio.sleep(1)
        assert len(receivers.inbox.messages) == before
        await checker.post(beat())
        await wait_until(lambda: channels(receivers, firing=False) == EVERYWHERE)
    assert sum(not message.firing for message in receivers.inbox.messages) == 3


async def test_each_beat_is_forwarded(tmp_path: Path) -> None:
    seen: list[str] = []

    async def ping(request: Request) -> Response:
        seen.append(request.method)
        return Response()

    switch = Starlette(routes=[Route("/ping/secret", ping)])
    async with serve.serving(switch) as port:
        (tmp_path / "url").write_text(f"http://127.0.0.1:{port}/ping/secret\n")
        async with run_checker(tmp_path, HEARTBEAT_URL_FILE=str(tmp_path / "url")) as checker:
            await checker.post(beat())
            await wait_until(lambda: len(seen) == 1)
            await checker.post(beat())
            await wait_until(lambda: len(seen) == 2)
            assert (await checker.get("/status")).json()["outside"] == "ok"
            page = (await checker.get("/")).text
            assert "receives every heartbeat" in page
            assert "secret" not in page


@pytest.mark.parametrize("body", [beat(alert="ServiceDown"), beat("paused"), [], {"alerts": [1]}, {}])
async def test_other_requests_are_not_a_heartbeat(tmp_path: Path, body: Any) -> None:
    async with run_checker(tmp_path) as checker:
        assert (await checker.post(body)).status_code == 400
        assert (await checker.get("/status")).json()["state"] == "waiting"


async def test_form_of_another_site_is_not_a_heartbeat(tmp_path: Path) -> None:
    async with run_checker(tmp_path) as checker:
        assert (await checker.post(beat(), origin="https://evil.example")).status_code == 403
        assert (await checker.post(beat(), host="evil.example")).status_code == 403
        assert (await checker.post(beat(), LOGIN, **{"content-type": "text/plain"})).status_code == 415
        assert (await checker.get("/status")).json()["state"] == "waiting"


async def test_runbook_uses_addresses_and_folder_of_its_stack(tmp_path: Path) -> None:
    home = tmp_path / "it's home"
    options = ["--port-offset=10000", f"--home={home}"]
    async with run_checker(tmp_path, options=options) as checker:
        pages = {
            name: html.unescape((await checker.get(f"/runbooks/{name}")).text)
            for name in ("ServiceDown", "NoActiveConnections", "Watchdog")
        }
    for page in pages.values():
        assert f"export TALLOW_HOME={shlex.quote(str(home))}\n" in page
        assert '<a href="http://localhost:13001/d/tallow-overview' in page
        assert not re.search(r"localhost:(3000|3001|9095)\b", page)
    assert "http://localhost:13000/" in pages["NoActiveConnections"]
    assert "curl -sS -m 5 http://localhost:19095/" in pages["Watchdog"]


async def test_runbooks_of_a_default_stack_are_the_committed_ones(tmp_path: Path) -> None:
    async with run_checker(tmp_path) as checker:
        page = html.unescape((await checker.get("/runbooks/NoActiveConnections")).text)
    assert "TALLOW_HOME" not in page
    assert "http://localhost:3000/" in page


async def test_message_names_its_stack(tmp_path: Path, receivers: ReceiverSet) -> None:
    home = tmp_path / "home"
    options = ["--dashboards=http://localhost:13001", f"--home={home}"]
    async with run_checker(tmp_path, receivers, options=options) as checker:
        await wait_until(lambda: channels(receivers, firing=True) == EVERYWHERE)
    port = checker.url.rpartition(":")[2]
    for message in receivers.inbox.messages:
        assert f"http://localhost:{port}/runbooks/Watchdog" in message.text
        assert "http://localhost:13001/d/tallow-overview" in message.text
        assert f"status --home {home}" in message.text


@pytest.mark.parametrize(
    "path", ["/", "/status", "/runbooks/", "/runbooks/Watchdog", "/style.css", "/nothing"]
)
async def test_every_page_requires_the_password(tmp_path: Path, path: str) -> None:
    async with run_checker(tmp_path) as checker:
        for auth in (None, (USER, "another password"), (USER, ""), ("root", LOGIN[1]), ("", LOGIN[1])):
            answer = await checker.get(path, auth)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Basic realm=")
        for header in (
            "Bearer x",
            "Basic",
            "Basic %%%",
            "Basic dGFsbG93",
            "Basic \u00e4",
            f"Basic {'A' * 4000}",
        ):
            raw = {"authorization": header.encode("latin-1")}
            assert (await checker.get(path, None, **raw)).status_code == 401  # type: ignore[arg-type]
        assert (await checker.get(path)).status_code in {200, 404}
        assert (await checker.get("/healthz", None)).status_code == 200


async def test_beat_without_password_is_refused(tmp_path: Path) -> None:
    async with run_checker(tmp_path) as checker:
        assert (await checker.post(beat(), None)).status_code == 401
        assert (await checker.get("/status")).json()["state"] == "waiting"


async def test_rotated_password_applies_at_once_and_an_empty_file_refuses_all(tmp_path: Path) -> None:
    async with run_checker(tmp_path) as checker:
        (tmp_path / "password").write_text("rotated\n")
        assert (await checker.get("/status")).status_code == 401
        assert (await checker.get("/status", (USER, "rotated"))).status_code == 200
        (tmp_path / "password").write_text("\n")
        assert (await checker.get("/status", (USER, ""))).status_code == 503
        (tmp_path / "password").unlink()
        assert (await checker.get("/status", (USER, "rotated"))).status_code == 503
        assert (await checker.get("/healthz", None)).status_code == 200


async def test_mailbox_accepts_the_checkers_messages(tmp_path: Path) -> None:
    """While no SMTP server is set."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    (tmp_path / "password").write_text(LOGIN[1])
    serving = asyncio.create_task(mailbox.serve(tmp_path / "mail", tmp_path / "password", "127.0.0.1", port))
    try:
        async with run_checker(tmp_path, options=[f"--mailbox=127.0.0.1:{port}"]) as checker:
            await wait_until(lambda: bool(read_messages(tmp_path / "mail")))
            assert (await checker.get("/status")).json()["undelivered"] == {}
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    assert "No heartbeat" in read_messages(tmp_path / "mail")[0].subject


async def test_every_runbook_is_listed(tmp_path: Path) -> None:
    async with run_checker(tmp_path) as checker:
        assert 'href="/runbooks/"' in (await checker.get("/")).text
        listed = re.findall(r'href="(/runbooks/\w+)"', (await checker.get("/runbooks/")).text)
        assert listed == sorted(f"/runbooks/{name}" for name in RULES)
        assert (await checker.get(listed[-1])).status_code == 200


async def test_unknown_runbook_is_not_found(tmp_path: Path) -> None:
    async with run_checker(tmp_path) as checker:
        assert (await checker.get("/runbooks/NoSuchAlert")).status_code == 404
        assert (await checker.get("/runbooks/..%2F..%2FREADME")).status_code == 404
