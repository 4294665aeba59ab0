"""The state of interrupted transfers: private, and removed when it expires."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest

from tallow.app.peer.link import Link
from tallow.app.peer.transfer import resume_state
from tallow.app.peer.transfer.manifest import Manifest, ManifestEntry
from tallow.app.peer.transfer.resume_state import ReceiverState, SenderState, interrupted_transfers
from tallow.app.peer.user_files import state_folder

LINK = Link("https://tallow.example", "a" * 16, bytes(16))
MANIFEST = Manifest((ManifestEntry("a", 5, bytes(32)), ManifestEntry("b", 0, bytes(32))))
LATER = time.time() + 3600


def test_a_sender_finds_its_interrupted_transfer() -> None:
    sent = SenderState(LINK, LATER, ["/a", "/b"], "key", keep_metadata=True, manifest=MANIFEST)
    sent.save()
    [found] = interrupted_transfers()
    assert (found.link, found.paths, found.rejoin_key) == (LINK, ["/a", "/b"], "key")
    assert found.keep_metadata
    assert found.manifest == MANIFEST
    found.remove()
    assert interrupted_transfers() == []


def test_expired_state_is_removed() -> None:
    SenderState(LINK, time.time() - 1, []).save()
    ReceiverState.load(LINK, time.time() - 1).save()
    (state_folder() / "send-broken.json").write_text("{")
    resume_state.remove_expired()
    assert list(state_folder().iterdir()) == []


def test_partial_files_are_removed_with_expired_state(tmp_path: Path) -> None:
    received = ReceiverState.load(LINK, time.time() - 1)
    made = [tmp_path / "trip", tmp_path / "trip/day 1", tmp_path / "trip/day 2"]
    for folder in made:
        folder.mkdir()
    (made[2] / "complete.jpg").touch()
    partial = made[1] / "film.mp4.0123456789abcdef.tallow-part"
    partial.touch()
    received.partial_started(partial, 1 << 30, made)
    resume_state.remove_expired()
    assert sorted(tmp_path.glob("trip/**/*")) == [made[2], made[2] / "complete.jpg"]
    assert list(state_folder().iterdir()) == []


@pytest.mark.parametrize(
    "content", ['{"partial": 7, "folders": 8}', '{"partial": "/etc/hostname", "folders": ["/etc"]}']
)
def test_malformed_state_removes_no_other_file(content: str) -> None:
    state_folder().mkdir(parents=True)
    (state_folder() / "receive-broken.json").write_text(content)
    resume_state.remove_expired()
    assert list(state_folder().iterdir()) == []
    assert Path("/etc/hostname").exists()


def test_a_receiver_knows_its_complete_files(tmp_path: Path) -> None:
    received = ReceiverState.load(LINK, LATER)
    assert not received.has_manifest
    assert received.accept_manifest(MANIFEST)
    for number, name in enumerate(("a", "b")):
        (tmp_path / name).touch()
        received.file_finished(number, tmp_path / name)
    received.save()
    (tmp_path / "b").unlink()
    again = ReceiverState.load(LINK, LATER)
    assert again.has_manifest
    assert again.completed_files == {0}
    assert again.accept_manifest(MANIFEST)
    assert not again.accept_manifest(Manifest(MANIFEST.files[:1]))


def test_state_files_are_private() -> None:
    SenderState(LINK, LATER, []).save()
    [file] = state_folder().iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(state_folder().stat().st_mode) == 0o700


def test_a_symbolic_link_in_place_of_a_state_file_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("untouched")
    state_folder().mkdir(parents=True)
    SenderState(LINK, LATER, []).path.symlink_to(target)
    SenderState(LINK, LATER, []).save()
    assert target.read_text() == "untouched"


def test_a_failed_save_raises_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    SenderState(LINK, LATER, []).save()
    ReceiverState.load(LINK, LATER).save()
    assert interrupted_transfers() == []
