"""`tallow receive` at a terminal: it lists the offered files and asks."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.transfers.peers import PeerProcess, tallow
from support.transfers.server import RunningServer, serving
from tallow.app.peer.display.listing import MAX_LINES, format_listing, format_size

pytestmark = pytest.mark.slow


@dataclass
class Terminal:
    """A program at its own terminal: its output, and typed input."""

    process: asyncio.subprocess.Process
    descriptor: int
    shown: str = ""

    async def until(self, text: str) -> None:
        """Wait for a text; later output stays for the next wait."""
        while text not in self.shown:
            self.shown += (await asyncio.to_thread(os.read, self.descriptor, 4096)).decode()

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    async def ended(self) -> int:
        """Wait for the end and read the output until then."""
        with suppress(OSError):  # no process has the terminal open
            while read := await asyncio.to_thread(os.read, self.descriptor, 4096):
                self.shown += read.decode()
        return await self.process.wait()


@asynccontextmanager
async def receiving(link: str, folder: Path, *options: str) -> AsyncIterator[Terminal]:
    """`tallow receive` at a terminal, where nothing else has it open."""
    home = folder / "r"
    own = {"XDG_STATE_HOME": home / "state", "XDG_CONFIG_HOME": home / "config"}
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tallow", "receive", link, "-o", str(folder / "out"), *options),
        env=os.environ | {name: str(value) for name, value in own.items()} | {"TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        os.close(ours)


@asynccontextmanager
async def sending(
    server: RunningServer, folder: Path, *paths: Path
) -> AsyncIterator[tuple[PeerProcess, str]]:
    async with tallow(
        "send", "--relay", "--server", server.url, *map(str, paths), home=folder / "s"
    ) as sender:
        yield sender, (await sender.wait_for_event("link"))["link"]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    (folder / "deep").mkdir(parents=True)
    (folder / "song.mp3").write_bytes(bytes(1_234_567))
    (folder / "deep" / "a\u202egpj.exe").write_bytes(bytes(999))
    return folder


async def test_yes_receives_the_files(server: RunningServer, album: Path, tmp_path: Path) -> None:
    async with sending(server, tmp_path, album) as (sender, link), receiving(link, tmp_path) as terminal:
        await terminal.until("[y/N] ")
        assert "Offered: 2 files, 1.2 MB" in terminal.shown
        assert "1.2 MB  album/song.mp3" in terminal.shown
        assert "999 bytes  album/deep/a\N{REPLACEMENT CHARACTER}gpj.exe" in terminal.shown
        assert f"Receive these 2 files into {tmp_path / 'out'}?" in terminal.shown
        event = await sender.wait_for_event("confirming")
        assert (event["side"], event["seconds"]) == ("receiver", 300)
        terminal.type("perhaps\n")
        terminal.shown = ""
        await terminal.until("[y/N] ")  # asked again
        terminal.type("Y\n")
        assert await terminal.ended() == 0
        assert await sender.wait() == 0
    assert (tmp_path / "out/album/song.mp3").stat().st_size == 1_234_567


@pytest.mark.parametrize("typed", ["n\n", "\n", "\x04"], ids=["n", "return", "end of input"])
async def test_no_receives_nothing(server: RunningServer, album: Path, tmp_path: Path, typed: str) -> None:
    async with sending(server, tmp_path, album) as (sender, link), receiving(link, tmp_path) as terminal:
        await terminal.until("[y/N] ")
        terminal.type(typed)
        assert await terminal.ended() == 1
        assert "tallow: declined; nothing was received" in terminal.shown
        assert await sender.wait() == 1
        assert sender.events[-1] == {"event": "finished", "outcome": "cancelled", "by": "other side"}
    assert list((tmp_path / "out").iterdir()) == []


async def test_no_answer_in_time_is_reported(album: Path, tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    async with (
        serving(tmp_path / "server", confirmation_limit=2) as server,
        sending(server, tmp_path, album) as (sender, link),
        receiving(link, tmp_path) as terminal,
    ):
        assert await terminal.ended() == 1
        assert "tallow: the files were not confirmed within 2 seconds; nothing was received" in terminal.shown
        assert await sender.wait() == 1
        assert "Traceback" not in terminal.shown


@pytest.mark.parametrize("wanted", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_during_the_question_ends_both_sides(
    server: RunningServer, album: Path, tmp_path: Path, wanted: signal.Signals
) -> None:
    async with sending(server, tmp_path, album) as (sender, link), receiving(link, tmp_path) as terminal:
        await terminal.until("[y/N] ")
        terminal.process.send_signal(wanted)
        assert await terminal.ended() == 130
        assert "to resume it later, run the same command again" in terminal.shown
        assert await sender.wait() == 1
        assert "Traceback" not in terminal.shown


async def test_a_cancelled_sender_withdraws_the_question(
    server: RunningServer, album: Path, tmp_path: Path
) -> None:
    async with sending(server, tmp_path, album) as (sender, link), receiving(link, tmp_path) as terminal:
        await terminal.until("[y/N] ")
        sender.process.send_signal(signal.SIGTERM)
        assert await terminal.ended() == 1
        assert re.search(
            r"\[y/N\] \r\n.*?tallow: the other side stopped the transfer; it can be resumed",
            terminal.shown,
            re.DOTALL,
        )
        assert await sender.wait() == 130


async def test_json_events_list_the_offered_files(server: RunningServer, album: Path, tmp_path: Path) -> None:
    async with sending(server, tmp_path, album) as (sender, link):
        async with receiving(link, tmp_path, "--json") as terminal:
            await terminal.until("[y/N] ")
            terminal.type("yes\n")
            assert await terminal.ended() == 0
        assert await sender.wait() == 0
    events = [json.loads(line) for line in re.findall(r'^\{"event".*\}', terminal.shown, re.MULTILINE)]
    [offer] = [event for event in events if event["event"] == "offer"]
    assert offer["entries"] == [
        {"name": "album/deep/a\u202egpj.exe", "size": 999},
        {"name": "album/song.mp3", "size": 1_234_567},
    ]
    assert [event["seconds"] for event in events if event["event"] == "confirming"] == [300]


@pytest.mark.parametrize("given", ["", "http://127.0.0.1:9/#aaaaaaaaaaaaaaaa.AAECAwQFBgcICQoLDA0ODw\n"])
def test_without_a_terminal_the_option_yes_is_required(tmp_path: Path, given: str) -> None:
    own = {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    done = subprocess.run(
        [sys.executable, "-m", "tallow", "receive", "-o", str(tmp_path / "out")],
        env=os.environ | own,
        input=given,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 2
    assert "add --yes to receive without asking" in " ".join(done.stderr.split())
    assert list(tmp_path.iterdir()) == []


async def test_the_option_yes_receives_without_asking(
    server: RunningServer, album: Path, tmp_path: Path
) -> None:
    async with (
        sending(server, tmp_path, album) as (sender, link),
        receiving(link, tmp_path, "--yes") as terminal,
    ):
        assert await terminal.ended() == 0
        assert await sender.wait() == 0
    assert "[y/N]" not in terminal.shown
    assert "album/song.mp3" in terminal.shown
    assert "confirming" not in [event["event"] for event in sender.events]


def test_many_files_are_grouped_by_folder() -> None:
    entries = [
        {"name": f"trip/day {day}/{number}.jpg", "size": 1_000_000} for day in (1, 2) for number in range(40)
    ]
    entries += [{"name": "readme.txt", "size": 5}]
    assert format_listing(entries, 80_000_005) == [
        "Offered: 81 files, 80.0 MB",
        "   80.0 MB  trip/  (80 files)",
        "   5 bytes  readme.txt",
    ]


def test_further_groups_are_counted() -> None:
    entries = [{"name": f"{number}.txt", "size": 1_000} for number in range(MAX_LINES + 80)]
    lines = format_listing(entries, 100_000)
    assert len(lines) == 1 + MAX_LINES + 1
    assert lines[-1] == "   80.0 kB  in 80 more files"


def test_a_long_name_keeps_its_end() -> None:
    [_, line] = format_listing([{"name": "x" * 4000 + ".exe", "size": 1}], 1)
    assert line.endswith(".exe")
    assert len(line) < 130


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (2_500_000, "2.5 MB"),
        (2**53, "9.0 PB"),
        (10**20, "100,000.0 PB"),
    ],
)
def test_sizes_are_decimal(size: int, shown: str) -> None:
    assert format_size(size) == shown
