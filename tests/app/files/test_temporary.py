"""Temporary folders: removed at the end of their block, or by the next start after a kill."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tallow.app.files import temporary
from tallow.app.files.temporary import MARKER, remove_abandoned, temporary_folder

HOLD = """
import sys
from tallow.app.files.temporary import temporary_folder
with temporary_folder() as folder:
    (folder / "copy.jpg").write_bytes(b"x")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def holder() -> tuple[subprocess.Popen[str], Path]:
    """Another process with a temporary folder, and that folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def test_a_folder_is_removed_at_the_end_of_its_block(place: Path) -> None:
    with pytest.raises(ZeroDivisionError), temporary_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "below").mkdir()
        (folder / "below" / "file").touch()
        raise ZeroDivisionError
    assert list(place.iterdir()) == []


def test_only_folders_of_exited_processes_are_removed() -> None:
    process, folder = holder()
    with process:
        remove_abandoned()
        assert (folder / "copy.jpg").exists()
        process.kill()
    remove_abandoned()
    assert not folder.exists()


def test_the_folder_of_this_process_is_kept() -> None:
    with temporary_folder() as folder:
        remove_abandoned()
        assert folder.exists()


def test_other_folders_are_kept(place: Path) -> None:
    process, folder = holder()
    with process:
        process.kill()
    photos = place / "photos"
    shutil.move(folder, photos)  # to another name
    (place / "tallow-link").symlink_to(photos)
    (place / "tallow-unmarked").mkdir()
    (place / "tallow-unmarked" / "letter").touch()
    (place / "tallow-file").touch()
    before = sorted(place.rglob("*"))
    remove_abandoned()
    assert sorted(place.rglob("*")) == before
    assert (photos / "copy.jpg").exists()


def test_a_marker_that_is_a_symbolic_link_is_ignored(place: Path) -> None:
    (place / "target").touch()
    (place / "tallow-abcdefgh").mkdir()
    (place / "tallow-abcdefgh" / MARKER).symlink_to(place / "target")
    remove_abandoned()
    assert (place / "tallow-abcdefgh").exists()


def test_a_folder_removed_before_it_is_locked_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = temporary._lock
    first: list[Path] = []

    def late(folder: Path, flags: int = 0) -> int:
        if not first:
            first.append(folder)
            shutil.rmtree(folder)
        return lock(folder, flags)

    monkeypatch.setattr(temporary, "_lock", late)
    with temporary_folder() as folder:
        assert folder.exists()
        assert folder != first[0]


def test_a_writing_thread_does_not_keep_the_folder(place: Path) -> None:
    ended = threading.Event()

    def write(folder: Path) -> None:
        number = 0
        while not ended.is_set():
            number += 1
            try:
                (folder / str(number)).touch()
            except OSError:
                return

    with temporary_folder() as folder:
        thread = threading.Thread(target=write, args=(folder,))
        thread.start()
    try:
        assert not folder.exists()
    finally:
        ended.set()
        thread.join()
    assert list(place.iterdir()) == []


KILLED = """
import os, shutil
from tallow.app.files.temporary import temporary_folder
with temporary_folder() as folder:
    (folder / "below").mkdir()
    (folder / "copy.jpg").write_bytes(b"x")
    shutil.rmtree = lambda *_, **__: os._exit(0)
"""


def test_an_interrupted_removal_is_finished_by_the_next_start(place: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED], check=True)
    assert [left.name for left in place.iterdir()] != []
    remove_abandoned()
    assert list(place.iterdir()) == []
