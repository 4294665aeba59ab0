"""Private files: modes, replacement in one step, drafts."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tallow.monitoring.lifecycle.private_files import append_private, drafts, private_folder, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_file_and_its_folders_are_private(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "secret"
    assert write_private(file, "token")
    assert (file.read_text(), mode(file)) == ("token", 0o600)
    assert [mode(folder) for folder in (file.parent, file.parent.parent)] == [0o700, 0o700]


def test_only_a_change_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "file"
    assert [write_private(file, content, durable=False) for content in (b"1", b"1", b"2")] == [
        True,
        False,
        True,
    ]
    assert file.read_bytes() == b"2"


def test_a_readable_file_with_the_same_content_becomes_private(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("token")
    file.chmod(0o644)
    assert not write_private(file, "token")
    assert mode(file) == 0o600


def test_a_symbolic_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("untouched")
    link.symlink_to(target)
    (tmp_path / f".link.{os.getpid()}").symlink_to(target)
    write_private(link, "token")
    assert target.read_text() == "untouched"
    assert (link.is_symlink(), link.read_text()) == (False, "token")


def test_a_failed_write_keeps_the_old_file_and_leaves_no_draft(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "inner").touch()
    with pytest.raises(OSError):  # noqa: PT011 - a folder cannot be replaced by a file: several errors
        write_private(folder, "token")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_appending_keeps_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "log"
    for line in (b"one\n", b"two\n"):
        with os.fdopen(append_private(file), "ab") as out:
            out.write(line)
    assert (file.read_bytes(), mode(file)) == (b"one\ntwo\n", 0o600)


def test_existing_folders_keep_their_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    private_folder(tmp_path / "new")
    assert (mode(tmp_path), mode(tmp_path / "new")) == (0o755, 0o700)


def test_drafts_are_found_with_their_process(tmp_path: Path) -> None:
    for name in (".a.json.12", ".b.json.13", ".a.json.text", "a.json.14"):
        (tmp_path / name).touch()
    assert sorted((path.name, pid) for path, pid in drafts(tmp_path)) == [
        (".a.json.12", 12),
        (".b.json.13", 13),
    ]
    assert [pid for _, pid in drafts(tmp_path, "a.json")] == [12]
