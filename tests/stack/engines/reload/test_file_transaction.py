"""Several files are replaced together, or none of them."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tallow.stack.engines.reload.file_transaction import FileTransaction


def content(folder: Path) -> dict[str, str]:
    """The content of every file in a folder, by its path."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "files" / name).write_text(f"old {name}")
    return tmp_path / "files"


def transaction(files: Path, **content_by_name: str) -> FileTransaction:
    new = {files / name: text for name, text in content_by_name.items()}
    return FileTransaction(new, [files / "c"], files.parent / "change")


def test_files_are_replaced_added_and_removed(files: Path) -> None:
    change = transaction(files, a="new a", b="old b", d="new d")
    assert [path.name for path in change.paths] == ["a", "d", "c"]
    change.prepare()
    assert content(files) == {"a": "old a", "b": "old b", "c": "old c"}
    change.apply()
    change.close()
    assert content(files) == {"a": "new a", "b": "old b", "d": "new d"}
    assert stat.S_IMODE((files / "a").stat().st_mode) == 0o600
    assert list(files.parent.iterdir()) == [files]


def test_an_applied_change_can_be_undone(files: Path) -> None:
    before = content(files)
    os.utime(files / "a", (1, 1))
    change = transaction(files, a="new a", d="new d")
    change.prepare()
    change.apply()
    change.undo()
    change.close()
    assert content(files.parent) == {f"files/{name}": text for name, text in before.items()}
    assert (files / "a").stat().st_mtime > 1, "services see that it changed"


def test_an_empty_change_writes_nothing(files: Path) -> None:
    change = FileTransaction({files / "a": "old a"}, [files / "z"], files.parent / "change")
    assert change.paths == ()


def test_all_files_are_restored_if_one_cannot_be_replaced(files: Path) -> None:
    before = content(files)
    change = transaction(files, a="new a", d="new d")
    change.prepare()
    (files / "d").mkdir()  # by somebody else, at this moment
    (files / "d" / "inside").write_text("")
    with pytest.raises(OSError, match="directory"):
        change.apply()
    change.close()
    assert content(files) == before | {"d/inside": ""}


def test_files_of_an_interrupted_transaction_are_removed(files: Path) -> None:
    (files.parent / "change").mkdir()
    (files.parent / "change" / "0.new").write_text("left behind")
    change = transaction(files, a="new a")
    change.prepare()
    change.apply()
    change.close()
    assert (files / "a").read_text() == "new a"


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    """Uses a file system of 64 KiB in a mount namespace; skipped if that is not allowed."""
    code = textwrap.dedent(
        """
        import pathlib, sys
        from tallow.stack.engines.reload.file_transaction import FileTransaction
        root = pathlib.Path(sys.argv[1])
        for name in "ab":
            (root / name).write_text("old")
        change = FileTransaction({root / "a": "new", root / "b": "x" * 100_000}, [], root / "change")
        try:
            change.prepare()
        except OSError as error:
            names = sorted(path.name for path in root.iterdir())
            print(error.errno, (root / "a").read_text(), (root / "b").read_text(), *names)
        """
    )
    (tmp_path / "mount").mkdir()
    script = f'mount -t tmpfs -o size=64k none "$1" && exec "{sys.executable}" -c "$2" "$1"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", str(tmp_path / "mount"), code],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        pytest.skip(f"no mount namespace: {done.stderr.strip()}")
    assert done.stdout.split() == ["28", "old", "old", "a", "b"]
