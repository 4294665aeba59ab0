"""Interrupted transfers resume with fresh keys, and only with the same files."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from support.transfers.malicious_server import MaliciousServer
from support.transfers.peers import DIRECT, RELAYED, receive, send, tallow
from support.transfers.server import RunningServer, serving
from support.transfers.throttling_proxy import throttling_proxy
from tallow.app.crypto.errors import SourceChangedError
from tallow.app.crypto.frames import FrameType
from tallow.app.peer.options import PeerTiming
from tallow.app.peer.transfer.rate_limit import RateLimit
from tallow.app.peer.transfer.resume_state import interrupted_transfers

pytestmark = pytest.mark.slow

SIZE = 24_000_000
SLOW = 20_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "video.mp4"
    file.write_bytes(os.urandom(SIZE))
    return file


async def test_a_cut_connection_resumes(server: RunningServer, path: Path, tmp_path: Path) -> None:
    async with throttling_proxy(server.url) as ours, throttling_proxy(server.url) as theirs:
        ours.rate = theirs.rate = SLOW
        sender = await send(ours.url, [path])
        receiver = receive(sender.link, tmp_path / "out", url=theirs.url)
        for cut, times in ((theirs, 1), (ours, 2)):
            await receiver.wait_for_event("connected", times)
            await receiver.wait_for_event("progress", len(receiver.events_named("progress")) + 2)
            cut.abort_connections()
        await asyncio.gather(sender.task, receiver.task)
        carried = theirs.bytes_carried
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    assert carried < 2 * SIZE
    value = server.value
    assert value("transfers_total", status="success", method="relay") == 1
    assert value("transfers_total", status="failed", method="relay") == 0
    assert value("pqc_key_exchanges_total", algorithm="x25519_mlkem768", status="success") == 6
    assert value("bytes_transferred_total", direction="received") == SIZE
    assert value("retry_attempts_total", operation="transfer", status="success") >= 2
    assert value("retry_attempts_total", operation="signaling", status="success") >= 2
    assert value("error_recoveries_total", type="network") >= 2
    assert value("client_reports_total", outcome="rejected") == 0
    assert not interrupted_transfers()


async def test_a_killed_receiver_resumes(server: RunningServer, path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    async with throttling_proxy(server.url) as proxy:
        proxy.rate = SLOW
        sender = await send(proxy.url, [path])
        arguments = ("receive", "-o", str(out))
        async with tallow(*arguments, home=tmp_path / "r", given=sender.link.text) as first:
            await first.wait_for_event(
                lambda event: event["event"] == "progress" and event["bytes"] > SIZE / 5
            )
            first.process.send_signal(signal.SIGKILL)
            await first.process.wait()
        assert not (out / path.name).exists()
        async with tallow(*arguments, home=tmp_path / "r", given=sender.link.text) as second:
            progress = await second.wait_for_event("progress")
            assert progress["bytes"] > SIZE / 5
            assert await second.wait() == 0
        await sender.task
    assert (out / path.name).read_bytes() == path.read_bytes()
    assert server.value("feature_usage_total", feature="resume") == 1
    assert server.value("transfers_total", status="success", method="relay") == 1


async def test_a_killed_sender_resumes(server: RunningServer, path: Path, tmp_path: Path) -> None:
    async with throttling_proxy(server.url) as proxy:
        proxy.rate = SLOW
        home = tmp_path / "s"
        async with tallow("send", "--relay", "--server", proxy.url, str(path), home=home) as first:
            link = (await first.wait_for_event("link"))["link"]
            [remembered] = (home / "state/tallow/transfers").iterdir()
            assert stat.S_IMODE(remembered.stat().st_mode) == 0o600
            assert stat.S_IMODE(remembered.parent.stat().st_mode) == 0o700
            async with tallow(
                "receive", "-o", str(tmp_path / "out"), home=tmp_path / "r", given=link
            ) as receiver:
                await receiver.wait_for_event(
                    lambda event: event["event"] == "progress" and event["bytes"] > SIZE / 5
                )
                first.process.send_signal(signal.SIGKILL)
                await first.process.wait()
                async with tallow("send", "--relay", "--resume", home=home) as second:
                    assert (await second.wait_for_event("link"))["link"] == link
                    assert (await second.wait_for_event("progress"))["bytes"] > SIZE / 5
                    assert await second.wait() == 0
                assert await receiver.wait() == 0
            assert not remembered.exists()
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    assert server.value("transfers_total", status="success", method="relay") == 1
    assert server.value("feature_usage_total", feature="resume") == 1


async def test_a_changed_source_is_not_resumed(server: RunningServer, path: Path, tmp_path: Path) -> None:
    home = tmp_path / "s"
    async with throttling_proxy(server.url) as proxy:
        proxy.rate = SLOW
        async with tallow("send", "--relay", "--server", proxy.url, str(path), home=home) as first:
            link = (await first.wait_for_event("link"))["link"]
            async with tallow(
                "receive", "-o", str(tmp_path / "out"), home=tmp_path / "r", given=link
            ) as receiver:
                await receiver.wait_for_event("progress")
                first.process.send_signal(signal.SIGKILL)
                await first.process.wait()
                path.write_bytes(os.urandom(SIZE))
                async with tallow("send", "--relay", "--resume", home=home) as second:
                    error = await second.wait_for_event("error")
                    assert error["message"].startswith("video.mp4 has changed since the transfer began")
                    assert await second.wait() == 1
                assert "has changed since" in (await receiver.wait_for_event("error"))["message"]
                assert await receiver.wait() == 1
    assert not (tmp_path / "out" / path.name).exists()


async def test_a_source_that_changes_during_the_transfer_is_refused(
    server: RunningServer, path: Path, tmp_path: Path
) -> None:
    async with throttling_proxy(server.url) as proxy:
        proxy.rate = SLOW
        sender = await send(proxy.url, [path])
        receiver = receive(sender.link, tmp_path / "out")
        await receiver.wait_for_event("progress", 2)
        os.utime(path, (1, 1))
        assert "was changed while it was being sent" in str(await sender.wait_for_error())
        assert type(await receiver.wait_for_error()) is SourceChangedError
    assert server.value("errors_total", type="transfer", severity="medium") == 2


async def test_a_restart_of_the_server_is_survived(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    async with throttling_proxy("http://127.0.0.1:1") as proxy:
        async with serving(folder) as first:
            proxy.target(first.url)
            proxy.rate = SLOW
            sender = await send(proxy.url, [path])
            receiver = receive(sender.link, tmp_path / "out")
            await receiver.wait_for_event("progress", 2)
            proxy.abort_connections()
        async with serving(folder) as second:
            proxy.target(second.url)
            await asyncio.gather(sender.task, receiver.task)
            assert second.value("transfers_total", status="success", method="relay") == 1
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()


async def test_retries_end(server: RunningServer, path: Path, tmp_path: Path) -> None:
    brief = replace(
        RELAYED, timing=PeerTiming(first_delay=0.05, max_delay=0.1, give_up_after=0.5, channel_timeout=1)
    )
    async with throttling_proxy(server.url) as proxy:
        proxy.rate = SLOW
        sender = await send(proxy.url, [path], options=brief)
        receiver = receive(sender.link, tmp_path / "out", options=brief)
        await receiver.wait_for_event("progress")
        proxy.down = True
        proxy.abort_connections()
        assert "cannot be reached" in str(await sender.wait_for_error())
        assert "cannot be reached" in str(await receiver.wait_for_error())
    [remembered] = interrupted_transfers()
    assert remembered.link == sender.link
    assert not (tmp_path / "out" / path.name).exists()


async def test_resuming_without_an_interrupted_transfer_is_refused(tmp_path: Path) -> None:
    async with tallow("send", "--relay", "--resume", home=tmp_path) as program:
        assert "no interrupted transfer" in (await program.wait_for_event("error"))["message"]
        assert await program.wait() == 1


async def test_a_lost_final_confirmation_is_repeated(path: Path, tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    attacker = MaliciousServer()
    async with (
        serving(tmp_path / "server", wrap=attacker.wrap) as server,
        throttling_proxy(server.url) as proxy,
    ):
        finished: list[bytes] = []

        def swallow(message: bytes) -> list[bytes]:
            if message[0] == FrameType.FINISH and not finished:
                finished.append(message)
                proxy.abort_connections()
                return []
            return [message]

        attacker.from_receiver = swallow
        sender = await send(proxy.url, [path])
        receiver = receive(sender.link, tmp_path / "out")
        await asyncio.gather(sender.task, receiver.task)
        assert finished
        assert server.value("transfers_total", status="success", method="relay") == 1
        assert server.value("bytes_transferred_total", direction="received") == SIZE
    assert [file.name for file in (tmp_path / "out").iterdir()] == [path.name]


async def test_signaling_is_joined_again_while_data_flows(
    server: RunningServer, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A direct transfer goes on without the server, which must not count its sender as departed."""
    both_rejoined = asyncio.Event()
    waits: list[int] = []

    async def wait(_self: RateLimit, size: int) -> None:
        """Send the first blocks; the whole file would arrive before the sides have joined again."""
        if len(waits) == 2:
            await both_rejoined.wait()
        waits.append(size)

    monkeypatch.setattr(RateLimit, "wait", wait)
    async with throttling_proxy(server.url) as proxy:
        sender = await send(proxy.url, [path], options=DIRECT)
        receiver = receive(sender.link, tmp_path / "out", options=DIRECT, url=proxy.url)
        await receiver.wait_for_event("progress")
        proxy.abort_connections()
        for peer in (sender, receiver):
            await peer.wait_for_value("retry_attempts_total", 1, operation="signaling", status="success")
        await server.wait_for_value("active_connections", 1, type="webrtc")
        both_rejoined.set()
        await asyncio.gather(sender.task, receiver.task)
    assert len(receiver.events_named("connected")) == 1
    assert server.value("transfers_total", status="success", method="p2p") == 1
    assert server.value("transfers_total", status="failed", method="p2p") == 0
    assert server.value("retry_attempts_total", operation="signaling", status="success") == 2
    assert server.value("error_recoveries_total", type="network") == 2


