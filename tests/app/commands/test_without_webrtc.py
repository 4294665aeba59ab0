"""`send`, `receive` and `serve` without the extra `webrtc`: TCP and the relay."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.transfers.peers import WITHOUT_WEBRTC, PeerProcess, tallow
from support.transfers.server import RunningServer

pytestmark = pytest.mark.slow


async def transfer(
    server: RunningServer, path: Path, tmp_path: Path, *options: str, **faults: str
) -> tuple[PeerProcess, PeerProcess]:
    sending = ("send", "--server", server.url, *options, str(path))
    async with tallow(*sending, home=tmp_path / "s", program=WITHOUT_WEBRTC, **faults) as sender:
        link = (await sender.wait_for_event("link"))["link"]
        receiving = ("receive", *options, "-o", str(tmp_path / "out"))
        async with tallow(
            *receiving, home=tmp_path / "r", given=link, program=WITHOUT_WEBRTC, **faults
        ) as receiver:
            await sender.wait()
            await receiver.wait()
    return sender, receiver


def messages(peer: PeerProcess) -> list[str]:
    return [event["message"] for event in peer.events if event["event"] in {"warning", "error"}]


async def test_a_file_crosses_over_tcp(server: RunningServer, path: Path, tmp_path: Path) -> None:
    for peer in await transfer(server, path, tmp_path):
        assert (peer.process.returncode, messages(peer)) == (0, [])
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    assert server.value("direct_connections_total", transport="tcp", status="success") == 1


BROKEN = {"TALLOW_FAULTS": "1", "TALLOW_PEER_FAULTS": "break_tcp=1"}


async def test_the_relay_is_used_where_webrtc_would_be_needed_and_one_line_says_so(
    server: RunningServer, path: Path, tmp_path: Path
) -> None:
    for peer in await transfer(server, path, tmp_path, **BROKEN):
        assert peer.process.returncode == 0
        [note] = messages(peer)
        assert "tallow[webrtc]" in note
    assert server.value("transfers_total", status="success", method="relay") == 1
    assert server.value("webrtc_connections_total", type="direct", status="failed") == 0


async def test_direct_only_names_what_is_missing(server: RunningServer, path: Path, tmp_path: Path) -> None:
    sender, _ = await transfer(server, path, tmp_path, "--direct", **BROKEN)
    assert sender.process.returncode == 1
    assert "tallow[webrtc]" in messages(sender)[-1]


@pytest.mark.parametrize("command", ["send", "receive", "serve", "demo"])
def test_each_command_starts(command: str) -> None:
    ended = subprocess.run(
        [sys.executable, *WITHOUT_WEBRTC, command, "--help"], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
