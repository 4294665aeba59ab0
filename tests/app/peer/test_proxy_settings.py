"""`tallow send` and `tallow receive` with proxy settings of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.http_proxy import HOST, proxying
from support.transfers.peers import tallow
from support.transfers.server import serving

pytestmark = pytest.mark.slow

UNUSABLE = {
    "ALL_PROXY": "socks://127.0.0.1:1080/",
    "all_proxy": "socks://127.0.0.1:1080/",
    "NO_PROXY": "[::1",
}
"""GNOME's settings, and a malformed entry."""


@pytest.mark.parametrize(
    ("environment", "warnings"),
    [
        (UNUSABLE, 1),
        (
            {
                "NO_PROXY": "[::1],fe80::/10",
                "http_proxy": "127.0.0.1:1",
                "ALL_PROXY": "socks5h://127.0.0.1:1",
            },
            0,
        ),
    ],
    ids=["unusable", "usable"],
)
async def test_a_transfer_on_this_machine_ignores_proxy_settings(
    tmp_path: Path, environment: dict[str, str], warnings: int
) -> None:
    (tmp_path / "note.txt").write_text("hello")
    async with serving(tmp_path) as server:
        arguments = ("send", str(tmp_path / "note.txt"), "--server", server.url, "--relay")
        async with tallow(*arguments, home=tmp_path / "sender", **environment) as sender:
            link = (await sender.wait_for_event("link"))["link"]
            receive = ("receive", "-o", str(tmp_path / "got"), "--relay")
            async with tallow(*receive, home=tmp_path / "receiver", given=link, **environment) as receiver:
                assert await receiver.wait() == 0, await receiver.read_stderr()
            assert await sender.wait() == 0, await sender.read_stderr()
    assert (tmp_path / "got" / "note.txt").read_text() == "hello"
    for side in (sender, receiver):
        messages = [event["message"] for event in side.events if event["event"] == "warning"]
        assert len(messages) == warnings
        assert all("all_proxy" in line and "NO_PROXY" in line for line in messages)
        assert await side.read_stderr() == ""


async def test_a_server_is_reached_through_a_proxy(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("hello")
    async with serving(tmp_path) as server:
        with proxying(int(server.url.rpartition(":")[2]), login="me:hunter2") as proxy:
            environment = {"all_proxy": f"http://me:hunter2@127.0.0.1:{proxy.port}"}
            arguments = (
                "send",
                str(tmp_path / "note.txt"),
                "--server",
                f"http://{HOST}",
                "--insecure",
                "--relay",
            )
            async with tallow(*arguments, home=tmp_path / "sender", **environment) as sender:
                link = (await sender.wait_for_event("link"))["link"]
                receive = ("receive", "-o", str(tmp_path / "got"), "--relay")
                async with tallow(
                    *receive, home=tmp_path / "receiver", given=link, **environment
                ) as receiver:
                    assert await receiver.wait() == 0, await receiver.read_stderr()
                assert await sender.wait() == 0, await sender.read_stderr()
    assert (tmp_path / "got" / "note.txt").read_text() == "hello"
    assert f"POST http://{HOST}/api/rooms HTTP/1.1" in proxy.requests
    assert f"CONNECT {HOST}:80 HTTP/1.1" in proxy.requests


async def test_an_error_names_the_proxy_that_may_have_answered(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("hello")
    arguments = ("send", str(tmp_path / "note.txt"), "--server", f"http://{HOST}", "--insecure")
    with proxying(1, "bad gateway") as proxy:
        async with tallow(*arguments, home=tmp_path, http_proxy=proxy.address) as sender:
            assert await sender.wait() == 3
        expected = f"cannot create rooms now (it answers 502 through the proxy {proxy.address})"
    (error,) = [event for event in sender.events if event["event"] == "error"]
    assert expected in error["message"]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (None, "the proxy {} cannot be reached"),
        ("works", "the proxy {} answers 407"),
    ],
)
async def test_a_proxy_that_fails_is_named_without_its_password(
    tmp_path: Path, behaviour: str | None, reason: str
) -> None:
    (tmp_path / "note.txt").write_text("hello")
    arguments = ("send", str(tmp_path / "note.txt"), "--server", f"https://{HOST}")
    with proxying(1, login="me:right") as proxy:
        port = 1 if behaviour is None else proxy.port
        environment = {"all_proxy": f"http://me:hunter2@127.0.0.1:{port}"}
        async with tallow(*arguments, home=tmp_path, **environment) as sender:
            assert await sender.wait() == 3
            errors = await sender.read_stderr()
    (error,) = [event for event in sender.events if event["event"] == "error"]
    assert reason.format(f"http://127.0.0.1:{port}") in error["message"]
    assert "hunter2" not in f"{sender.events}{errors}"
    assert "Traceback" not in errors
