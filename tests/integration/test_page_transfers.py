"""Transfers between the engine of the app's page, under Node, and the peers of the command line."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.transfers.malicious_server import MaliciousServer
from support.transfers.peers import receive, send, tallow
from support.transfers.server import RunningServer, serving
from support.transfers.throttling_proxy import throttling_proxy
from support.web_app.headless_page import headless_page
from tallow.app.crypto.errors import (
    CancelledByPeerError,
    DeclinedError,
    KeyExchangeError,
)
from tallow.app.peer.link import Link
from tallow.monitoring.logging import configure, flush
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.testing import MemorySink

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

SIZE = 3_000_001
"""Not a multiple of a frame's payload."""
LARGE = 40_000_000


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    folder = tmp_path / "server"
    folder.mkdir()
    async with serving(folder) as running:
        yield running


@pytest.fixture
def logged() -> Iterator[MemorySink]:
    sink = MemorySink()
    configure(MonitoringSettings.load(), sinks=[sink])
    yield sink
    configure(MonitoringSettings.load())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sènt è.bin"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(LARGE))
    return path


async def test_a_page_sends_to_tallow_receive(
    server: RunningServer, file: Path, tmp_path: Path, logged: MemorySink
) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()
    async with headless_page("send", server.url, file, empty) as page:
        link = (await page.wait_for_event("link"))["link"]
        receiver = receive(Link.parse(link), tmp_path / "out")
        end = await page.end()
        await receiver.task
    assert end["state"] == "done"
    assert end["error"] is None
    assert (tmp_path / "out" / file.name).read_bytes() == file.read_bytes()
    assert (tmp_path / "out" / empty.name).read_bytes() == b""
    assert end["facts"]["transfers_total success relay"] == 1
    flush()
    records = [json.loads(line) for line in logged.lines]
    by_message = {record["message"]: record.get("correlation_id") for record in records}
    # The server's record, and the other peer's own.
    assert by_message["Relay paired"] == by_message["Connected"] == end["correlationId"]
    assert end["facts"]["bytes_transferred_total sent"] == SIZE
    assert end["facts"]["pqc_key_exchanges_total x25519_mlkem768 success"] == 1


