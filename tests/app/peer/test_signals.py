"""Signals at every stage of a transfer: the other side learns of it, and no file is left behind."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import sys
from pathlib import Path

import pytest
from PIL import Image

from support.transfers.peers import PeerProcess, tallow
from support.transfers.server import RunningServer, serving, tallow_serve

pytestmark = pytest.mark.slow

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
SLOW_TO_HASH = 200_000_000_000
"""Bytes of a file with no content on the disk: hashing it takes longer than any test."""


@pytest.fixture
def slow_file(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(SLOW_TO_HASH)
    return path


def a_picture(folder: Path, name: str = "photo.jpg") -> Path:
    """A picture with metadata, so that a stripped copy of it is made."""
    exif = Image.Exif()
    exif[0x010F] = "a private camera"
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64)).save(folder / name, exif=exif)
    return folder / name


def copies(home: Path) -> list[Path]:
    """Stripped copies in the temporary folders of peers."""
    return [path for path in (home / "tmp").glob("tallow-*/*") if not path.name.startswith(".")]


def left_behind(home: Path) -> list[Path]:
    """Files that a peer left: temporary folders, resume state, drafts."""
    return [*(home / "tmp").iterdir(), *state_files(home)]


def state_files(home: Path) -> list[Path]:
    return [path for path in (home / "state").rglob("*") if path.is_file()]


def only_resume_state(tmp_path: Path) -> bool:
    """Whether both sides left what they need to resume the transfer, and nothing else."""
    kept = [(side, path.name.partition("-")[0]) for side in "sr" for path in left_behind(tmp_path / side)]
    return kept == [("s", "send"), ("r", "receive")]


async def is_cancelled(program: PeerProcess, by: str) -> bool:
    """Wait for a side's end, which must be a cancellation: by `this side` or the `other side`."""
    status = await program.wait()
    assert await program.read_stderr() == ""
    last = program.events[-1]
    return (status, last) == (
        130 if by == "this side" else 1,
        {"event": "finished", "outcome": "cancelled", "by": by},
    )


def transfers(server: RunningServer) -> float:
    return sum(
        server.value("transfers_total", status=status, method=method)
        for status in ("success", "failed", "cancelled")
        for method in ("p2p", "relay")
    )


@pytest.mark.parametrize("wanted", SIGNALS)
async def test_a_signal_while_the_sender_strips_pictures(
    server: RunningServer, tmp_path: Path, wanted: signal.Signals
) -> None:
    for number in range(400):
        a_picture(tmp_path / "album", f"{number}.jpg")
    home = tmp_path / "s"
    async with tallow("send", "--server", server.url, str(tmp_path / "album"), home=home) as sender:
        while not copies(home):
            await asyncio.sleep(0.005)
        sender.process.send_signal(wanted)
        assert await is_cancelled(sender, "this side")
    assert [event["event"] for event in sender.events] == ["finished"]
    assert left_behind(home) == []


@pytest.mark.parametrize("wanted", SIGNALS)
async def test_a_signal_while_the_sender_waits_alone(
    server: RunningServer, tmp_path: Path, wanted: signal.Signals
) -> None:
    home = tmp_path / "s"
    async with tallow("send", "--server", server.url, str(a_picture(tmp_path)), home=home) as sender:
        link = (await sender.wait_for_event("link"))["link"]
        await sender.wait_for_event("waiting")
        sender.process.send_signal(wanted)
        assert await is_cancelled(sender, "this side")
    assert left_behind(home) == []
    async with tallow("receive", "-o", str(tmp_path / "out"), home=tmp_path / "r", given=link) as late:
        assert "has expired" in (await late.wait_for_event("error"))["message"]
        assert await late.wait() == 1
    assert transfers(server) == 0


@pytest.mark.parametrize("wanted", SIGNALS)
async def test_a_signal_at_the_sender_while_the_receiver_waits(
    server: RunningServer, slow_file: Path, tmp_path: Path, wanted: signal.Signals
) -> None:
    sending = ("send", "--server", server.url, str(slow_file), str(a_picture(tmp_path)))
    async with tallow(*sending, home=tmp_path / "s") as sender:
        link = (await sender.wait_for_event("link"))["link"]
        async with tallow(
            "receive", "-o", str(tmp_path / "out"), home=tmp_path / "r", given=link
        ) as receiver:
            await server.wait_for_value("transfer_queue_depth", 1)
            sender.process.send_signal(wanted)
            assert await is_cancelled(sender, "this side")
            assert await is_cancelled(receiver, "other side")
    assert only_resume_state(tmp_path)
    assert transfers(server) == server.value("transfers_total", status="cancelled", method="relay") == 1


