"""Folders arrive as they were: permissions, times, empty folders, links, unusual names and holes."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.transfers.peers import TCP, receive, send, transfer_files
from support.transfers.server import RunningServer
from tallow.app.files import partial_file
from tallow.app.files.attributes import Attributes
from tallow.app.files.destination import DestinationFolder
from tallow.app.files.links import safe_target
from tallow.app.files.names import numbered_path, safe_path
from tallow.app.files.source_tree import CollectOptions, collect

pytestmark = pytest.mark.slow

LINKED = CollectOptions(links=True)
modes = st.sampled_from([0o600, 0o640, 0o644, 0o755, 0o700, 0o777, 0o444])
folder_modes = st.sampled_from([0o700, 0o750, 0o755, 0o555, 0o777])
times = st.integers(0, 4 * 10**18)
letters = st.characters(exclude_categories=["Cs"], exclude_characters="/\0")
parts = st.text(letters, min_size=1, max_size=12).filter(lambda name: name not in {".", ".."})


holes = st.integers(1, 200_000)


@dataclass(frozen=True)
class Sparse:
    """The content of a file with a hole of some bytes before its last one."""

    hole: int


@dataclass(frozen=True)
class Link:
    """The relative target of a symbolic link."""

    target: str


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Any]:
    """Relative paths, each of a file with content, of a folder (None), or of a link (its target)."""
    found: dict[str, Any] = {}
    folders = [""]
    for _ in range(draw(st.integers(0, 4))):
        folder = draw(st.sampled_from(folders)) + draw(parts) + "/"
        folders.append(folder)
        found[folder] = (None, draw(folder_modes), draw(times))
    for _ in range(draw(st.integers(0, 5))):
        content = draw(st.binary(max_size=50) | st.just(bytes(20_000)) | st.builds(Sparse, holes))
        found[draw(st.sampled_from(folders)) + draw(parts)] = (content, draw(modes), draw(times))
    for _ in range(draw(st.integers(0, 3))):
        target = Path("/", draw(st.sampled_from([*found, *folders])))
        place = draw(st.sampled_from(folders)) + draw(parts)
        link = os.path.relpath(target, Path("/", place).parent)
        found.setdefault(place, (Link(link), 0o777, 0))
    return found


def make_entry(path: Path, content: bytes | Sparse | Link) -> None:
    if isinstance(content, Link):
        path.symlink_to(content.target)
    elif isinstance(content, Sparse):
        with path.open("xb") as file:
            file.seek(content.hole)
            file.write(b"x")
    else:
        path.write_bytes(content)


def build(root: Path, tree: dict[str, Any]) -> None:
    """Make a tree; what cannot be made, because a name is taken, is left out."""
    root.mkdir()
    later = []
    for name, (content, mode, time) in tree.items():
        path = root / name
        try:
            if content is None:
                path.mkdir(parents=True, exist_ok=True)
                later.append((path, mode, time))
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            make_entry(path, content)
        except OSError:
            continue
        if isinstance(content, Link):
            continue
        later.append((path, mode, time))
    for path, mode, time in reversed(later):
        os.utime(path, ns=(time, time))
        path.chmod(mode)


def description(root: Path) -> dict[str, Any]:
    """Everything below a folder that is to arrive, by the safe form of its path."""
    found: dict[str, Any] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        content: Any = None
        name = os.fsencode(path.relative_to(root)).decode("utf-8", "replace")
        if path.is_symlink():
            target = safe_target(f"t/{name}", os.fsencode(path.readlink()).decode("utf-8", "replace"))
            if target is not None:  # else it is left out, which is announced
                found[str(safe_path(f"t/{name}"))] = target
            continue
        if path.is_file():
            content = path.read_bytes()
        found[str(safe_path(f"t/{name}"))] = (
            content,
            stat.S_IMODE(status.st_mode) & 0o777,
            status.st_mtime_ns,
        )
    return found


def restore(source: Path, target: Path) -> list[str]:
    """Send a tree through a manifest to a folder, without a network; returns what was announced before."""
    announced: list[str] = []
    tree = collect([source], LINKED, announced.append)
    with DestinationFolder(target) as destination:
        for file in tree.files:
            data = file.read(0, file.size)
            partial = destination.open_partial(
                file.name, file.size, hashlib.sha256(data).digest(), b"key", attributes=file.attributes
            )
            for at in range(0, len(data), 8192):
                partial.write(data[at : at + 8192])
            partial.finish()
            file.close()
        for folder in tree.folders:
            destination.make_folder(folder.name)
        assert all(destination.make_link(link.name, link.target) for link in tree.links)
        made = {path.absolute() for path in destination.created_folders}
        for folder in sorted(tree.folders, key=lambda one: one.name.count("/"), reverse=True):
            destination.finish_folder(folder.name, folder.attributes, made)
    return announced


def left_out(root: Path) -> int:
    """The links that do not lead to something inside the folder."""
    links = [path for path in root.rglob("*") if path.is_symlink()]
    return sum(safe_target(f"t/{path.relative_to(root)}", str(path.readlink())) is None for path in links)


def unique_after_renaming(root: Path) -> bool:
    paths = [os.fsencode(path.relative_to(root)).decode("utf-8", "replace") for path in root.rglob("*")]
    safe = [str(safe_path(f"t/{name}")) for name in paths]
    return len(set(safe)) == len(safe)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trees())
def test_any_tree_arrives_equal_except_for_announced_names(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any]
) -> None:
    place = tmp_path_factory.mktemp("tree")
    build(place / "t", tree)
    if not unique_after_renaming(place / "t"):
        return  # the receiver numbers names that are equal once they are safe
    announced = restore(place / "t", place / "out")
    assert description(place / "out" / "t") == description(place / "t")
    assert sum(line.endswith("left out") for line in announced) == left_out(place / "t")


@pytest.mark.slow
async def test_a_folder_crosses_with_all_its_attributes(server: RunningServer, tmp_path: Path) -> None:
    root = tmp_path / "t"
    (root / "empty" / "inner").mkdir(parents=True)
    (root / "private").write_bytes(b"key")
    (root / "tool").write_bytes(b"#!/bin/sh\n")
    (root / "link").symlink_to("private")
    (root / "private").chmod(0o600)
    (root / "tool").chmod(0o4755)
    os.utime(root / "private", ns=(1, 1_234_567_890_123_456_789))
    (root / "empty" / "inner").chmod(0o500)
    os.utime(root / "empty", ns=(1, 987_654_321_000_000_000))
    await transfer_files(server.url, [root], tmp_path / "out", options=TCP, collecting=LINKED)
    got = tmp_path / "out" / "t"
    assert stat.S_IMODE((got / "private").stat().st_mode) == 0o600
    assert (got / "private").stat().st_mtime_ns == 1_234_567_890_123_456_789
    assert stat.S_IMODE((got / "tool").stat().st_mode) == 0o755  # no set-user-ID bit
    assert (got / "link").readlink() == Path("private")
    assert stat.S_IMODE((got / "empty" / "inner").stat().st_mode) == 0o500
    assert (got / "empty").stat().st_mtime_ns == 987_654_321_000_000_000


async def test_a_received_file_is_private_until_it_is_complete(tmp_path: Path) -> None:
    with DestinationFolder(tmp_path) as destination:
        partial = destination.open_partial("x", 4, bytes(32), b"key", attributes=Attributes(0o644))
        partial.write(b"ab")
        assert stat.S_IMODE(partial.path.stat().st_mode) == 0o600
        partial.close()


async def test_the_attributes_of_a_folder_that_was_here_before_stay(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir(mode=0o750)
    with DestinationFolder(tmp_path) as destination:
        destination.make_folder("t")
        destination.finish_folder("t", Attributes(0o777, 5), set())
    assert stat.S_IMODE((tmp_path / "t").stat().st_mode) == 0o750


@pytest.mark.skipif(sys.platform != "linux", reason="not every file system has holes")
async def test_a_sparse_file_stays_sparse(server: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.write(b"begin")
        file.truncate(40_000_000)
        file.seek(20_000_000)
        file.write(b"middle")
    if path.stat().st_blocks * 512 >= path.stat().st_size:
        pytest.skip("this file system has no holes")
    await transfer_files(server.url, [path], tmp_path / "out", options=TCP)
    got = tmp_path / "out" / "disk.img"
    assert got.read_bytes() == path.read_bytes()
    assert got.stat().st_blocks * 512 < 5_000_000


async def test_a_file_system_without_permissions_and_links_gets_the_files_and_a_warning(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "t"
    root.mkdir()
    (root / "file").write_bytes(b"content")
    (root / "link").symlink_to("file")

    def refused(*_: object, **__: object) -> None:  # FAT cannot be mounted everywhere that tests run
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fchmod", refused)
    monkeypatch.setattr(os, "symlink", refused)
    _, receiver = await transfer_files(server.url, [root], tmp_path / "out", options=TCP, collecting=LINKED)
    assert (tmp_path / "out" / "t" / "file").read_bytes() == b"content"
    assert [path.name for path in (tmp_path / "out" / "t").iterdir()] == ["file"]
    warnings = [event["message"] for event in receiver.events_named("warning")]
    assert len(warnings) == 2
    assert "permissions and times" in warnings[0]
    assert "symbolic links" in warnings[1]


async def test_a_disk_that_fails_is_no_success(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"content")

    def failed(*_: object, **__: object) -> None:  # no disk fails on demand
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fchmod", failed)
    sender = await send(server.url, [tmp_path / "file"], options=TCP)
    receiver = receive(sender.link, tmp_path / "out", options=TCP)
    assert "cannot write file" in str(await receiver.wait_for_error())
    assert await sender.wait_for_error() is not None
    assert not (tmp_path / "out" / "file").exists()


@pytest.mark.parametrize(
    ("name", "target"),
    [("t/l", "../../outside"), ("t/l", "/etc/passwd"), ("t/l", ".."), ("l", "x"), ("t/../l", "../x")],
)
def test_a_hostile_link_is_not_made(tmp_path: Path, name: str, target: str) -> None:
    with DestinationFolder(tmp_path / "out") as destination:
        assert not destination.make_link(name, target)
    assert list((tmp_path / "out").iterdir()) == []


def test_nothing_is_received_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    out = tmp_path / "out"
    with DestinationFolder(out) as destination:
        assert destination.make_link("t/l", "x")
        (out / "t" / "l").unlink()
        (out / "t" / "l").symlink_to(outside)  # as another program could do meanwhile
        partial = destination.open_partial("t/l/file", 0, EMPTY_SHA256, b"key")
        partial.finish()
        destination.make_folder("t/l/folder")
    assert list(outside.iterdir()) == []
    assert (out / "t" / "l (2)" / "file").exists()


EMPTY_SHA256 = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


def test_colliding_names_are_numbered_in_linear_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0
    real = numbered_path

    def counted(*args: Any) -> Any:
        nonlocal tries
        tries += 1
        return real(*args)

    monkeypatch.setattr(partial_file, "numbered_path", counted)
    with DestinationFolder(tmp_path / "out") as destination:
        for _ in range(50):
            destination.open_partial("x.txt", 0, EMPTY_SHA256, b"key").finish()
    assert len(list((tmp_path / "out").iterdir())) == 50
    assert tries == 49
