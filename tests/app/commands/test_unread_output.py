"""Commands whose output nobody reads: a transfer runs to its end, and a signal ends the command."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.transfers.peers import tallow
from support.transfers.server import RunningServer

pytestmark = pytest.mark.slow

PAGE = 4096
"""Bytes of the smallest pipe: the link fits into it, the events of a transfer do not."""
FILES = 20


@dataclass
class Unread:
    """A command whose output is read only when a test says so."""

    process: asyncio.subprocess.Process
    output: int

    async def line(self) -> str:
        """The first line of the output."""
        read = b""
        while not read.endswith(b"\n"):
            read += await asyncio.to_thread(os.read, self.output, 1)
        return read.decode()

    async def rest(self) -> str:
        """The output until the command has ended."""
        read = b""
        with suppress(OSError):  # a terminal that no process has open
            while more := await asyncio.to_thread(os.read, self.output, 1 << 16):
                read += more
        return read.decode()


@asynccontextmanager
async def command(
    *arguments: str, home: Path, ends: tuple[int, int], errors: int | None = subprocess.PIPE
) -> AsyncIterator[Unread]:
    """Run a command that writes to the second of two descriptors."""
    home.mkdir()
    own = {"XDG_STATE_HOME": home / "state", "XDG_CONFIG_HOME": home / "config"}
    ours, theirs = ends
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tallow", *arguments),
        env=os.environ | {name: str(folder) for name, folder in own.items()},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs if errors is None else errors,
    )
    os.close(theirs)
    try:
        yield Unread(process, ours)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        os.close(ours)


def small_pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PAGE)
    return reader, writer


def stopped_terminal() -> tuple[int, int, int]:
    """A terminal that shows nothing, as after Ctrl-S: both ends, and one to let it go on."""
    ours, theirs = pty.openpty()
    termios.tcflow(theirs, termios.TCOOFF)
    return ours, theirs, os.dup(theirs)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number}-{'long' * 40}.txt").write_bytes(b"x")
    return folder


def events_of(output: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.splitlines()]


def has_all(events: Sequence[dict[str, object]]) -> bool:
    """Whether there is an event for each file, and the last one is a success."""
    last = (events[-1]["event"], events[-1].get("outcome"))
    return [event["event"] for event in events].count("file") == FILES and last == ("finished", "success")


@pytest.mark.proof
async def test_a_sender_whose_events_nobody_reads_sends_everything(
    server: RunningServer, album: Path, tmp_path: Path
) -> None:
    sending = ("send", "--json", "--server", server.url, str(album))
    async with command(*sending, home=tmp_path / "s", ends=small_pipe()) as sender:
        link = json.loads(await sender.line())["link"]
        async with tallow("receive", "-o", str(tmp_path / "out"), home=tmp_path / "r", given=link) as other:
            assert await other.wait() == 0
        assert sender.process.returncode is None  # it waits for its reader
        assert has_all(events_of(await sender.rest()))
        assert await sender.process.wait() == 0


@pytest.mark.proof
async def test_a_receiver_whose_events_nobody_reads_receives_everything(
    server: RunningServer, album: Path, tmp_path: Path
) -> None:
    async with tallow("send", "--server", server.url, str(album), home=tmp_path / "s") as sender:
        link = (await sender.wait_for_event("link"))["link"]
        receiving = ("receive", "--json", "--yes", "-o", str(tmp_path / "out"), link)
        async with command(*receiving, home=tmp_path / "r", ends=small_pipe()) as receiver:
            assert await sender.wait() == 0
            assert has_all(events_of(await receiver.rest()))
            assert await receiver.process.wait() == 0
    assert sum(1 for _ in (tmp_path / "out" / "album").iterdir()) == FILES


async def test_a_signal_ends_a_command_whose_events_nobody_reads(
    server: RunningServer, path: Path, tmp_path: Path
) -> None:
    sending = ("send", "--json", "--server", server.url, str(path))
    ours, theirs = small_pipe()
    filling = b"x" * (PAGE - 1) + b"\n"
    assert os.write(theirs, filling) == PAGE
    async with command(*sending, home=tmp_path / "s", ends=(ours, theirs)) as sender:
        await server.wait_for_value("device_connections", 1, device_type="cli")
        sender.process.send_signal(signal.SIGTERM)
        _, errors = await sender.process.communicate()
        assert sender.process.returncode == 130
        assert b"standard output is not read; lines lost at its end: " in errors
        assert await sender.rest() == filling.decode()


@pytest.mark.proof
async def test_a_transfer_does_not_wait_for_a_stopped_terminal(
    server: RunningServer, album: Path, tmp_path: Path
) -> None:
    ours, theirs, control = stopped_terminal()
    async with tallow("send", "--server", server.url, str(album), home=tmp_path / "s") as sender:
        link = (await sender.wait_for_event("link"))["link"]
        receiving = ("receive", "--yes", "-o", str(tmp_path / "out"), link)
        async with command(*receiving, home=tmp_path / "r", ends=(ours, theirs), errors=None) as receiver:
            assert await sender.wait() == 0
            termios.tcflow(control, termios.TCOON)
            os.close(control)
            shown = await receiver.rest()
            assert await receiver.process.wait() == 0
    assert shown.count("Received ") == FILES
    assert f"Done: {FILES} files" in shown


@pytest.mark.proof
async def test_a_signal_ends_a_command_at_a_stopped_terminal(
    server: RunningServer, path: Path, tmp_path: Path
) -> None:
    ours, theirs, control = stopped_terminal()
    sending = ("send", "--server", server.url, str(path))
    async with command(*sending, home=tmp_path / "s", ends=(ours, theirs), errors=None) as sender:
        await server.wait_for_value("device_connections", 1, device_type="cli")
        sender.process.send_signal(signal.SIGTERM)
        assert await sender.process.wait() == 130
    os.close(control)


@pytest.mark.proof
async def test_demo_traffic_does_not_wait_for_its_reader(server: RunningServer, tmp_path: Path) -> None:
    ours, theirs = small_pipe()
    assert os.write(theirs, b"\n" * PAGE) == PAGE
    demo = ("demo", "--json", "--no-browser", "--server", server.url, "--size", "1kB", "--transfers", "1")
    async with command(*demo, home=tmp_path / "d", ends=(ours, theirs)) as running:
        await server.wait_for_value("transfers_total", 1, status="success", method="p2p")
        events = events_of((await running.rest()).strip("\n"))
        assert [event["event"] for event in events] == ["transfer", "summary"]
        assert await running.process.wait() == 0
