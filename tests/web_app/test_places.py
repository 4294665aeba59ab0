"""Files that go to a place of the person's choice: the dialogs of a browser that save."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from support.web_app.dialogs import SAVE_DIALOGS
from support.web_app.files import make_file
from support.web_app.server import PageServer
from support.web_app.tabs import ChromiumTab, NewTab, wait_until
from support.web_app.transfers import command_line, wait_for_state

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(600)]

NO_MOVE = "() => { delete FileSystemFileHandle.prototype.move; }"
"""Renaming outside of the origin-private file system is refused by some versions."""
LISTING = """(async () => {
  const found = {};
  const list = async (folder, path) => {
    for await (const [name, handle] of folder.entries()) {
      if (handle.kind === 'directory') await list(handle, `${path}${name}/`);
      else {
        const bytes = await (await handle.getFile()).arrayBuffer();
        const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
        found[path + name] = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
      }
    }
  };
  await list(await navigator.storage.getDirectory(), '');
  return found;
})()"""
"""Hashes of all files that the browser stores for the page, by path."""
SAVE = "main .row button:nth-child(2)"
MOVING = "document.querySelector('[data-state=transferring] progress')?.value > 1_000_000"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def open_offer(tab: ChromiumTab, sender: subprocess.Popen[str]) -> None:
    """Open the link of a command-line sender."""
    assert sender.stdout is not None
    tab.open(next(found for line in sender.stdout if (found := json.loads(line).get("link"))))
    wait_for_state(tab, "confirming")


def test_a_file_is_saved_where_the_person_wants_it(
    server: PageServer, new_tab: NewTab, downloads: Path, tmp_path: Path
) -> None:
    source = make_file(tmp_path / "a file.bin", 2_000_001)
    tab = new_tab()
    tab.before_load(SAVE_DIALOGS)
    with command_line("send", "--server", server.url, "--json", str(source)) as sender:
        open_offer(tab, sender)
        tab.click(SAVE)
        assert wait_for_state(tab, "done", "failed") == "done"
        sender.communicate(timeout=60)
        assert sender.returncode == 0
    assert tab.run(LISTING) == {"chosen a file.bin": digest(source)}
    assert list(downloads.iterdir()) == []


@pytest.mark.parametrize("can_move", [True, False], ids=["renamed", "copied"])
def test_a_folder_is_saved_below_the_chosen_one_and_replaces_nothing(
    server: PageServer, new_tab: NewTab, tmp_path: Path, *, can_move: bool
) -> None:
    top = tmp_path / "album"
    files = [make_file(top / name, 300_000) for name in ("one.bin", "deep/two.bin", "deep/er/three.bin")]
    tab = new_tab()
    tab.before_load(SAVE_DIALOGS)
    if not can_move:
        tab.before_load(NO_MOVE)
    tab.open(server.url)
    tab.run(
        "showDirectoryPicker().then((chosen) => chosen.getDirectoryHandle('album', {create: true}))"
        ".then((album) => album.getFileHandle('one.bin', {create: true}))"
        ".then((file) => file.createWritable()).then((out) => out.write('mine').then(() => out.close()))"
    )
    with command_line("send", "--server", server.url, "--json", str(top)) as sender:
        open_offer(tab, sender)
        tab.click(SAVE)
        assert wait_for_state(tab, "done", "failed") == "done"
        sender.communicate(timeout=60)
    wanted = {f"chosen/{file.relative_to(tmp_path)}": digest(file) for file in files}
    wanted["chosen/album/one (2).bin"] = wanted["chosen/album/one.bin"]
    wanted["chosen/album/one.bin"] = hashlib.sha256(b"mine").hexdigest()
    assert tab.run(LISTING) == wanted


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_nothing_is_left_at_a_chosen_place_after_a_cancelled_transfer(
    server: PageServer, new_tab: NewTab, tmp_path: Path, kind: str
) -> None:
    source = make_file(tmp_path / "album" / "large.bin", 8_000_000)
    sent = source if kind == "file" else source.parent
    tab = new_tab()
    tab.before_load(SAVE_DIALOGS)
    sending = ("send", "--server", server.url, "--relay", "--limit", "1M", "--json", str(sent))
    with command_line(*sending) as sender:
        open_offer(tab, sender)
        tab.click(SAVE)
        wait_until(tab, MOVING)
        assert not any(path.endswith("large.bin") and path != "chosen large.bin" for path in tab.run(LISTING))
        tab.click(".actions button")
        assert wait_for_state(tab, "cancelled", "failed", "done") == "cancelled"
    wait_until(tab, f"{LISTING}.then((found) => Object.keys(found).length === 0)")
