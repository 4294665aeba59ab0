"""Whole transfers between two real peers, over a real server's relay."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from support.certificates import self_signed
from support.transfers.peers import RELAYED, RunningPeer, create_room, receive, send, tallow, transfer_files
from support.transfers.server import RunningServer, serving, tallow_serve
from support.transfers.throttling_proxy import throttling_proxy
from tallow.app.crypto.errors import CancelledByPeerError
from tallow.app.files.errors import FileError
from tallow.app.peer.errors import ServerRefusedError
from tallow.app.peer.server_client import ServerClient, tls_context
from tallow.app.peer.telemetry_reporter import new_metrics
from tallow.app.peer.transfer.prepare import PreparedFiles
from tallow.app.peer.transfer.resume_state import interrupted_transfers
from tallow.app.peer.transfer.sender import TransferSender

pytestmark = pytest.mark.slow


def a_file(folder: Path, name: str = "holiday.jpg.txt", size: int = 3_000_000) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size))
    return path


async def test_a_file_is_transferred(server: RunningServer, tmp_path: Path) -> None:
    path = a_file(tmp_path)
    await transfer_files(server.url, [path], tmp_path / "out")
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()


async def test_each_metric_counts_the_transfer(server: RunningServer, tmp_path: Path) -> None:
    await transfer_files(server.url, [a_file(tmp_path, size=1_000_000)], tmp_path / "out")
    value = server.value
    assert value("transfers_total", status="success", method="relay") == 1
    assert value("transfers_started_total") == 1
    assert value("active_transfers") == 0
    for direction in ("sent", "received"):
        assert value("bytes_transferred_total", direction=direction) == 1_000_000
    assert value("file_size_bytes_sum", file_type="text") == 1_000_000
    assert value("transfer_duration_seconds_count", status="success", size_category="1mb_10mb") == 1
    assert value("transfer_speed_mbps_count", method="relay") == 1
    assert value("chunk_transfer_duration_seconds_count", method="relay") == 8
    assert value("pqc_key_exchanges_total", algorithm="x25519_mlkem768", status="success") == 2
    for operation in ("keygen", "encapsulate", "decapsulate"):
        assert value("pqc_operations_total", operation=operation, status="success") == 1
    for operation in ("encrypt", "decrypt"):
        labels = {"algorithm": "aes_256_gcm", "operation": operation}
        assert value("encryption_operations_total", **labels, status="success") > 4
        assert value("encryption_duration_seconds_count", **labels) > 4
    assert value("client_reports_total", outcome="accepted") == 2
    assert value("client_reports_total", outcome="rejected") == 0
    assert value("label_overflow_total", metric="tallow_feature_usage_total") == 0


async def test_several_files_and_folders_are_one_transfer(server: RunningServer, tmp_path: Path) -> None:
    a_file(tmp_path / "album", "one.png", 70_000)
    a_file(tmp_path / "album" / "deep", "two.mp3", 300_000)
    (tmp_path / "empty.bin").touch()
    paths = [tmp_path / "album", tmp_path / "empty.bin"]
    _, receiver = await transfer_files(server.url, paths, tmp_path / "out", keep_metadata=True)
    assert (tmp_path / "out/album/one.png").read_bytes() == (tmp_path / "album/one.png").read_bytes()
    assert (tmp_path / "out/album/deep/two.mp3").stat().st_size == 300_000
    assert (tmp_path / "out/empty.bin").stat().st_size == 0
    assert len(receiver.events_named("file")) == 3
    assert server.value("transfers_total", status="success", method="relay") == 1
    sizes = {kind: server.value("file_size_bytes_count", file_type=kind) for kind in ("image", "audio")}
    assert sizes == {"image": 1, "audio": 1}


@pytest.mark.parametrize("first", ["sender", "receiver"])
async def test_either_side_may_join_first(server: RunningServer, tmp_path: Path, first: str) -> None:
    path = a_file(tmp_path)
    state = await create_room(server.url)
    if first == "sender":
        sender = await send(server.url, [path], sent=state)
        await sender.wait_for_event("waiting")
        receiver = receive(state.link, tmp_path / "out")
    else:
        receiver = receive(state.link, tmp_path / "out")
        await receiver.wait_for_event("waiting")
        sender = await send(server.url, [path], sent=state)
    await asyncio.gather(sender.task, receiver.task)
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    assert server.value("transfers_total", status="success", method="relay") == 1


async def test_both_sides_share_the_rooms_correlation_id(server: RunningServer, tmp_path: Path) -> None:
    sender = await send(server.url, [a_file(tmp_path)])
    await asyncio.gather(sender.task, receive(sender.link, tmp_path / "out").task)
    [room] = server.context.rooms.live.values()
    exemplars = {found for found, _, _ in server.registry.exemplars.values()}
    assert room.record.correlation_id in exemplars


async def test_the_sender_cancels(server: RunningServer, tmp_path: Path) -> None:
    sender = await send(server.url, [a_file(tmp_path, size=60_000_000)])
    receiver = receive(sender.link, tmp_path / "out")
    await receiver.wait_for_event("progress")
    sender.task.cancel()
    assert isinstance(await sender.wait_for_error(), asyncio.CancelledError)
    assert isinstance(await receiver.wait_for_error(), CancelledByPeerError)
    assert server.value("transfers_total", status="cancelled", method="relay") == 1
    assert not list((tmp_path / "out").iterdir())
    [stopped] = interrupted_transfers()
    assert stopped.resumable


async def test_the_receiver_cancels(server: RunningServer, tmp_path: Path) -> None:
    sender = await send(server.url, [a_file(tmp_path, size=60_000_000)])
    receiver = receive(sender.link, tmp_path / "out")
    await receiver.wait_for_event("progress")
    receiver.task.cancel()
    assert isinstance(await receiver.wait_for_error(), asyncio.CancelledError)
    assert isinstance(await sender.wait_for_error(), CancelledByPeerError)
    assert not list((tmp_path / "out").iterdir())
    assert server.value("transfers_total", status="cancelled", method="relay") == 1


async def test_a_sender_that_cancels_without_a_receiver_counts_no_transfer(
    server: RunningServer, tmp_path: Path
) -> None:
    sender = await send(server.url, [a_file(tmp_path)])
    await sender.wait_for_event("waiting")
    sender.task.cancel()
    await sender.wait_for_error()
    total = sum(
        server.value("transfers_total", status=status, method="relay")
        for status in ("success", "failed", "cancelled")
    )
    assert total == 0


async def test_without_telemetry_only_the_outcome_is_counted(tmp_path: Path) -> None:
    quiet = replace(RELAYED, telemetry=False)
    async with serving(tmp_path, outcome_report_timeout=0.1) as server:
        await transfer_files(server.url, [a_file(tmp_path)], tmp_path / "out", options=quiet)
        await server.wait_for_value("transfers_total", 1, status="success", method="relay")
        assert server.value("client_reports_total", outcome="accepted") == 0
        assert server.value("bytes_transferred_total", direction="sent") == 0


async def test_a_link_is_valid_for_one_transfer(server: RunningServer, tmp_path: Path) -> None:
    sender, _ = await transfer_files(server.url, [a_file(tmp_path)], tmp_path / "out")
    late = receive(sender.link, tmp_path / "late")
    assert isinstance(await late.wait_for_error(), ServerRefusedError)
    assert "has expired" in str(late.task.exception())


async def test_a_disk_error_ends_both_sides(server: RunningServer, tmp_path: Path) -> None:
    sent = await create_room(server.url)
    receiver = receive(sent.link, tmp_path / "out")
    await receiver.wait_for_event("waiting")
    (tmp_path / "out").rmdir()
    sender = await send(server.url, [a_file(tmp_path)], sent=sent)
    assert isinstance(await receiver.wait_for_error(), FileError)
    assert "cannot store" in str(await sender.wait_for_error())
    assert receiver.value("errors_total", type="storage", severity="high") == 1
    assert server.value("transfers_total", status="failed", method="relay") == 1


async def test_the_commands_send_and_receive(server: RunningServer, tmp_path: Path) -> None:
    path = a_file(tmp_path)
    async with tallow("send", "--relay", "--server", server.url, str(path), home=tmp_path / "s") as sender:
        link = (await sender.wait_for_event("link"))["link"]
        out = str(tmp_path / "out")
        async with tallow("receive", "-o", out, home=tmp_path / "r", given=f"{link}\n") as receiver:
            assert (await receiver.wait_for_event("finished"))["outcome"] == "success"
            assert await receiver.wait() == 0
        done = await sender.wait_for_event("finished")
        assert (done["outcome"], done["bytes"]) == ("success", 3_000_000)
        assert await sender.wait() == 0
        assert await sender.read_stderr() == ""
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    assert server.value("feature_usage_total", feature="send") == 1
    assert server.value("feature_usage_total", feature="json_output") == 2


@pytest.mark.parametrize(
    ("link", "status"), [("http://127.0.0.1:1/#aaaaaaaaaaaaaaaa.AAECAwQFBgcICQoLDA0ODw", 3), ("no link", 1)]
)
async def test_an_invalid_link_is_reported_in_one_line(tmp_path: Path, link: str, status: int) -> None:
    async with tallow("receive", home=tmp_path, given=link) as receiver:
        error = await receiver.wait_for_event("error")
        assert error["type"] in {"network", "validation"}
        assert "AAECAw" not in error["message"]
        assert await receiver.wait() == status
        assert await receiver.read_stderr() == ""


@pytest.mark.parametrize("who", ["sender", "receiver"])
async def test_ctrl_c_cancels_on_both_sides(server: RunningServer, tmp_path: Path, who: str) -> None:
    path = a_file(tmp_path, size=60_000_000)
    async with throttling_proxy(server.url) as proxy:
        proxy.rate = 20_000_000
        arguments = ("send", "--relay", "--server", proxy.url, str(path))
        async with tallow(*arguments, home=tmp_path / "s") as sender:
            link = (await sender.wait_for_event("link"))["link"]
            out = str(tmp_path / "out")
            async with tallow("receive", "-o", out, home=tmp_path / "r", given=link) as receiver:
                await receiver.wait_for_event("progress")
                here, there = (sender, receiver) if who == "sender" else (receiver, sender)
                here.process.send_signal(signal.SIGINT)
                assert await here.wait() == 130
                assert await there.wait() == 1
                for side, by in ((here, "this side"), (there, "other side")):
                    assert side.events[-1] == {"event": "finished", "outcome": "cancelled", "by": by}
                    assert await side.read_stderr() == ""
    assert server.value("transfers_total", status="cancelled", method="relay") == 1


@pytest.mark.parametrize("variable", [{"DO_NOT_TRACK": "1"}, {}], ids=["DO_NOT_TRACK", "--no-telemetry"])
async def test_opting_out_sends_no_report(
    server: RunningServer, tmp_path: Path, variable: dict[str, str]
) -> None:
    path = a_file(tmp_path)
    quiet = () if variable else ("--no-telemetry",)
    arguments = ("send", "--relay", "--server", server.url, str(path), *quiet)
    async with tallow(*arguments, home=tmp_path / "s", **variable) as sender:
        link = (await sender.wait_for_event("link"))["link"]
        arguments = ("receive", "-o", str(tmp_path / "out"), *quiet)
        async with tallow(*arguments, home=tmp_path / "r", given=link, **variable) as receiver:
            assert await receiver.wait() == 0
        assert await sender.wait() == 0
    for outcome in ("accepted", "rejected", "rate_limited"):
        assert server.value("client_reports_total", outcome=outcome) == 0


async def test_a_link_with_plain_http_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, size=1)
    server = "http://tallow.example"
    async with tallow("send", "--server", server, str(path), home=tmp_path) as refused:
        assert "plain http" in (await refused.wait_for_event("error"))["message"]
        assert await refused.wait() == 1
    async with tallow(
        "send", "--insecure", "--server", "http://192.0.2.1:9", str(path), home=tmp_path
    ) as tried:
        tried.process.kill()


async def test_metadata_is_removed_unless_kept(server: RunningServer, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a private camera"
    picture = tmp_path / "picture.jpg"
    Image.new("RGB", (8, 8)).save(picture, exif=exif)
    await transfer_files(server.url, [picture], tmp_path / "out")
    assert b"a camera" not in (tmp_path / "out" / picture.name).read_bytes()
    assert server.value("metadata_stripped_total", file_type="image", status="success") == 1
    await transfer_files(server.url, [picture], tmp_path / "kept", keep_metadata=True)
    assert (tmp_path / "kept" / picture.name).read_bytes() == picture.read_bytes()
    assert server.value("metadata_stripped_total", file_type="image", status="success") == 1


async def test_a_named_private_authority_is_trusted(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    folder = tmp_path / "server"
    folder.mkdir()
    path = a_file(tmp_path)
    async with tallow_serve(folder, "--tls-cert", str(certificate), "--tls-key", str(key)) as server:
        to = ("--server", server.url)
        async with tallow("send", *to, str(path), home=tmp_path / "s") as distrusting:
            assert "certificate is not trusted" in (await distrusting.wait_for_event("error"))["message"]
        trusting = ("--ca", str(certificate))
        async with tallow("send", "--relay", *to, *trusting, str(path), home=tmp_path / "s") as sender:
            link = (await sender.wait_for_event("link"))["link"]
            out = str(tmp_path / "out")
            by_variable = {"SSL_CERT_FILE": str(certificate)}
            async with tallow(
                "receive", "-o", out, home=tmp_path / "r", given=link, **by_variable
            ) as receiver:
                assert await receiver.wait() == 0
            assert await sender.wait() == 0
    assert (tmp_path / "out" / path.name).exists()


async def test_a_second_receiver_is_refused(server: RunningServer, tmp_path: Path) -> None:
    sent = await create_room(server.url)
    first = receive(sent.link, tmp_path / "first")
    await first.wait_for_event("waiting")
    # As on another machine, which has no state.
    (tmp_path / "home/state/tallow/transfers" / f"receive-{sent.link.room}.json").unlink()
    second = receive(sent.link, tmp_path / "second")
    assert "another program" in str(await second.wait_for_error())
    sender = await send(server.url, [a_file(tmp_path)], sent=sent)
    await asyncio.gather(sender.task, first.task)


async def test_many_small_files_leave_no_descriptor_open(server: RunningServer, tmp_path: Path) -> None:
    for number in range(300):
        a_file(tmp_path / "many", f"{number}.bin", number)
    before = len(list(Path("/proc/self/fd").iterdir()))
    await transfer_files(server.url, [tmp_path / "many"], tmp_path / "out")
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 5
    for number in range(300):
        assert (tmp_path / "out/many" / f"{number}.bin").stat().st_size == number
    assert server.value("file_size_bytes_count", file_type="application") == 300


async def test_a_picture_that_cannot_be_stripped_is_refused_by_name(
    server: RunningServer, tmp_path: Path
) -> None:
    (tmp_path / "x.jpg").write_bytes(bytes.fromhex("ffd8ffda00046162") + b"\xff" * 400_000)
    async with tallow("send", "--server", server.url, str(tmp_path / "x.jpg"), home=tmp_path / "s") as sender:
        assert await sender.wait() == 1
    assert [event["message"] for event in sender.events if event["event"] == "error"] == [
        "the metadata of x.jpg cannot be removed (broken JPEG); --keep-metadata sends files as they are"
    ]


async def test_the_sender_is_warned_about_kept_metadata(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "x.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    for more, count in (((), 1), (("--keep-metadata",), 0)):
        arguments = ("send", "--server", server.url, *more, str(tmp_path / "x.heic"))
        async with tallow(*arguments, home=tmp_path / "s") as sender:
            await sender.wait_for_event("link")
        warnings = [event["message"] for event in sender.events if event["event"] == "warning"]
        assert len(warnings) == count
        assert all("not removed from x.heic (HEIC)" in warning for warning in warnings)


async def test_a_sender_with_refused_files_does_not_wait(
    server: RunningServer,
) -> None:
    async def refused() -> PreparedFiles:
        raise FileError("cannot read x: permission denied")

    preparing = asyncio.create_task(refused())
    await asyncio.wait({preparing})
    sent = await create_room(server.url)
    async with ServerClient(server.url, tls_context()) as client:
        sender = TransferSender(client, sent, preparing, RELAYED, new_metrics(), RunningPeer())
        with pytest.raises(FileError, match="permission denied"):
            await sender.run()
    await server.wait_for_value("active_connections", 0, type="websocket")
