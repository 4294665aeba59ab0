"""Small files beside large ones, and one that changes before it is sent."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from support.transfers.peers import receive, send, transfer_files
from support.transfers.server import RunningServer
from tallow.app.crypto.errors import SourceChangedError
from tallow.app.files.partial_file import PartialFile
from tallow.app.files.small_files import MAX_SMALL_BYTES
from tallow.app.files.small_sources import FILES
from tallow.app.peer.transfer.manifest import Manifest

pytestmark = pytest.mark.slow


async def test_small_and_large_files_arrive_in_any_order(server: RunningServer, tmp_path: Path) -> None:
    sizes = [0, 10, MAX_SMALL_BYTES, MAX_SMALL_BYTES + 1, 1, 3_000_000, *[3] * (FILES + 1), 0]
    paths = [tmp_path / f"file {number}" for number in range(len(sizes))]
    for path, size in zip(paths, sizes, strict=True):
        path.write_bytes(os.urandom(size))
    await transfer_files(server.url, paths, tmp_path / "out")
    for path in paths:
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    assert server.value("bytes_transferred_total", direction="sent") == sum(sizes)


async def test_a_small_file_that_changes_before_it_is_sent_is_refused(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver learns the reason, although it reads it only after it cannot confirm the first file."""
    paths = [tmp_path / name for name in ("kept", "changed", "last")]
    for path in paths:
        path.write_bytes(os.urandom(10))

    async def change(_manifest: Manifest) -> bool:
        os.utime(paths[1], (1, 1))
        return True

    sender = await send(server.url, paths)
    finish = PartialFile.finish

    def finish_late(file: PartialFile) -> Path:  # runs in a thread, like a slow disk
        while not sender.task.done():
            time.sleep(0.01)
        return finish(file)

    monkeypatch.setattr(PartialFile, "finish", finish_late)
    receiver = receive(sender.link, tmp_path / "out", confirm=change)
    assert str(await sender.wait_for_error()) == "changed was changed while it was being sent"
    assert type(await receiver.wait_for_error()) is SourceChangedError
    assert not (tmp_path / "out" / "changed").exists()
    assert not (tmp_path / "out" / "last").exists()