@pytest.mark.parametrize("wanted", SIGNALS)
async def test_a_signal_while_the_receiver_waits(
    server: RunningServer, slow_file: Path, tmp_path: Path, wanted: signal.Signals
) -> None:
    async with tallow("send", "--server", server.url, str(slow_file), home=tmp_path / "s") as sender:
        link = (await sender.wait_for_event("link"))["link"]
        async with tallow(
            "receive", "-o", str(tmp_path / "out"), home=tmp_path / "r", given=link
        ) as receiver:
            await server.wait_for_value("transfer_queue_depth", 1)
            receiver.process.send_signal(wanted)
            assert await is_cancelled(receiver, "this side")
            assert await is_cancelled(sender, "other side")
    assert only_resume_state(tmp_path)


@pytest.mark.parametrize("wanted", SIGNALS)
@pytest.mark.parametrize("who", ["sender", "receiver"])
async def test_a_signal_while_data_flows(tmp_path: Path, wanted: signal.Signals, who: str) -> None:
    (tmp_path / "album" / "deep").mkdir(parents=True)
    (tmp_path / "server").mkdir()
    with (tmp_path / "album" / "deep" / "film.mp4").open("wb") as file:
        file.truncate(100_000_000)
    # The limit makes the transfer last longer than the test needs.
    async with serving(tmp_path / "server", relay_bandwidth=4e6) as server:
        sending = (
            "send",
            "--relay",
            "--server",
            server.url,
            str(tmp_path / "album"),
            str(a_picture(tmp_path)),
        )
        async with tallow(*sending, home=tmp_path / "s") as sender:
            link = (await sender.wait_for_event("link"))["link"]
            async with tallow(
                "receive", "-o", str(tmp_path / "out"), home=tmp_path / "r", given=link
            ) as receiver:
                await receiver.wait_for_event("progress")
                here, there = (sender, receiver) if who == "sender" else (receiver, sender)
                here.process.send_signal(wanted)
                assert await is_cancelled(here, "this side")
                assert await is_cancelled(there, "other side")
        assert only_resume_state(tmp_path)
        assert list((tmp_path / "out").iterdir()) == []  # no partial file and no folder
        assert transfers(server) == 1