async def test_a_complete_file_missing_from_the_state_is_found(server: RunningServer, tmp_path: Path) -> None:
    small, large = tmp_path / "a-small.bin", tmp_path / "b-large.bin"
    small.write_bytes(os.urandom(1000))
    large.write_bytes(os.urandom(SIZE))
    out = tmp_path / "out"
    async with throttling_proxy(server.url) as proxy:
        proxy.rate = SLOW
        sender = await send(proxy.url, [small, large])
        arguments = ("receive", "-o", str(out))
        async with tallow(*arguments, home=tmp_path / "r", given=sender.link.text) as first:
            await first.wait_for_event(
                lambda event: event["event"] == "progress" and event["bytes"] > SIZE / 5
            )
            first.process.send_signal(signal.SIGKILL)
            await first.process.wait()
        [remembered] = (tmp_path / "r/state/tallow/transfers").iterdir()
        content = json.loads(remembered.read_text())
        remembered.write_text(json.dumps(content | {"paths": {}}))
        async with tallow(*arguments, home=tmp_path / "r", given=sender.link.text) as second:
            assert await second.wait() == 0
        await sender.task
    assert {file.name for file in out.iterdir()} == {small.name, large.name}
    assert (out / large.name).read_bytes() == large.read_bytes()


@pytest.mark.parametrize(
    ("size", "rate"),
    [
        pytest.param(20_000, 1_000_000, id="while the sender sends"),
        pytest.param(1_500, 80_000, id="while the sender waits for receipts"),  # the sockets take all files
    ],
)
async def test_small_files_resume_after_a_kill(
    server: RunningServer, tmp_path: Path, size: int, rate: int
) -> None:
    """Those that have their names are not sent again, and none is left in part."""
    album = tmp_path / "album"
    album.mkdir()
    contents = {f"{number:03}.txt": os.urandom(size) for number in range(300)}
    for name, content in contents.items():
        (album / name).write_bytes(content)
    out = tmp_path / "out" / "album"
    async with throttling_proxy(server.url) as proxy:
        proxy.rate = rate
        sender = await send(proxy.url, [album])
        arguments = ("receive", "-o", str(out.parent))
        async with tallow(*arguments, home=tmp_path / "r", given=sender.link.text) as first:
            for _ in range(20):
                await first.wait_for_event("file")
            first.process.send_signal(signal.SIGKILL)
            await first.process.wait()
        before = {file.name: file.stat().st_ino for file in out.iterdir() if file.name in contents}
        assert 20 <= len(before) < len(contents)
        proxy.rate = SLOW
        async with tallow(*arguments, home=tmp_path / "r", given=sender.link.text) as second:
            assert await second.wait() == 0
        await sender.task
    assert {file.name: file.read_bytes() for file in out.iterdir()} == contents
    assert before.items() <= {file.name: file.stat().st_ino for file in out.iterdir()}.items()


