"""`tallow send --receivers N`: several receivers of one link, each with a transfer of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from support.transfers.peers import PeerProcess, tallow
from support.transfers.server import RunningServer

pytestmark = pytest.mark.slow

SIZE = 300_000


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    for name in ("one.bin", "two.bin"):
        (folder / name).write_bytes(os.urandom(SIZE))
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def transfers(server: RunningServer) -> dict[str, float]:
    found = {
        status: sum(
            server.value("transfers_total", status=status, method=method) for method in ("p2p", "relay")
        )
        for status in ("success", "failed", "cancelled")
    }
    return {status: count for status, count in found.items() if count}


def ends(peer: PeerProcess) -> Counter[str]:
    return Counter(event["event"] for event in peer.events if "finished" in event["event"])


def state_files(tmp_path: Path) -> list[Path]:
    folders = (tmp_path / home / "state" for home in "sr")
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


async def exit_status(peer: PeerProcess) -> tuple[int, str]:
    """The status, and what the command says about a failure."""
    status = await peer.wait()
    problems = [event["message"] for event in peer.events if event["event"] == "error"]
    return status, await peer.read_stderr() + "".join(problems)


async def test_several_receivers_at_once(server: RunningServer, album: Path, tmp_path: Path) -> None:
    """Of one user, whose programs share a folder for their state, into one folder and into others."""
    sending = ("send", "--server", server.url, "--receivers", "3", str(album))
    async with tallow(*sending, home=tmp_path / "s") as sender, AsyncExitStack() as stack:
        link = (await sender.wait_for_event("link"))["link"]
        outs = [tmp_path / "out" / name for name in ("a", "a", "b")]
        receivers = [
            await stack.enter_async_context(
                tallow("receive", "-o", str(out), home=tmp_path / "r", given=link)
            )
            for out in outs
        ]
        for peer in (*receivers, sender):
            assert await exit_status(peer) == (0, "")
        async with tallow("receive", "-o", str(outs[0]), home=tmp_path / "r", given=link) as late:
            assert "has expired" in (await late.wait_for_event("error"))["message"]
            await late.wait()
    expected = content(album)
    assert content(tmp_path / "out" / "b") == expected
    assert sorted(content(tmp_path / "out" / "a").values()) == sorted([*expected.values()] * 2)
    assert transfers(server) == {"success": 3}
    assert server.value("transfers_started_total") == 3
    assert server.value("active_transfers") == 0
    assert server.value("pqc_key_exchanges_total", algorithm="x25519_mlkem768", status="success") == 6
    assert ends(sender) == {"receiver_finished": 3, "finished": 1}
    assert state_files(tmp_path) == []


async def test_one_receiver_after_the_other(server: RunningServer, album: Path, tmp_path: Path) -> None:
    sending = ("send", "--server", server.url, "--relay", "--receivers", "2", str(album))
    async with tallow(*sending, home=tmp_path / "s") as sender:
        link = (await sender.wait_for_event("link"))["link"]
        for number in (1, 2):
            out = tmp_path / f"out{number}"
            async with tallow("receive", "-o", str(out), home=tmp_path / "r", given=link) as receiver:
                assert await exit_status(receiver) == (0, "")
            assert content(out) == content(album)
            await sender.wait_for_event("receiver_finished")
        assert await exit_status(sender) == (0, "")
    assert transfers(server) == {"success": 2}
    assert len(server.context.rooms.places) == 0


async def test_a_receiver_that_cancels_ends_its_transfer_only(server: RunningServer, tmp_path: Path) -> None:
    large = tmp_path / "film.mp4"
    with large.open("wb") as file:
        file.truncate(30_000_000)
    sending = ("send", "--server", server.url, "--limit", "10M", "--receivers", "2", str(large))
    async with tallow(*sending, home=tmp_path / "s") as sender, AsyncExitStack() as stack:
        link = (await sender.wait_for_event("link"))["link"]
        first, second = [
            await stack.enter_async_context(
                tallow("receive", "-o", str(tmp_path / name), home=tmp_path / name, given=link)
            )
            for name in ("a", "b")
        ]
        await first.wait_for_event("progress")
        first.process.send_signal(signal.SIGINT)
        assert (await exit_status(first))[0] == 130
        assert await exit_status(second) == (0, "")
        assert (await exit_status(sender))[0] == 1
    assert any("1 of 2 receivers" in event.get("message", "") for event in sender.events)
    assert (tmp_path / "b" / "film.mp4").stat().st_size == 30_000_000
    assert transfers(server) == {"success": 1, "cancelled": 1}


async def receive_until_killed(link: str, out: Path, home: Path) -> None:
    async with tallow("receive", "-o", str(out), home=home, given=link) as receiver:
        await receiver.wait_for_event(lambda event: event["event"] == "progress" and event["bytes"] > 500_000)
        receiver.process.kill()


async def receive_the_rest(link: str, out: Path, home: Path) -> int:
    """Receive to the end; returns the bytes that were there before."""
    async with tallow("receive", "-o", str(out), home=home, given=link) as receiver:
        assert await exit_status(receiver) == (0, "")
    return next(int(event["bytes"]) for event in receiver.events if event["event"] == "progress")


async def test_each_interrupted_receiver_resumes(server: RunningServer, tmp_path: Path) -> None:
    """Sender and receivers are killed while data flows, and started again."""
    large, outs, home = tmp_path / "film.mp4", (tmp_path / "a", tmp_path / "b"), tmp_path / "r"
    large.write_bytes(os.urandom(40_000_000))
    sending = ("send", "--server", server.url, "--limit", "2M", "--receivers", "2", str(large))
    async with tallow(*sending, home=tmp_path / "s") as sender:
        link = (await sender.wait_for_event("link"))["link"]
        for out in outs:
            await receive_until_killed(link, out, home)
        sender.process.kill()
    async with tallow("send", "--resume", home=tmp_path / "s") as sender:
        kept = await asyncio.gather(*(receive_the_rest(link, out, home) for out in outs))
        assert await exit_status(sender) == (0, "")
    assert min(kept) > 400_000  # the last received bytes may not have been on the disk
    assert [content(out) for out in outs] == [{large.name: large.read_bytes()}] * 2
    assert transfers(server) == {"success": 2}


@pytest.mark.parametrize("number", ["0", "21", "-1", "two", "1.5"])
async def test_a_wrong_number_is_refused_in_one_line(tmp_path: Path, number: str) -> None:
    async with tallow("send", "--receivers", number, str(tmp_path), home=tmp_path / "s") as sender:
        status, text = await exit_status(sender)
    assert status == 2
    assert "--receivers" in text
    assert "Traceback" not in text
