"""Small files are read several at a time: groups, and errors in their order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallow.app.files.small_files import MAX_SMALL_BYTES
from tallow.app.files.small_sources import FILES, grouped, is_small, read_whole
from tallow.app.files.source_file import FileChangedError, source_file


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
