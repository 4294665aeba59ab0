"""A sender that has the link and is hostile: what it offers reaches nothing outside the receiver's folder."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.transfers.peers import RELAYED, RunningPeer, receive, send
from support.transfers.server import RunningServer
from tallow.app.crypto.frames import FrameType
from tallow.app.files.attributes import Attributes
from tallow.app.files.source_file import source_file
from tallow.app.peer.transfer import prepare
from tallow.app.peer.transfer.file_sender import FileSender
from tallow.app.peer.transfer.manifest import LinkEntry, Manifest, ManifestEntry
from tallow.app.peer.transfer.prepare import PreparedFiles

pytestmark = pytest.mark.slow

CONTENT = b"hostile"
SHA256 = hashlib.sha256(CONTENT).digest()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file and a folder beside the receiver's folder."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "kept").write_text("unchanged")
    return folder


def untouched(outside: Path) -> bool:
    [only] = outside.iterdir()
    return only.read_text() == "unchanged" and stat.S_IMODE(only.stat().st_mode) & 0o7000 == 0


async def offer(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manifest: Manifest
) -> tuple[RunningPeer, RunningPeer]:
    """A real transfer whose sender offers a manifest of its choice, with the same content for each file."""
    source = tmp_path / "content"
    source.write_bytes(CONTENT)
    sources = [replace(source_file(source, entry.name)) for entry in manifest.files]

    async def hostile(*_: Any, **_more: Any) -> PreparedFiles:
        return PreparedFiles(sources, manifest)

    monkeypatch.setattr(prepare, "build_manifest", hostile)
    sender = await send(server.url, [source], options=RELAYED)
    receiver = receive(sender.link, tmp_path / "out", options=RELAYED)
    await asyncio.gather(sender.wait_for_error(), receiver.wait_for_error())
    return sender, receiver


def manifest_of(names: Sequence[str], *links: tuple[str, str], mode: int = 0o644) -> Manifest:
    attributes = Attributes(mode, 0)
    files = tuple(ManifestEntry(name, len(CONTENT), SHA256, attributes) for name in names)
    return Manifest(files, links=tuple(LinkEntry(*link) for link in links))


@pytest.mark.parametrize(
    "link",
    [
        ("t/l", "../../outside"),
        ("t/l", "/etc"),
        ("t/l", ".."),
        ("t/l", "a/../../../outside"),
        ("l", "../outside/kept"),
        ("t/../../l", "t"),
    ],
    ids=str,
)
async def test_a_link_out_of_the_folder_ends_the_transfer_or_is_not_made(
    server: RunningServer,
    tmp_path: Path,
    outside: Path,
    monkeypatch: pytest.MonkeyPatch,
    link: tuple[str, str],
) -> None:
    await offer(server, tmp_path, monkeypatch, manifest_of(["t/file", "t/l/kept"], link))
    assert untouched(outside)
    links = [path for path in (tmp_path / "out").rglob("*") if path.is_symlink()]
    assert all((tmp_path / "out") in path.resolve().parents for path in links)
    assert not (tmp_path / "l").is_symlink()


async def test_no_file_is_received_below_a_link(
    server: RunningServer, tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither below one of the manifest, nor below one that was there before."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "t").symlink_to(outside)
    await offer(server, tmp_path, monkeypatch, manifest_of(["t/kept", "u/l/kept"], ("u/l", "kept")))
    assert untouched(outside)
    assert (tmp_path / "out" / "t").is_symlink()
    received = [path for path in (tmp_path / "out").rglob("kept") if not path.is_symlink()]
    assert [path.read_bytes() for path in received] == [CONTENT] * 2


async def test_colliding_names_overwrite_nothing(
    server: RunningServer, tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("mine")
    names = ["a", "a", "./a", "b/../a", "../outside/kept", "/etc/hostname", "a\0b", "..", "c:\\a"]
    _, receiver = await offer(server, tmp_path, monkeypatch, manifest_of(names))
    assert untouched(outside)
    assert (tmp_path / "out" / "a").read_text() == "mine"
    paths = [Path(event["path"]) for event in receiver.events_named("file")]
    assert len(set(paths)) == len(paths)
    assert all(path.resolve().is_relative_to(tmp_path / "out") for path in paths)


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1777, 0o7777, 1 << 40, -1], ids=oct)
async def test_no_received_file_has_a_set_id_bit(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    _, receiver = await offer(server, tmp_path, monkeypatch, manifest_of(["program"], mode=mode))
    received = list((tmp_path / "out").rglob("*"))
    assert [path.name for path in received] == ["program"] or await receiver.wait_for_error() is not None
    for path in received:
        assert stat.S_IMODE(path.stat().st_mode) & 0o7000 == 0


async def test_a_million_entries_are_refused_while_they_arrive(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = b'{"file":"%s","size":0,"sha256":"%s","mode":420,"modified":"0.000000000"}\n'
    document = line % (b"x" * 8, hashlib.sha256().hexdigest().encode()) * 1_000_000

    async def flood(self: FileSender) -> None:
        await self._secure.send_document(FrameType.MANIFEST, document)
        await asyncio.sleep(60)

    monkeypatch.setattr(FileSender, "offer", flood)
    (tmp_path / "file").write_bytes(os.urandom(10))
    sender = await send(server.url, [tmp_path / "file"], options=RELAYED)
    receiver = receive(sender.link, tmp_path / "out", options=RELAYED)
    assert "too large" in str(await receiver.wait_for_error())
    sender.task.cancel()
    await sender.wait_for_error()
    assert list((tmp_path / "out").iterdir()) == []
