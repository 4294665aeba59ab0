"""Small files are read several at a time: groups, errors in their order, and files that change meanwhile."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.transfers.peers import receive, send, transfer_files
from support.transfers.server import RunningServer
from tallow.app.crypto.errors import SourceChangedError
from tallow.app.files.partial_file import PartialFile
from tallow.app.files.small_files import MAX_SMALL_BYTES
from tallow.app.files.source_file import FileChangedError, source_file
from tallow.app.peer.transfer.manifest import Manifest
from tallow.app.peer.transfer.small_sources import FILES, grouped, is_small, read_whole


@given(st.lists(st.booleans(), max_size=4 * FILES))
def test_groups_have_all_files_in_their_order(small: list[bool]) -> None:
    groups = list(grouped(range(len(small)), small.__getitem__))
    assert [file for group in groups for file in group] == list(range(len(small)))
    assert all(len(group) == 1 or all(small[file] for file in group) for group in groups)
    assert all(1 <= len(group) <= FILES for group in groups)


def test_small_files_beside_each_other_are_one_group() -> None:
    groups = list(grouped(range(2 * FILES + 3), lambda file: file != FILES + 2))
    assert [len(group) for group in groups] == [FILES, 2, 1, FILES]


@pytest.mark.parametrize(
    ("size", "small"), [(0, True), (MAX_SMALL_BYTES, True), (MAX_SMALL_BYTES + 1, False)]
)
def test_files_up_to_the_limit_are_small(tmp_path: Path, size: int, small: bool) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(size))
    assert is_small(source_file(path, "file")) is small


def test_files_before_one_that_changed_are_read(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.write_text(path.name)
    sources = [source_file(path, path.name) for path in paths]
    os.utime(paths[1], (1, 1))
    contents, error = read_whole(sources)
    assert contents == [b"a"]
    assert type(error) is FileChangedError
    assert str(error) == "b was changed while it was being sent"


@pytest.mark.slow
async def test_small_and_large_files_arrive_in_any_order(server: RunningServer, tmp_path: Path) -> None:
    sizes = [0, 10, MAX_SMALL_BYTES, MAX_SMALL_BYTES + 1, 1, 3_000_000, *[3] * (FILES + 1), 0]
    paths = [tmp_path / f"file {number}" for number in range(len(sizes))]
    for path, size in zip(paths, sizes, strict=True):
        path.write_bytes(os.urandom(size))
    await transfer_files(server.url, paths, tmp_path / "out")
    for path in paths:
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    assert server.value("bytes_transferred_total", direction="sent") == sum(sizes)


@pytest.mark.slow
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
