"""A sender's tab that is loaded again, with more names than its session storage takes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from support.web_app.files import make_file
from support.web_app.paused_receiver import ASKS, SIZE, go_on, paused_receiver, tab_of
from support.web_app.server import PageServer
from support.web_app.tabs import NewTab, Tab, wait_until
from support.web_app.transfers import (
    CHOOSE_FILES,
    CREATE_LINK,
    link_of,
    shown_error,
    wait_for_state,
)

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(600)]

FILES: Final = 1700
NAME_LENGTH: Final = 4000
"""Together 6.8 million characters; browsers keep 5 million, or half of that."""
CHOOSE_EMPTY_FILES: Final = f"""(() => {{
  const chosen = new DataTransfer();
  for (let file = 0; file < {FILES}; file += 1)
    chosen.items.add(new File([], `${{file}} `.padEnd({NAME_LENGTH}, 'x'), {{ lastModified: 1e12 }}));
  const input = document.querySelector('{CHOOSE_FILES}');
  input.files = chosen.files;
  return input.dispatchEvent(new Event('change'));
}})()"""
KEPT: Final = """(async () => [
  sessionStorage.length,
  await new Promise((resolve) => {
    const opening = indexedDB.open('tallow-selections', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('selections');
    opening.onsuccess = () => {
      const counting = opening.result.transaction('selections').objectStore('selections').count();
      counting.onsuccess = () => resolve(counting.result);
    };
  }),
])()"""
"""Entries of the session storage, and selections in the database."""
NO_DATABASE: Final = """() => {
  IDBFactory.prototype.open = () => { throw new DOMException('no', 'UnknownError'); };
}"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_file(tmp_path / "large.bin", SIZE)


def choose(tab: Tab, source: Path) -> None:
    """Choose a large file and many empty ones."""
    tab.choose(CHOOSE_FILES, [source])
    assert tab.run(CHOOSE_EMPTY_FILES)


def start(tab: Tab, server: PageServer, source: Path) -> str:
    """Open the page and send the files; returns the link."""
    tab.open(server.url)
    wait_until(tab, f"document.querySelector('{CHOOSE_FILES}') !== null")
    choose(tab, source)
    tab.click(CREATE_LINK)
    return link_of(tab)


@pytest.mark.parametrize("browser_name", ["chromium", "firefox"])
def test_a_reloaded_sender_of_many_names_goes_on(
    server: PageServer, request: pytest.FixtureRequest, tmp_path: Path, source: Path, browser_name: str
) -> None:
    tab = tab_of(request, browser_name)
    link = start(tab, server, source)
    with paused_receiver(link, tmp_path / "out", tab) as receiver:
        assert tab.run(KEPT) == [2, 1]
        tab.open(server.url)
        wait_until(tab, ASKS)
        choose(tab, source)
        wait_until(tab, f"!({ASKS})")
        assert go_on(receiver) == 0
    assert wait_for_state(tab, "done", "failed", "cancelled") == "done"
    assert (tmp_path / "out" / source.name).read_bytes() == source.read_bytes()
    assert len(list((tmp_path / "out").iterdir())) == FILES + 1
    wait_until(tab, f"({KEPT}).then((kept) => String(kept) === '0,0')")


def test_a_reloaded_sender_whose_names_were_not_kept_ends_on_both_sides(
    server: PageServer, new_tab: NewTab, tmp_path: Path, source: Path
) -> None:
    tab = new_tab()
    tab.before_load(NO_DATABASE)
    link = start(tab, server, source)
    with paused_receiver(link, tmp_path / "out", tab) as receiver:
        tab.open(server.url)
        assert shown_error(tab) == "selection_lost"
        assert "Create a new link" in tab.run("document.querySelector('[data-error]').innerText")
        assert go_on(receiver) == 1
    assert not (tmp_path / "out" / source.name).exists()
    assert tab.run("sessionStorage.length") == 0