@pytest.mark.proof
async def test_a_gigabyte_survives_a_cut_connection_and_killed_peers(tmp_path: Path) -> None:
    """Each interruption costs only the data under way; memory of both sides is bounded."""
    path, out, size = tmp_path / "disk.img", tmp_path / "out", 1_000_000_000
    with path.open("wb") as file:
        for _ in range(size // 1_000_000):
            file.write(os.urandom(1_000_000))
    (tmp_path / "server").mkdir()
    peak = 0.0

    def passed(share: float) -> Callable[[dict[str, Any]], bool]:
        return lambda event: event["event"] == "progress" and event["bytes"] > size * share

    async with serving(tmp_path / "server") as server, throttling_proxy(server.url) as proxy:
        proxy.rate = 100_000_000
        ours, theirs = tmp_path / "s", tmp_path / "r"
        receiving = ("receive", "-o", str(out))
        async with tallow("send", "--relay", "--server", proxy.url, str(path), home=ours) as first:
            link = (await first.wait_for_event("link"))["link"]
            async with tallow(*receiving, home=theirs, given=link) as one:
                await one.wait_for_event(passed(0.2))
                proxy.abort_connections()
                await one.wait_for_event(passed(0.4))
                peak = max(peak, psutil.Process(one.process.pid).memory_info().rss)
                one.process.kill()
                await one.process.wait()
            async with tallow(*receiving, home=theirs, given=link) as two:
                await two.wait_for_event(passed(0.6))
                peak = max(peak, psutil.Process(first.process.pid).memory_info().rss)
                first.process.kill()
                await first.process.wait()
                async with tallow("send", "--relay", "--resume", home=ours) as second:
                    await second.wait_for_event(passed(0.8))
                    assert await second.wait() == 0
                assert await two.wait() == 0
        carried = proxy.bytes_carried
        assert server.value("transfers_total", status="success", method="relay") == 1
    assert (
        hashlib.sha256((out / path.name).read_bytes()).digest() == hashlib.sha256(path.read_bytes()).digest()
    )
    print(f"1 GB, three interruptions: {carried / 2e6:,.0f} MB crossed; largest side {peak / 2**20:.0f} MiB")
    assert carried / 2 < size * 1.1
    assert peak < 150 * 2**20