async def test_a_signal_does_not_wait_for_a_server_that_stalls(tmp_path: Path, slow_file: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    async with tallow_serve(folder) as server:
        sending = ("send", "--server", server.url, str(a_picture(tmp_path)), str(slow_file))
        async with tallow(*sending, home=tmp_path / "s") as sender:
            await sender.wait_for_event("waiting")
            os.kill(server.pid, signal.SIGSTOP)
            try:
                sender.process.send_signal(signal.SIGTERM)
                assert await is_cancelled(sender, "this side")
            finally:
                os.kill(server.pid, signal.SIGCONT)
    assert left_behind(tmp_path / "s") == []


async def test_files_of_a_killed_sender_are_removed_by_the_next_start(
    server: RunningServer, tmp_path: Path
) -> None:
    home, picture = tmp_path / "s", a_picture(tmp_path)
    sending = ("send", "--server", server.url, str(picture))
    async with tallow(*sending, home=home) as killed, tallow(*sending, home=home) as alive:
        await asyncio.gather(killed.wait_for_event("waiting"), alive.wait_for_event("waiting"))
        assert len(copies(home)) == 2
        killed.process.kill()
        await killed.process.wait()
        # Another program's folder, and one of ours without a marker, are kept.
        for name in ("tallow-holidays", "tallow-abcdefgh"):
            a_picture(home / "tmp" / name)
        async with tallow("receive", home=home, given="no link") as next_start:
            assert await next_start.wait() == 1
        assert [path.name for path in copies(home)].count("photo.jpg") == 2
        assert len(copies(home)) == 3  # and the copy of the sender that still runs
        alive.process.send_signal(signal.SIGTERM)
        assert await is_cancelled(alive, "this side")


async def test_a_draft_of_a_killed_process_is_removed_by_the_next_start(tmp_path: Path) -> None:
    exited = await asyncio.create_subprocess_exec("true")
    await exited.wait()
    folder = tmp_path / "p" / "state" / "tallow" / "transfers"
    folder.mkdir(parents=True)
    draft, written = folder / f".send-abc.json.{exited.pid}", folder / f".send-abc.json.{os.getpid()}"
    for file in (draft, written):
        file.write_text("{}")
    async with tallow("receive", home=tmp_path / "p", given="no link") as next_start:
        assert await next_start.wait() == 1
    assert (draft.exists(), written.exists()) == (False, True)


async def test_a_picture_that_cannot_be_stripped_is_refused_before_the_link(
    server: RunningServer, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0" + bytes(5000))
    home = tmp_path / "s"
    sending = ("send", "--server", server.url, str(a_picture(tmp_path)), str(broken))
    async with tallow(*sending, home=home) as sender:
        assert "broken.jpg" in (await sender.wait_for_event("error"))["message"]
        assert await sender.wait() == 1
    assert "link" not in [event["event"] for event in sender.events]
    assert await server.context.store.count() == 0
    assert left_behind(home) == []


@pytest.mark.parametrize(
    ("folder", "folders", "expected"),
    [("x", 102, "nested 101 folders deep; accepted: up to 100"), ("x" * 240, 5, "accepted: up to 900")],
    ids=["too deep", "a path too long"],
)
async def test_a_folder_beyond_the_limits_is_refused_before_the_link(
    server: RunningServer, tmp_path: Path, folder: str, folders: int, expected: str
) -> None:
    deep = tmp_path.joinpath(*[folder] * folders)
    deep.mkdir(parents=True)
    (deep / "file").touch()
    sending = ("send", "--server", server.url, str(tmp_path / folder))
    async with tallow(*sending, home=tmp_path / "s") as sender:
        assert expected in (await sender.wait_for_event("error"))["message"]
        assert await sender.wait() == 1
    assert "link" not in [event["event"] for event in sender.events]
    assert await server.context.store.count() == 0


async def test_a_file_that_changes_while_the_receiver_waits_ends_both_sides(
    server: RunningServer, slow_file: Path, tmp_path: Path
) -> None:
    async with tallow("send", "--server", server.url, str(slow_file), home=tmp_path / "s") as sender:
        link = (await sender.wait_for_event("link"))["link"]
        async with tallow(
            "receive", "-o", str(tmp_path / "out"), home=tmp_path / "r", given=link
        ) as receiver:
            await server.wait_for_value("transfer_queue_depth", 1)
            os.truncate(slow_file, 1000)
            assert "while it was being sent" in (await sender.wait_for_event("error"))["message"]
            assert "gave up" in (await receiver.wait_for_event("error"))["message"]
            assert (await sender.wait(), await receiver.wait()) == (1, 1)


async def test_a_signal_ignored_at_the_start_stays_ignored(server: RunningServer, tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does; children inherit it
    try:
        sending = tallow("send", "--server", server.url, str(a_picture(tmp_path)), home=tmp_path / "s")
        async with sending as sender:
            link = (await sender.wait_for_event("link"))["link"]
            await sender.wait_for_event("waiting")
            sender.process.send_signal(signal.SIGHUP)
            async with tallow("receive", "-o", str(tmp_path), home=tmp_path / "r", given=link) as receiver:
                assert (await receiver.wait(), await sender.wait()) == (0, 0)
    finally:
        signal.signal(signal.SIGHUP, before)


async def test_closing_the_terminal_cancels_the_transfer(
    server: RunningServer, slow_file: Path, tmp_path: Path
) -> None:
    """The kernel sends SIGHUP, and every write to the terminal fails from then on."""
    home = tmp_path / "s"
    (home / "tmp").mkdir(parents=True)
    command = [sys.executable, "-m", "tallow", "send", "--no-qr", "--server", server.url]
    own = {"XDG_STATE_HOME": home / "state", "XDG_CONFIG_HOME": home / "config", "TMPDIR": home / "tmp"}
    environment = os.environ | {name: str(folder) for name, folder in own.items()}
    child, terminal = pty.fork()
    if child == 0:
        os.execve(command[0], [*command, str(slow_file), str(a_picture(tmp_path))], environment)
    try:
        shown = b""
        while b"/#" not in shown or not shown.endswith(b"\n"):
            shown += await asyncio.to_thread(os.read, terminal, 4096)
        link = next(line for line in shown.decode().splitlines() if "/#" in line)
        receiving = tallow("receive", "-o", str(tmp_path / "out"), home=tmp_path / "r", given=link)
        async with receiving as receiver:
            await server.wait_for_value("transfer_queue_depth", 1)
            os.close(terminal)
            assert await is_cancelled(receiver, "other side")
        _, status = await asyncio.to_thread(os.waitpid, child, 0)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    assert os.waitstatus_to_exitcode(status) == 130
    assert [path.name.partition("-")[0] for path in left_behind(home)] == ["send"]


async def test_a_receiver_waits_for_a_sender_that_vanished_before_it_connected(
    server: RunningServer, tmp_path: Path
) -> None:
    sending = ("send", "--server", server.url, str(a_picture(tmp_path)))
    async with tallow(*sending, home=tmp_path / "s") as sender:
        link = (await sender.wait_for_event("link"))["link"]
        await sender.wait_for_event("waiting")
        sender.process.send_signal(signal.SIGSTOP)
        receiving = ("receive", "-o", str(tmp_path / "out"))
        async with tallow(*receiving, home=tmp_path / "r", given=link) as receiver:
            await server.wait_for_value("transfer_queue_depth", 1)  # both have joined
            sender.process.kill()
            assert (await receiver.wait_for_event("waiting"))["side"] == "sender"
