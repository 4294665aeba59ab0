"""The page's engine in Chromium: direct connections with the command line, slow disks, and memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from pathlib import Path

import pytest

from support.transfers.peers import RELAYED, SHORT_WAITS, receive, send
from support.web_app.engine_harness import engine_browser
from tallow.app.peer.link import Link
from tallow.app.peer.options import TransferOptions

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(3600)]

SIZE = 20_000_001
SLOW_SIZE = 100_000_000
LARGE_SIZE = int(os.environ.get("TALLOW_PAGE_BYTES", "4000000000"))
"""Bytes of the memory test."""
PATHS = {"directly": TransferOptions(timing=SHORT_WAITS), "over the relay": RELAYED}


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def random_file(path: Path, size: int) -> Path:
    block = os.urandom(1_000_000)
    with path.open("wb") as file:
        for at in range(0, size, len(block)):
            file.write(block[: size - at])
    return path


@pytest.mark.parametrize("path", PATHS, ids=str)
async def test_a_page_and_the_command_line_send_to_each_other(tmp_path: Path, path: str) -> None:
    options, preference = PATHS[path], "relay" if PATHS[path] is RELAYED else "direct"
    source = random_file(tmp_path / "source.bin", SIZE)
    async with engine_browser(tmp_path) as chromium:
        sender = await send(chromium.server.url, [source], options=options)
        receiving = await chromium.new_tab()
        await receiving.receive(sender.link.text, path=preference)
        received = await receiving.end()
        await sender.task

        sending = await chromium.new_tab()
        link = Link.parse(await sending.send(SIZE, path=preference))
        receiver = receive(link, tmp_path / "out", options=options)
        sent = await sending.end()
        await receiver.task
    method = "relay" if preference == "relay" else "p2p"
    assert (received["state"], received["method"]) == ("done", method)
    assert received["files"] == {source.name: hashlib.sha256(source.read_bytes()).hexdigest()}
    assert (sent["state"], sent["method"]) == ("done", method)
    assert [file.stat().st_size for file in (tmp_path / "out").iterdir()] == [SIZE]
    assert sent["facts"].get("direct_connections_total webrtc success", 0) == (method == "p2p")
    assert sent["facts"][f"transfers_total success {method}"] == 1


@pytest.mark.parametrize("path", PATHS, ids=str)
async def test_a_page_with_a_slow_disk_slows_the_sender_down(tmp_path: Path, path: str) -> None:
    """Otherwise what a fast sender sends fills the memory of the page."""
    options, preference = PATHS[path], "relay" if PATHS[path] is RELAYED else "direct"
    source = random_file(tmp_path / "source.bin", SLOW_SIZE)
    ahead = []
    async with engine_browser(tmp_path) as chromium:
        sender = await send(chromium.server.url, [source], options=options)
        tab = await chromium.new_tab()
        await tab.receive(sender.link.text, path=preference, write_ms=30)
        await sender.wait_for_event("progress")
        while not sender.task.done():
            done = await tab.bytes_done()
            sent = sender.events_named("progress")[-1]["bytes"]
            ahead.append(sent - done)
            await asyncio.sleep(0.25)
        assert (await tab.end())["state"] == "done"
        await sender.task
    # The window, what the relay holds, and the socket buffers of three processes.
    assert max(ahead) < 50_000_000


@pytest.mark.parametrize("preference", ["direct", "relay"])
async def test_memory_of_a_page_stays_flat_at_4_gb(tmp_path: Path, preference: str) -> None:
    async with engine_browser(tmp_path) as chromium:
        sending, receiving = await chromium.new_tab(), await chromium.new_tab()
        await receiving.receive(await sending.send(LARGE_SIZE, path=preference), path=preference)
        ends = asyncio.gather(sending.end(), receiving.end())
        while await receiving.bytes_done() < min(LARGE_SIZE / 10, 100e6):
            await asyncio.sleep(0.5)
        early = chromium.renderer_megabytes()
        started, first = time.perf_counter(), await receiving.bytes_done()
        most = early
        while not ends.done():
            most = max(most, chromium.renderer_megabytes())
            await asyncio.sleep(1)
        seconds = time.perf_counter() - started
        assert [end["state"] for end in await ends] == ["done", "done"]
    speed = (LARGE_SIZE - first) / 1e6 / seconds
    print(f"page to page, {preference}: {speed:.1f} MB/s; memory {early:.0f} MB, at most {most:.0f} MB")
    assert most < early + 250
