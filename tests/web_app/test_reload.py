"""A sender's tab that is loaded again: the browser has closed its files, and the person gives them again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.web_app.dialogs import OPEN_DIALOG, PERMISSION_DIALOG
from support.web_app.files import make_file
from support.web_app.paused_receiver import ASKS, SIZE, go_on, paused_receiver, tab_of
from support.web_app.server import PageServer
from support.web_app.tabs import ChromiumTab, NewTab, wait_until
from support.web_app.transfers import (
    CHOOSE_FILES,
    STATE,
    command_line,
    link_of,
    start_send,
    wait_for_state,
)

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(600)]

FILE_STATES = "[...document.querySelectorAll('.files .detail')].map((one) => one.innerText)"
KEPT = """(async () => [
  sessionStorage.length,
  await new Promise((resolve) => {
    const opening = indexedDB.open('tallow-handles', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('handles');
    opening.onsuccess = () => {
      const counting = opening.result.transaction('handles').objectStore('handles').count();
      counting.onsuccess = () => resolve(counting.result);
    };
  }),
])()"""
"""Entries of the session storage, and handles of files."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_file(tmp_path / "large.bin", SIZE)


@pytest.mark.parametrize("browser_name", ["chromium", "firefox"])
def test_a_reloaded_sender_goes_on_with_the_same_file(
    server: PageServer, request: pytest.FixtureRequest, tmp_path: Path, source: Path, browser_name: str
) -> None:
    other = make_file(tmp_path / "other" / source.name, 1000)
    tab = tab_of(request, browser_name)
    tab.open(server.url)
    link = start_send(tab, [source])
    with paused_receiver(link, tmp_path / "out", tab) as receiver:
        tab.open(server.url)
        wait_until(tab, ASKS)
        assert [text.endswith("missing") for text in tab.run(FILE_STATES)] == [True]
        tab.choose(CHOOSE_FILES, [other])
        wait_until(tab, f"({FILE_STATES})[0].endsWith('changed')")
        assert tab.run("document.querySelector('main [role=alert]').innerText")
        assert tab.run(STATE) not in {"failed", "cancelled"}
        tab.choose(CHOOSE_FILES, [source])
        wait_until(tab, f"!({ASKS})")
        assert go_on(receiver) == 0
    assert wait_for_state(tab, "done", "failed", "cancelled") == "done"
    assert (tmp_path / "out" / source.name).read_bytes() == source.read_bytes()
    assert tab.run(KEPT) == [0, 0]
    server.wait_for('tallow_transfers_total{status="success",method="relay"}', 1)


def test_a_file_of_the_same_size_and_time_with_other_content_is_refused(
    server: PageServer, new_tab: NewTab, tmp_path: Path, source: Path
) -> None:
    other = make_file(tmp_path / "other" / source.name, SIZE)
    shutil.copystat(source, other)
    tab = new_tab()
    tab.open(server.url)
    link = start_send(tab, [source])
    with paused_receiver(link, tmp_path / "out", tab) as receiver:
        tab.open(server.url)
        wait_until(tab, ASKS)
        tab.choose(CHOOSE_FILES, [other])
        wait_until(tab, "document.querySelector('main [role=alert]')?.innerText.includes('content')")
        tab.choose(CHOOSE_FILES, [source])
        assert go_on(receiver) == 0
    assert wait_for_state(tab, "done", "failed", "cancelled") == "done"
    assert (tmp_path / "out" / source.name).read_bytes() == source.read_bytes()


def test_a_reloaded_sender_cancels_on_both_sides(
    server: PageServer, new_tab: NewTab, tmp_path: Path, source: Path
) -> None:
    tab = new_tab()
    tab.open(server.url)
    link = start_send(tab, [source])
    with paused_receiver(link, tmp_path / "out", tab) as receiver:
        tab.open(server.url)
        wait_until(tab, ASKS)
        tab.click(".actions button")
        assert wait_for_state(tab, "cancelled", "failed", "done") == "cancelled"
        assert go_on(receiver) == 1
    assert not (tmp_path / "out" / source.name).exists()
    assert tab.run(KEPT) == [0, 0]


def test_a_reloaded_sender_that_waits_for_its_receiver_shows_the_same_link(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    """With a text, which the tab keeps: nothing is to be chosen."""
    tab = new_tab()
    tab.open(server.url)
    tab.click(".drop button:nth-child(3)")
    tab.page.fill("textarea", "a text\nof two lines")
    tab.click("button[type=submit]")
    tab.click("button.wide")
    link = link_of(tab)
    tab.open(server.url)
    assert link_of(tab) == link
    with command_line("receive", "--yes", "-o", str(tmp_path / "out"), stdin=link) as receiver:
        out, _ = receiver.communicate(timeout=60)
    assert "a text\nof two lines" in out
    assert wait_for_state(tab, "done") == "done"
    assert tab.run(KEPT) == [0, 0]


def open_with_handles(tab: ChromiumTab, server: PageServer, *, asking: bool) -> str:
    """Choose a file of the browser's storage by its handle; returns the link."""
    tab.page.add_init_script(f"({OPEN_DIALOG})('stored.bin', {SIZE})")
    if asking:
        tab.before_load(PERMISSION_DIALOG)
    tab.open(server.url)
    tab.click(".drop button:first-child")
    tab.click("button.wide")
    return link_of(tab)


@pytest.mark.parametrize("asking", [False, True], ids=["permitted", "asked"])
def test_a_reloaded_sender_opens_its_files_by_their_handles(
    server: PageServer, new_tab: NewTab, tmp_path: Path, *, asking: bool
) -> None:
    tab = new_tab()
    link = open_with_handles(tab, server, asking=asking)
    with paused_receiver(link, tmp_path / "out", tab) as receiver:
        tab.open(server.url)
        if asking:
            wait_until(tab, ASKS)
            assert tab.run(KEPT)[1] == 1
            tab.page.get_by_role("button", name="Allow access").click()
        wait_until(tab, f"!({ASKS})")
        assert go_on(receiver) == 0
    assert wait_for_state(tab, "done", "failed", "cancelled") == "done"
    assert (tmp_path / "out" / "stored.bin").stat().st_size == SIZE
    assert tab.run(KEPT) == [0, 0]
