"""The destination folder: nothing outside is touched, nothing is overwritten, every file is verified."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.process_usage import open_descriptors
from tallow.app.files.destination import DestinationFolder
from tallow.app.files.errors import FileError
from tallow.app.files.names import PARTIAL
from tallow.app.files.partial_file import PartialFile

KEY = b"k" * 32
TEXT = b"what was sent"


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder beside the destination, which no test may change."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_bytes(b"secret")
    yield folder
    assert [path.name for path in folder.iterdir()] == ["secret"]
    assert (folder / "secret").read_bytes() == b"secret"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "in"


@pytest.fixture
def into(folder: Path) -> Iterator[DestinationFolder]:
    with DestinationFolder(folder) as destination:
        yield destination


def begin(into: DestinationFolder, name: str, data: bytes = TEXT, key: bytes = KEY) -> PartialFile:
    return into.open_partial(name, len(data), hashlib.sha256(data).digest(), key)


def receive(into: DestinationFolder, name: str, data: bytes = TEXT) -> Path:
    partial = begin(into, name, data)
    partial.write(data)
    return partial.finish()


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def fail_with(monkeypatch: pytest.MonkeyPatch, call: str, number: int) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)


def test_a_file_is_received(into: DestinationFolder, folder: Path) -> None:
    assert receive(into, "trip/photo.jpg") == folder / "trip" / "photo.jpg"
    assert files(folder) == ["trip/photo.jpg"]
    assert (folder / "trip" / "photo.jpg").read_bytes() == TEXT


def test_an_empty_file_is_received(into: DestinationFolder) -> None:
    assert receive(into, "x", b"").read_bytes() == b""


def test_an_incomplete_file_has_a_temporary_name(into: DestinationFolder, folder: Path) -> None:
    partial = begin(into, "trip/photo.jpg")
    partial.write(TEXT[:4])
    [name] = files(folder)
    assert name.startswith("trip/photo.jpg.")
    assert name.endswith(PARTIAL)
    partial.write(TEXT[4:])
    assert files(folder) == [name]
    partial.finish()
    assert files(folder) == ["trip/photo.jpg"]


@pytest.mark.parametrize(
    "name",
    [
        "../../x",
        "/etc/x",
        "C:\\x",
        "\\\\server\\x",
        "NUL",
        "a\0b\nc",
        "x" * 300,
        "d/" * 2000 + "x",
        "..",
        "",
        "\u202e",
    ],
)
def test_a_hostile_name_stays_inside(
    into: DestinationFolder, folder: Path, tmp_path: Path, name: str
) -> None:
    path = receive(into, name)
    assert folder in path.resolve().parents
    assert [found.name for found in tmp_path.iterdir()] == ["in"]
    assert path.read_bytes() == TEXT


def test_a_taken_name_gets_a_number(into: DestinationFolder, folder: Path) -> None:
    (folder / "x.txt").write_bytes(b"mine")
    assert [receive(into, "x.txt").name for _ in range(2)] == ["x (2).txt", "x (3).txt"]
    assert (folder / "x.txt").read_bytes() == b"mine"


def test_a_symbolic_link_in_place_of_the_file_is_a_taken_name(
    into: DestinationFolder, folder: Path, outside: Path
) -> None:
    (folder / "x").symlink_to(outside / "secret")
    (folder / "y").symlink_to(outside / "new")
    assert receive(into, "x").name == "x (2)"
    assert receive(into, "y").name == "y (2)"
    assert not (folder / "y (2)").is_symlink()


def test_a_symbolic_link_in_place_of_a_folder_is_a_taken_name(
    into: DestinationFolder, folder: Path, outside: Path
) -> None:
    (folder / "trip").symlink_to(outside)
    (folder / "a").mkdir()
    (folder / "a" / "b").symlink_to(outside)
    paths = [receive(into, name) for name in ("trip/x", "trip/secret", "a/b/c/x")]
    assert [str(path.relative_to(folder)) for path in paths] == [
        "trip (2)/x",
        "trip (2)/secret",
        "a/b (2)/c/x",
    ]


def test_a_file_in_place_of_a_folder_is_a_taken_name(into: DestinationFolder, folder: Path) -> None:
    (folder / "trip").write_bytes(b"mine")
    assert receive(into, "trip/x") == folder / "trip (2)" / "x"


def test_a_folder_replaced_by_a_link_does_not_redirect_the_file(
    into: DestinationFolder, folder: Path, outside: Path
) -> None:
    partial = begin(into, "trip/secret")
    (folder / "trip").rename(folder / "moved")
    (folder / "trip").symlink_to(outside)
    partial.write(TEXT)
    partial.finish()
    assert (folder / "moved" / "secret").read_bytes() == TEXT


@pytest.mark.parametrize("planted", ["symlink", "dangling", "hard link", "pipe"])
def test_a_planted_partial_file_is_not_written_to(
    into: DestinationFolder, folder: Path, outside: Path, planted: str
) -> None:
    begin(into, "x").close()
    [name] = files(folder)
    (folder / name).unlink()
    match planted:
        case "symlink":
            (folder / name).symlink_to(outside / "secret")
        case "dangling":
            (folder / name).symlink_to(outside / "new")
        case "hard link":
            (folder / name).hardlink_to(outside / "secret")
        case _:
            os.mkfifo(folder / name)
    assert receive(into, "x").read_bytes() == TEXT


def test_a_replaced_partial_file_gets_no_final_name(into: DestinationFolder, folder: Path) -> None:
    partial = begin(into, "x")
    partial.write(TEXT)
    [name] = files(folder)
    (folder / name).unlink()
    (folder / name).write_bytes(b"another's")
    with pytest.raises(FileError, match=r"^x was replaced while it was being received$"):
        partial.finish()


def test_an_interrupted_file_is_resumed(into: DestinationFolder, folder: Path) -> None:
    first = begin(into, "x")
    first.write(TEXT[:5])
    first.close()
    second = begin(into, "x")
    assert second.received == 5
    second.write(TEXT[5:])
    assert second.finish().read_bytes() == TEXT
    assert files(folder) == ["x"]


KILLED = f"""
import hashlib, os, signal, sys
from tallow.app.files.destination import DestinationFolder
folder = DestinationFolder(sys.argv[1])
partial = folder.open_partial("x", {len(TEXT)}, hashlib.sha256({TEXT!r}).digest(), {KEY!r})
partial.write({TEXT[:5]!r})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_receiver_resumes(into: DestinationFolder, folder: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert begin(into, "x").received == 5


@pytest.mark.parametrize("other", ["key", "content", "size"])
def test_another_transfer_does_not_resume_it(into: DestinationFolder, other: str) -> None:
    first = begin(into, "x")
    first.write(TEXT[:5])
    first.close()
    data = {"content": TEXT[::-1], "size": TEXT + b"!"}.get(other, TEXT)
    assert begin(into, "x", data, b"o" * 32 if other == "key" else KEY).received == 0


def test_a_changed_partial_file_is_detected(into: DestinationFolder, folder: Path) -> None:
    first = begin(into, "x")
    first.write(TEXT[:5])
    first.close()
    [name] = files(folder)
    (folder / name).write_bytes(b"wrong")
    second = begin(into, "x")
    second.write(TEXT[5:])
    with pytest.raises(FileError, match=r"^x is not the announced file: its hash differs; removed$"):
        second.finish()
    assert files(folder) == []


def test_a_partial_file_that_is_too_long_is_emptied(into: DestinationFolder, folder: Path) -> None:
    begin(into, "x").close()
    [name] = files(folder)
    (folder / name).write_bytes(TEXT * 2)
    assert begin(into, "x").received == 0


def test_a_second_receiver_of_the_same_file_is_refused(into: DestinationFolder) -> None:
    first = begin(into, "x")
    with pytest.raises(FileError, match=r"^x is being received by another process$"):
        begin(into, "x")
    first.write(TEXT)
    assert first.finish().read_bytes() == TEXT


def test_an_incomplete_file_is_kept_without_a_final_name(into: DestinationFolder, folder: Path) -> None:
    partial = begin(into, "x")
    partial.write(TEXT[:5])
    with pytest.raises(FileError, match=r"^x is incomplete: 5 of 13 bytes received$"):
        partial.finish()
    partial.close()
    assert begin(into, "x").received == 5


def test_a_file_with_a_wrong_hash_is_removed(into: DestinationFolder, folder: Path) -> None:
    partial = begin(into, "trip/x")
    partial.write(TEXT[::-1])
    with pytest.raises(FileError, match="its hash differs"):
        partial.finish()
    assert list(folder.iterdir()) == []


def test_more_bytes_than_announced_are_refused(into: DestinationFolder) -> None:
    partial = begin(into, "x")
    partial.write(TEXT)
    with pytest.raises(FileError, match=r"^x: more bytes came than announced$"):
        partial.write(b"!")
    assert partial.finish().read_bytes() == TEXT


def test_discarding_removes_the_file_and_its_folders(into: DestinationFolder, folder: Path) -> None:
    (folder / "mine").mkdir()
    partial = begin(into, "mine/a/b/x")
    partial.write(TEXT[:5])
    partial.discard()
    assert sorted(folder.rglob("*")) == [folder / "mine"]
    partial.discard()


def test_discarding_keeps_other_files(into: DestinationFolder, folder: Path) -> None:
    partial = begin(into, "a/b/x")
    (folder / "a" / "mine").touch()
    partial.discard()
    assert files(folder) == ["a/mine"]
    assert not (folder / "a" / "b").exists()


def test_a_full_disk_is_reported_in_one_line_and_received_bytes_are_kept(into: DestinationFolder) -> None:
    partial = begin(into, "x")
    partial.write(TEXT[:5])
    full = os.open("/dev/full", os.O_WRONLY)
    with partial._file.use() as file:
        os.dup2(full, file)  # the kernel's own error, without a full disk
    os.close(full)
    with pytest.raises(FileError, match=r"^cannot write x: the disk is full$"):
        partial.write(TEXT[5:])
    partial.close()
    assert begin(into, "x").received == 5


def test_a_file_larger_than_the_free_space_is_refused(into: DestinationFolder, folder: Path) -> None:
    with pytest.raises(FileError, match=r"^cannot write x: 1,000,000,000,000\.0 MB are needed, the disk has"):
        into.open_partial("x", 10**18, bytes(32), KEY)
    assert files(folder) == []


def test_a_disk_without_hard_links_is_supported(
    into: DestinationFolder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(monkeypatch, "link", errno.EPERM)  # as FAT has it
    (folder / "x").write_bytes(b"mine")
    assert receive(into, "x").read_bytes() == TEXT
    assert files(folder) == ["x", "x (2)"]
    assert (folder / "x").read_bytes() == b"mine"


def test_a_complete_file_is_found(into: DestinationFolder, folder: Path, outside: Path) -> None:
    path = receive(into, "trip/x")
    digest = hashlib.sha256(TEXT).digest()
    assert into.find_complete("trip/x", len(TEXT), digest) == path
    assert into.find_complete("trip/x", len(TEXT), bytes(32)) is None
    assert into.find_complete("trip/x", 3, digest) is None
    assert into.find_complete("missing/x", len(TEXT), digest) is None
    (folder / "link").symlink_to(outside)
    secret = hashlib.sha256(b"secret").digest()
    assert into.find_complete("link/secret", 6, secret) is None
    (folder / "secret").symlink_to(outside / "secret")
    assert into.find_complete("secret", 6, secret) is None


def test_an_unusable_folder_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match=r"^cannot write to .*file: file exists$"):
        DestinationFolder(tmp_path / "file")
    with pytest.raises(FileError, match=r"^cannot write to .*below: not a directory$"):
        DestinationFolder(tmp_path / "file" / "below")


def test_no_descriptor_is_left_open(folder: Path) -> None:
    before = open_descriptors()
    with DestinationFolder(folder) as into:
        (folder / "file").touch()
        receive(into, "a/b/c")
        receive(into, "file/x")
        begin(into, "kept").close()
        begin(into, "trip/discarded").discard()
        with pytest.raises(FileError):
            into.open_partial("huge", 10**18, bytes(32), KEY)
        into.find_complete("a/b/c", 1, bytes(32))
        into.find_complete("a/x/c", 1, bytes(32))
    assert open_descriptors() == before


def test_only_the_partial_file_is_removed(tmp_path: Path) -> None:
    content = b"half of it, and the other half"
    digest = hashlib.sha256(content).digest()
    with DestinationFolder(tmp_path) as destination:
        for name in ("folder/one.txt", "folder/two.txt"):
            partial = destination.open_partial(name, len(content), digest, b"key")
            partial.write(content[:10])
            partial.close()
        destination.remove_partial("folder/one.txt", len(content), digest, b"another key")
        assert len(list((tmp_path / "folder").iterdir())) == 2
        destination.remove_partial("folder/one.txt", len(content), digest, b"key")
        destination.remove_partial("no/such.txt", len(content), digest, b"key")
    [left] = (tmp_path / "folder").iterdir()
    assert left.name.startswith("two.txt.")


def test_more_bytes_than_free_space_are_refused(tmp_path: Path) -> None:
    with DestinationFolder(tmp_path) as destination:
        destination.check_free_space(1)
        with pytest.raises(FileError, match="MB are needed, the disk has"):
            destination.check_free_space(2**62)
