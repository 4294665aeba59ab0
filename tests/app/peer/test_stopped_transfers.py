"""A signal at any stage, on either side: the other side ends, nothing is left, and the transfer resumes."""

from __future__ import annotations

import asyncio
import os
import signal
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from support.transfers.peers import PeerProcess, tallow
from support.transfers.server import RunningServer
from tallow.app.files.names import PARTIAL

STAGES = {
    "preparing": "sender",
    "connecting": "sender",
    "handshake": "sender",
    "confirming": "receiver",
    "transferring": "sender",
    "verifying": "receiver",
    "finishing": "sender",
}
"""The stages, and the side that stays there."""
SIGNALS = {"INT": signal.SIGINT, "TERM": signal.SIGTERM, "HUP": signal.SIGHUP}
SELECTED = {("handshake", "sender", "HUP"), ("transferring", "receiver", "TERM")}
"""The others are part of the proof: each case starts four programs."""
OTHER_SIDE_S = 60
"""Enough on a busy machine. The program's own limit is two seconds."""


def cases() -> list[Any]:
    found = []
    for case in product(STAGES, ("sender", "receiver"), SIGNALS):
        marks = pytest.mark.slow if case in SELECTED else pytest.mark.proof
        found.append(pytest.param(*case, marks=marks, id="-".join(case)))
    return found


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    for name in ("one.bin", "two.bin"):
        (folder / name).write_bytes(os.urandom(600_000))
    return folder


def left_behind(tmp_path: Path) -> list[str]:
    """Temporary folders of both sides, and incomplete files."""
    temporary = [path for home in ("s", "r") for path in (tmp_path / home / "tmp").iterdir()]
    return [str(path) for path in [*temporary, *(tmp_path / "out").rglob(f"*{PARTIAL}")]]


async def stop(peer: PeerProcess, other: PeerProcess, wanted: signal.Signals) -> None:
    """Send a signal to one side, and wait for the end of both."""
    peer.process.send_signal(wanted)
    async with asyncio.timeout(OTHER_SIDE_S):
        statuses = (await peer.wait(), await other.wait())
    assert statuses == (130, 1)
    assert [await each.read_stderr() for each in (peer, other)] == ["", ""]
    for each, by in ((peer, "this side"), (other, "other side")):
        assert each.events[-1] == {"event": "finished", "outcome": "cancelled", "by": by}
        assert any("to resume it" in event.get("message", "") for event in each.events)


async def until_held(peer: PeerProcess) -> None:
    if not any(event["event"] == "held" for event in peer.events):
        await peer.wait_for_event("held")


async def resume(link: str, tmp_path: Path) -> None:
    async with (
        tallow("send", "--resume", home=tmp_path / "s") as sender,
        tallow("receive", "-o", str(tmp_path / "out"), home=tmp_path / "r", given=link) as receiver,
    ):
        ends = (await receiver.wait(), await sender.wait())
        assert ends == (0, 0), [*sender.events, *receiver.events]


@pytest.mark.parametrize(("stage", "who", "name"), cases())
async def test_a_stopped_transfer_resumes(
    server: RunningServer, album: Path, tmp_path: Path, stage: str, who: str, name: str
) -> None:
    hold = {STAGES[stage]: stage}
    sending = ("send", "--relay", "--server", server.url, str(album))
    async with tallow(*sending, home=tmp_path / "s", hold=hold.get("sender", "")) as sender:
        link = (await sender.wait_for_event("link"))["link"]
        receiving = ("receive", "-o", str(tmp_path / "out"))
        async with tallow(
            *receiving, home=tmp_path / "r", given=link, hold=hold.get("receiver", "")
        ) as receiver:
            sides = {"sender": sender, "receiver": receiver}
            await until_held(sides[STAGES[stage]])
            if stage == "preparing":
                await server.wait_for_value("transfer_queue_depth", 1)
            await stop(sides[who], sides["receiver" if who == "sender" else "sender"], SIGNALS[name])
    assert left_behind(tmp_path) == []
    await resume(link, tmp_path)
    assert left_behind(tmp_path) == []
    received = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*.bin")}
    assert received == {path.name: path.read_bytes() for path in album.iterdir()}
    assert server.value("transfers_total", status="cancelled", method="relay") == 1
    assert server.value("transfers_total", status="success", method="relay") == 0  # counted once
    assert server.value("client_reports_total", outcome="rejected") == 0


@pytest.mark.slow
async def test_a_text_that_is_stopped_cannot_be_resumed(server: RunningServer, tmp_path: Path) -> None:
    """It is kept nowhere, and the link is used up."""
    sending = ("send", "--server", server.url, "--text")
    async with tallow(*sending, home=tmp_path / "s", given="a secret", hold="connecting") as sender:
        link = (await sender.wait_for_event("link"))["link"]
        receiving = tallow("receive", "-o", str(tmp_path / "out"), home=tmp_path / "r", given=link)
        async with receiving as receiver:
            await sender.wait_for_event("held")
            sender.process.send_signal(signal.SIGTERM)
            assert (await sender.wait(), await receiver.wait()) == (130, 1)
    async with tallow("receive", "-o", str(tmp_path / "out"), home=tmp_path / "r", given=link) as late:
        assert "has expired" in (await late.wait_for_event("error"))["message"]
    state = [path for home in "sr" for path in (tmp_path / home / "state").rglob("*.json")]
    assert [*state, *left_behind(tmp_path)] == []
