"""Files to send: regular files, in a fixed order, unchanged since they were chosen."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.process_usage import open_descriptors
from support.transfers.source_files import collect_files
from tallow.app.files.errors import FileError
from tallow.app.files.source_file import FileChangedError


@contextmanager
def unix_socket(path: Path) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
        yield


def tree(folder: Path) -> Path:
    for name in ("b.txt", "a/2.txt", "a/10.txt", "c/d/e.txt"):
        path = folder / "trip" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder / "trip"


def test_a_file_is_sent_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"x" * 10)
    [source] = collect_files([path])
    assert (source.name, source.size, source.path, source.mime_type) == ("photo.jpg", 10, path, "image/jpeg")


def test_a_folder_is_sent_with_its_name_and_all_below(tmp_path: Path) -> None:
    assert [source.name for source in collect_files([tree(tmp_path)])] == [
        "trip/a/10.txt",
        "trip/a/2.txt",
        "trip/b.txt",
        "trip/c/d/e.txt",
    ]


def test_the_current_folder_is_sent_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree(tmp_path))
    assert collect_files(["."])[0].name == "trip/a/10.txt"
    monkeypatch.chdir("a")
    assert collect_files([".."])[0].name == "trip/a/10.txt"


def test_files_with_the_same_name_get_numbers(tmp_path: Path) -> None:
    for folder in ("one", "two", "three"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.tar.gz").touch()
    paths = [tmp_path / folder / "x.tar.gz" for folder in ("one", "two", "three")]
    assert [source.name for source in collect_files(paths)] == ["x.tar.gz", "x (2).tar.gz", "x (3).tar.gz"]


def test_content_is_read_at_any_offset(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(bytes(range(256)) * 20_000)
    [source] = collect_files([path])
    assert source.read(255, 3) == b"\xff\x00\x01"
    assert source.read(source.size - 1, 100) == b"\xff"
    assert source.read(source.size, 100) == b""


def test_an_empty_file_is_sent(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    [source] = collect_files([tmp_path / "x"])
    assert (source.size, source.read(0, 1)) == (0, b"")


@pytest.mark.parametrize("change", ["longer", "shorter", "other", "replaced"])
def test_a_changed_file_is_refused(tmp_path: Path, change: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"before")
    [source] = collect_files([path])
    if change == "replaced":
        (tmp_path / "new").write_bytes(b"before")
        (tmp_path / "new").replace(path)
    else:
        path.write_bytes({"longer": b"before and", "shorter": b"be", "other": b"behind"}[change])
    os.utime(path, ns=(1, 1) if change == "other" else (source.identity[3], source.identity[3]))
    with pytest.raises(FileChangedError, match=r"^x was changed while it was being sent$"):
        source.read(0, 6)


def test_a_file_that_changes_while_it_is_open_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"before")
    [source] = collect_files([path])
    assert source.read(0, 3) == b"bef"
    with path.open("ab") as opened:
        opened.write(b"!")
    with pytest.raises(FileChangedError):
        source.read(3, 3)


def test_a_named_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"content")
    (tmp_path / "link.txt").symlink_to("real")
    [source] = collect_files([tmp_path / "link.txt"])
    assert (source.name, source.read(0, 100)) == ("link.txt", b"content")


def test_a_symbolic_link_inside_a_folder_is_left_out_and_reported(tmp_path: Path) -> None:
    folder = tree(tmp_path)
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_bytes(b"secret")
    (folder / "one").symlink_to(secret / "key")
    (folder / "two").symlink_to(secret)
    (folder / "three").symlink_to(folder)
    lines: list[str] = []
    names = [source.name for source in collect_files([folder], lines.append)]
    assert len(names) == 4
    assert [line.rpartition("/")[2] for line in lines] == [
        "one is a symbolic link; left out; --links sends it",
        "three is a symbolic link; left out; --links sends it",
        "two is a symbolic link; left out; --links sends it",
    ]


def test_sockets_and_pipes_are_refused_by_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with unix_socket(tmp_path / "socket"):
        for name, kind in (("pipe", "a named pipe"), ("socket", "a socket")):
            with pytest.raises(FileError, match=f"{name} is {kind}; accepted: files and folders$"):
                collect_files([tmp_path / name])
    with pytest.raises(FileError, match=r"^/dev/null is a device; accepted: files and folders$"):
        collect_files(["/dev/null"])


def test_sockets_and_pipes_inside_a_folder_are_left_out_and_reported(tmp_path: Path) -> None:
    folder = tree(tmp_path)
    os.mkfifo(folder / "a" / "pipe")
    lines: list[str] = []
    with unix_socket(folder / "z"):
        assert len(collect_files([folder], lines.append)) == 4
    assert [line.rpartition("/")[2] for line in lines] == [
        "pipe is a named pipe; left out",
        "z is a socket; left out",
    ]


def test_reading_does_not_wait_for_a_pipe_in_place_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch()
    [source] = collect_files([path])
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(FileError, match=r"x is not a regular file$"):
        source.read(0, 1)


def test_a_missing_path_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"^cannot read .*missing: there is no such file$"):
        collect_files([tmp_path / "missing"])


def test_an_error_shows_a_name_without_control_characters(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        collect_files([tmp_path / "a\x1b[2J\nb\u202e"])
    assert str(caught.value).isprintable()


def test_invalid_bytes_in_a_name_are_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / os.fsdecode(b"\xff.txt")).write_bytes(b"x")
    for [source] in (collect_files([folder]), collect_files([folder / os.fsdecode(b"\xff.txt")])):
        assert source.name.endswith("\N{REPLACEMENT CHARACTER}.txt")
        source.name.encode()
        assert source.read(0, 1) == b"x"


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = open_descriptors()
    sources = collect_files([tree(tmp_path)])
    for source in sources:
        source.read(0, 1)
        source.close()
    assert open_descriptors() == before