async def test_tallow_send_sends_to_a_page(server: RunningServer, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    async with tallow("send", "--server", server.url, str(file), home=tmp_path) as sender:
        link = (await sender.wait_for_event("link"))["link"]
        async with headless_page("receive", link, out) as page:
            end = await page.end()
        assert await sender.wait() == 0
    assert end["state"] == "done"
    assert (out / file.name).read_bytes() == file.read_bytes()
    assert end["facts"]["bytes_transferred_total received"] == SIZE
    assert [path.name for path in out.iterdir()] == [file.name]


async def test_a_page_sends_a_text_to_a_page(server: RunningServer, tmp_path: Path) -> None:
    async with headless_page("send", server.url, "--text", "grüße\n") as sender:
        link = (await sender.wait_for_event("link"))["link"]
        async with headless_page("receive", link, tmp_path / "out") as receiver:
            text = await receiver.wait_for_event("text")
            ends = await receiver.end(), await sender.end()
    assert text["text"] == "grüße\n"
    assert [end["state"] for end in ends] == ["done", "done"]
    assert ends[0]["correlationId"] == ends[1]["correlationId"]
    assert not (tmp_path / "out").exists()


async def test_a_folder_arrives_at_a_page_with_safe_paths(server: RunningServer, tmp_path: Path) -> None:
    folder = tmp_path / "fold er"
    (folder / "empty").mkdir(parents=True)
    (folder / "CON.txt").write_text("a device")
    (folder / "que?ry").write_text("reserved")
    sender = await send(server.url, [folder])
    async with headless_page("receive", sender.link.text, tmp_path / "out") as page:
        end = await page.end()
        await sender.task
    assert end["state"] == "done"
    found = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*"))
    assert found == ["fold er", "fold er/_CON.txt", "fold er/empty", "fold er/que_ry"]


@pytest.mark.parametrize("page_sends", [True, False], ids=["page sends", "page receives"])
async def test_a_lost_connection_is_resumed(
    server: RunningServer, large: Path, tmp_path: Path, *, page_sends: bool
) -> None:
    out = tmp_path / "out"
    async with throttling_proxy(server.url) as proxy:
        proxy.rate = LARGE
        if page_sends:
            async with headless_page("send", proxy.url, large) as page:
                link = Link.parse((await page.wait_for_event("link"))["link"])
                receiver = receive(link, out, url=server.url)
                await receiver.wait_for_event("progress", times=2)
                proxy.abort_connections()
                end = await page.end()
                await receiver.task
        else:
            sender = await send(server.url, [large])
            link = Link(proxy.url, sender.link.room, sender.link.secret)
            async with headless_page("receive", link.text, out) as page:
                await sender.wait_for_event("progress", times=2)
                proxy.abort_connections()
                end = await page.end()
                await sender.task
    assert end["state"] == "done"
    assert {"event": "state", "state": "interrupted"} in page.events
    assert (out / large.name).read_bytes() == large.read_bytes()
    direction = "sent" if page_sends else "received"
    # What had arrived was not sent again; what was under way was.
    assert LARGE <= end["facts"][f"bytes_transferred_total {direction}"] < 2 * LARGE


@pytest.mark.proof
async def test_a_reloaded_page_continues_to_receive_where_it_was(
    server: RunningServer, large: Path, tmp_path: Path
) -> None:
    storage, out = tmp_path / "storage.json", tmp_path / "out"
    sender = await send(server.url, [large])
    async with throttling_proxy(server.url) as proxy:
        proxy.rate = LARGE
        link = Link(proxy.url, sender.link.room, sender.link.secret)
        arguments = ("receive", link.text, out, "--storage", storage)
        async with headless_page(*arguments) as page:
            await sender.wait_for_event("progress", times=3)
            page.process.kill()
        assert link.text in storage.read_text()
        async with headless_page(*arguments) as page:
            end = await page.end()
        await sender.task
    assert end["state"] == "done"
    assert (out / large.name).read_bytes() == large.read_bytes()
    assert 0 < end["facts"]["bytes_transferred_total received"] < LARGE
    assert storage.read_text() == "{}"  # the secret is erased


@pytest.mark.proof
async def test_a_reloaded_page_continues_to_send_the_same_files(
    server: RunningServer, large: Path, file: Path, tmp_path: Path
) -> None:
    storage, out = tmp_path / "storage.json", tmp_path / "out"
    async with throttling_proxy(server.url) as proxy:
        proxy.rate = LARGE
        async with headless_page("send", proxy.url, large, "--storage", storage) as page:
            link = Link.parse((await page.wait_for_event("link"))["link"])
            receiver = receive(link, out, url=server.url)
            await receiver.wait_for_event("progress", times=3)
            page.process.kill()
        async with headless_page("send", proxy.url, file, "--storage", storage, "--resume") as page:
            refused = await page.wait_for_event("refused")
            await page.command(f"choose {large}")
            end = await page.end()
        await receiver.task
    assert refused["problem"] == "other_files"
    assert end["state"] == "done"
    assert (out / large.name).read_bytes() == large.read_bytes()
    assert 0 < end["facts"]["bytes_transferred_total sent"] < LARGE
    assert storage.read_text() == "{}"


@pytest.mark.proof
async def test_two_pages_receive_from_one_link(server: RunningServer, file: Path, tmp_path: Path) -> None:
    arguments = ("send", "--server", server.url, "--receivers", "2", str(file))
    async with tallow(*arguments, home=tmp_path) as sender:
        link = (await sender.wait_for_event("link"))["link"]
        async with (
            headless_page("receive", link, tmp_path / "one") as one,
            headless_page("receive", link, tmp_path / "two") as two,
        ):
            ends = await one.end(), await two.end()
        assert await sender.wait() == 0
    assert [end["state"] for end in ends] == ["done", "done"]
    assert ends[0]["correlationId"] != ends[1]["correlationId"]
    for folder in ("one", "two"):
        assert (tmp_path / folder / file.name).read_bytes() == file.read_bytes()


async def test_a_page_that_cancels_tells_the_receiver(
    server: RunningServer, large: Path, tmp_path: Path
) -> None:
    async with throttling_proxy(server.url) as proxy:
        proxy.rate = LARGE
        async with headless_page("send", proxy.url, large) as page:
            link = Link.parse((await page.wait_for_event("link"))["link"])
            receiver = receive(link, tmp_path / "out", url=server.url)
            await receiver.wait_for_event("progress", times=2)
            await page.command("cancel")
            end = await page.end()
            error = await receiver.wait_for_error()
    assert (end["state"], end["error"]) == ("cancelled", None)
    assert isinstance(error, CancelledByPeerError)
    assert error.authenticated
    assert list((tmp_path / "out").iterdir()) == []


async def test_a_page_learns_that_a_signal_ends_the_sender(
    server: RunningServer, file: Path, tmp_path: Path
) -> None:
    async with tallow("send", "--server", server.url, str(file), home=tmp_path) as sender:
        link = (await sender.wait_for_event("link"))["link"]
        async with headless_page("receive", link, tmp_path / "out", "--ask") as page:
            await page.wait_for_state("confirming")
            sender.process.send_signal(signal.SIGINT)
            end = await page.end()
    assert (end["state"], end["error"]) == ("cancelled", {"code": "peer_stopped", "side": "other"})
    assert not (tmp_path / "out").exists()


STOPPED = {"code": "peer_stopped", "side": "other"}


@pytest.mark.proof
async def test_a_page_goes_on_receiving_from_a_sender_that_was_stopped(
    server: RunningServer, large: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    sending = ("send", "--server", server.url, "--relay", "--limit", "10M", str(large))
    async with tallow(*sending, home=tmp_path / "s") as sender:
        link = (await sender.wait_for_event("link"))["link"]
        async with headless_page("receive", link, out, "--stay") as page:
            await sender.wait_for_event("progress")
            sender.process.send_signal(signal.SIGINT)
            stopped = await page.end()
            await sender.wait()
            async with tallow("send", "--resume", home=tmp_path / "s") as resumed:
                await page.command("resume")
                end = await page.end()
                assert await resumed.wait() == 0
    assert (stopped["state"], stopped["error"]) == ("cancelled", STOPPED)
    assert end["state"] == "done"
    assert (out / large.name).read_bytes() == large.read_bytes()
    assert server.value("transfers_total", status="cancelled", method="relay") == 1
    assert server.value("transfers_total", status="success", method="relay") == 0  # counted once


@pytest.mark.proof
async def test_a_page_goes_on_sending_to_a_receiver_that_was_stopped(
    server: RunningServer, large: Path, tmp_path: Path
) -> None:
    receiving = ("receive", "--relay", "-o", str(tmp_path / "out"))
    async with throttling_proxy(server.url) as proxy:
        proxy.rate = LARGE / 4
        async with headless_page("send", proxy.url, large, "--stay") as page:
            link = (await page.wait_for_event("link"))["link"].replace(proxy.url, server.url)
            async with tallow(*receiving, home=tmp_path / "r", given=link) as receiver:
                await receiver.wait_for_event("progress")
                receiver.process.send_signal(signal.SIGTERM)
                stopped = await page.end()
                await receiver.wait()
            async with tallow(*receiving, home=tmp_path / "r", given=link) as receiver:
                await page.command("resume")
                end = await page.end()
                assert await receiver.wait() == 0
    # The receiver's own abort, or the server's report of it, whichever comes first.
    assert (stopped["state"], stopped["error"]["code"]) == ("cancelled", "peer_stopped")
    assert stopped["facts"]["transfers_total cancelled relay"] == 1
    assert end["state"] == "done"
    assert "transfers_total success relay" not in end["facts"]  # counted once
    assert (tmp_path / "out" / large.name).read_bytes() == large.read_bytes()


async def test_a_page_that_declines_tells_the_sender(
    server: RunningServer, file: Path, tmp_path: Path
) -> None:
    sender = await send(server.url, [file])
    async with headless_page("receive", sender.link.text, tmp_path / "out", "--decline") as page:
        end = await page.end()
    assert isinstance(await sender.wait_for_error(), DeclinedError)
    assert end["state"] == "cancelled"


async def test_a_page_that_waits_for_its_person_says_so_to_the_sender(
    server: RunningServer, file: Path, tmp_path: Path
) -> None:
    sender = await send(server.url, [file])
    async with headless_page("receive", sender.link.text, tmp_path / "out", "--ask") as page:
        await page.wait_for_state("confirming")
        await sender.wait_for_event("confirming")
        await page.command("accept")
        end = await page.end()
        await sender.task
    assert end["state"] == "done"


@pytest.mark.proof
async def test_a_page_names_a_mistyped_link(server: RunningServer, file: Path, tmp_path: Path) -> None:
    sender = await send(server.url, [file])
    # The server knows the join token's hash only: the room of another secret is joined by its token.
    wrong = Link(server.url, sender.link.room, bytes(16))
    async with headless_page("receive", wrong.text, tmp_path / "out") as page:
        end = await page.end()
    sender.task.cancel()
    await sender.wait_for_error()
    assert (end["state"], end["error"]) == ("failed", {"code": "unknown_room", "side": "server"})


async def test_a_server_that_changes_the_key_exchange_is_detected(file: Path, tmp_path: Path) -> None:
    attack = MaliciousServer()

    def flip(message: bytes) -> list[bytes]:
        """Change the receiver's X25519 key in its reply."""
        return [message[:2] + bytes([message[2] ^ 1]) + message[3:] if message[0] == 2 else message]

    attack.from_receiver = flip
    folder = tmp_path / "server"
    folder.mkdir()
    async with serving(folder, wrap=attack.wrap) as server:
        sender = await send(server.url, [file])
        async with headless_page("receive", sender.link.text, tmp_path / "out") as page:
            end = await page.end()
        error = await sender.wait_for_error()
    assert isinstance(error, KeyExchangeError)
    assert end["error"]["code"] == "key_exchange"
    assert not (tmp_path / "out").exists()


async def test_a_server_that_changes_a_frame_is_detected(file: Path, tmp_path: Path) -> None:
    attack = MaliciousServer()
    attack.from_sender = lambda message: [
        message[:-1] + bytes([message[-1] ^ 1]) if message[0] == 18 else message
    ]
    folder = tmp_path / "server"
    folder.mkdir()
    async with serving(folder, wrap=attack.wrap) as server:
        sender = await send(server.url, [file])
        async with headless_page("receive", sender.link.text, tmp_path / "out") as page:
            end = await page.end()
        await sender.wait_for_error()
    assert (end["state"], end["error"]) == ("failed", {"code": "modified", "side": "here"})
    assert not (tmp_path / "out" / file.name).exists()
    assert not any(file.name.encode() in seen for seen in attack.seen)


async def test_no_byte_of_the_secret_reaches_the_server_from_a_page(file: Path, tmp_path: Path) -> None:
    listening = MaliciousServer()
    folder = tmp_path / "server"
    folder.mkdir()
    async with serving(folder, wrap=listening.wrap) as server:
        async with headless_page("send", server.url, file) as page:
            link = Link.parse((await page.wait_for_event("link"))["link"])
            receiver = receive(link, tmp_path / "out")
            assert (await page.end())["state"] == "done"
            await receiver.task
    secret = link.text.rpartition(".")[2].encode()
    assert len(listening.seen) > 10
    assert not any(secret in seen or link.secret in seen for seen in listening.seen)
