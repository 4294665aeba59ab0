"""Small files that are written together: each gets its name after its content is on the disk."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tallow.app.files.attributes import Attributes
from tallow.app.files.destination import DestinationFolder
from tallow.app.files.errors import FileError, FileHashMismatchError
from tallow.app.files.small_files import SmallFile, write_small_files

KEY = b"k" * 32
MODE = 0o640
MODIFIED_NS = 1_700_000_000_123_456_789


def small(name: str, content: bytes = b"content", sha256: bytes | None = None) -> SmallFile:
    attributes = Attributes(MODE, MODIFIED_NS)
    return SmallFile(name, sha256 or hashlib.sha256(content).digest(), attributes, content)


@pytest.fixture
def destination(tmp_path: Path) -> Iterator[DestinationFolder]:
    with DestinationFolder(tmp_path / "out") as opened:
        yield opened


@pytest.fixture(params=["without a name", "no unnamed files", "no links to them"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the file system can do. Test machines have few: an error of the system takes their place."""
    plain_open, plain_link = os.open, os.link

    def no_unnamed(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "")
        return plain_open(path, flags, *more, **named)

    def no_links(source: Any, *more: Any, **named: Any) -> None:
        if str(source).startswith("/proc/"):
            raise FileNotFoundError(errno.ENOENT, "")
        plain_link(source, *more, **named)

    if request.param == "no unnamed files":
        monkeypatch.setattr(os, "open", no_unnamed)
    elif request.param == "no links to them":
        monkeypatch.setattr(os, "link", no_links)
    return str(request.param)


def written_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_get_their_names_contents_and_attributes(destination: DestinationFolder, system: str) -> None:
    files = [small("a.txt"), small("deep/er/b", b"other"), small("a.txt", b"second"), small("empty", b"")]
    done = write_small_files(destination, files, KEY)
    assert (done.error, done.attributes_kept) == (None, True), system
    root = destination.folder
    assert done.paths == [root / "a.txt", root / "deep/er/b", root / "a (2).txt", root / "empty"]
    assert written_below(root) == {
        "a.txt": b"content",
        "deep/er/b": b"other",
        "a (2).txt": b"second",
        "empty": b"",
    }
    found = (root / "a.txt").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_mtime_ns, found.st_nlink) == (MODE, MODIFIED_NS, 1)


def test_a_file_with_a_wrong_hash_ends_the_batch_before_it(
    destination: DestinationFolder, system: str
) -> None:
    files = [small("first"), small("wrong", sha256=bytes(32)), small("third")]
    done = write_small_files(destination, files, KEY)
    assert isinstance(done.error, FileHashMismatchError), system
    assert "wrong is not the announced file" in str(done.error)
    assert done.paths == [destination.folder / "first"]
    assert written_below(destination.folder) == {"first": b"content"}


def test_no_file_has_its_name_before_all_contents_are_on_the_disk(
    destination: DestinationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[set[str]] = []
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(set(written_below(destination.folder))))
    write_small_files(destination, [small("a"), small("b"), small("in/c")], KEY)
    assert synced == [set(), set(), set(), *[{"a", "b", "in/c"}] * 2]  # three files, two folders


def test_a_disk_that_fails_is_named_and_no_file_has_its_name(
    destination: DestinationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fails)
    done = write_small_files(destination, [small("a"), small("b")], KEY)
    assert isinstance(done.error, FileError)
    assert "cannot write a" in str(done.error)
    assert (done.paths, written_below(destination.folder)) == ([], {})


@pytest.mark.parametrize("steps", range(6))
def test_a_stop_leaves_the_first_files_of_a_batch(destination: DestinationFolder, steps: int) -> None:
    left = iter(range(steps))
    done = write_small_files(destination, [small("a"), small("b")], KEY, lambda: next(left, None) is None)
    named = max(0, steps - 2)  # it is asked before each of two waits and two names
    expected = ["a", "b"][:named]
    assert [path.name for path in done.paths] == expected
    assert sorted(written_below(destination.folder)) == expected
    assert done.error is None


def test_a_file_of_an_earlier_run_is_replaced(destination: DestinationFolder, system: str) -> None:
    file = small("a")
    arguments = (file.name, len(file.content), file.sha256, KEY)
    partial = destination.open_partial(*arguments)
    partial.write(b"con")
    partial.close()
    done = write_small_files(destination, [file], KEY)
    assert (done.error, done.paths) == (None, [destination.folder / "a"]), system
    destination.remove_partial(*arguments)  # as the end of a transfer does
    assert written_below(destination.folder) == {"a": b"content"}


KILLED = """
import os, signal, sys
from pathlib import Path
from tallow.app.files.attributes import PLAIN
from tallow.app.files.destination import DestinationFolder
from tallow.app.files.small_files import SmallFile, write_small_files
import hashlib
kill = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
os.fsync = kill
content = b"content"
files = [SmallFile(str(n), hashlib.sha256(content).digest(), PLAIN, content) for n in range(3)]
write_small_files(DestinationFolder(Path(sys.argv[1])), files, b"")
"""


def test_a_killed_process_leaves_nothing(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "out")], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert list((tmp_path / "out").iterdir()) == []


def test_nothing_is_written_outside_the_folder(destination: DestinationFolder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (destination.folder / "link").symlink_to(outside)
    (destination.folder / "taken").symlink_to(outside / "x")
    names = ["link/a", "../b", "taken", "/etc/c"]
    done = write_small_files(destination, [small(name) for name in names], KEY)
    assert done.error is None
    assert all(path.resolve().is_relative_to(destination.folder.resolve()) for path in done.paths)
    assert list(outside.iterdir()) == []


def test_an_unwritable_folder_is_named(destination: DestinationFolder) -> None:
    """A closed folder: the superuser, who may run this, can write to any other."""
    destination.close()
    done = write_small_files(destination, [small("a")], KEY)
    assert isinstance(done.error, FileError)
    assert "a" in str(done.error)
