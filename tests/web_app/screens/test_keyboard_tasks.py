"""Each task of the page, done by keyboard alone."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.web_app.dialogs import NO_OPEN_DIALOG, OPEN_DIALOG, PERMISSION_DIALOG, SAVE_DIALOGS
from support.web_app.files import make_file, wait_for_download
from support.web_app.server import PageServer
from support.web_app.tabs import ChromiumTab, NewTab, wait_until
from support.web_app.transfers import STATE, command_line, link_of, start_send, wait_for_state

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(600)]

SIZE = 6_000_000
MOVING = "document.querySelector('[data-state=transferring] progress')?.value > 0"
STORED = """navigator.storage.getDirectory()
  .then((root) => root.getFileHandle('chosen saved.bin'))
  .then((handle) => handle.getFile()).then((file) => file.size)"""


def press_until(tab: ChromiumTab, selector: str) -> None:
    """Press the tab key until an element has the focus."""
    for _ in range(40):
        if tab.run(f"document.activeElement?.matches({json.dumps(selector)}) ?? false"):
            return
        tab.page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached by the tab key")


def press(tab: ChromiumTab, selector: str, key: str = "Enter") -> None:
    """Move to an element by the tab key, and press a key there."""
    press_until(tab, selector)
    tab.page.keyboard.press(key)


def press_button(tab: ChromiumTab, name: str) -> None:
    """Move to a button with this name by the tab key, and press it."""
    wait_until(tab, f"[...document.querySelectorAll('button')].some((one) => one.innerText === {name!r})")
    for _ in range(40):
        if tab.run("document.activeElement?.innerText") == name:
            tab.page.keyboard.press("Enter")
            return
        tab.page.keyboard.press("Tab")
    raise AssertionError(f"the button {name!r} cannot be reached by the tab key")


def choose_by_keyboard(tab: ChromiumTab, button: str, *chosen: Path) -> None:
    """Press a button that opens the chooser of an input."""
    with tab.page.expect_file_chooser() as chooser:
        press(tab, button)
    chooser.value.set_files([str(path) for path in chosen])


def open_without_dialog(tab: ChromiumTab, server: PageServer) -> None:
    tab.before_load(NO_OPEN_DIALOG)
    tab.open(server.url)
    wait_until(tab, "document.querySelector('.drop') !== null")


def focused(tab: ChromiumTab) -> str:
    """The words of the element that has the focus."""
    return str(
        tab.run("document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText")
    )


@contextlib.contextmanager
def sending(server: PageServer, tab: ChromiumTab, source: Path) -> Iterator[subprocess.Popen[str]]:
    """A command-line sender of a slow transfer, whose link the tab has opened and accepted; data flows."""
    with command_line(*send_command(server, "--limit", "1M"), str(source)) as sender:
        assert sender.stdout is not None
        tab.open(next(found for line in sender.stdout if (found := json.loads(line).get("link"))))
        wait_for_state(tab, "confirming")
        press_button(tab, "Accept")
        wait_until(tab, MOVING)
        yield sender


def send_command(server: PageServer, *options: str) -> list[str]:
    return ["send", "--server", server.url, "--relay", "--json", *options]


def test_a_file_is_sent_and_received(
    server: PageServer, new_tab: NewTab, downloads: Path, tmp_path: Path
) -> None:
    source = make_file(tmp_path / "by keyboard.bin", 5000)
    sender, receiver = new_tab(), new_tab()
    open_without_dialog(sender, server)
    choose_by_keyboard(sender, ".drop button:first-child", source)
    press(sender, "button.wide")
    link = link_of(sender)
    press_until(sender, "#link")

    receiver.open(server.url)
    press(receiver, "nav button:nth-child(2)")
    press_until(receiver, "#paste")
    receiver.page.keyboard.insert_text(link)
    receiver.page.keyboard.press("Enter")
    wait_for_state(receiver, "confirming")
    press(receiver, "main button.primary", "Space")
    assert wait_for_state(receiver, "done", "failed") == "done"
    assert wait_for_download(receiver, downloads, source.name, 5000).read_bytes() == source.read_bytes()
    assert wait_for_state(sender, "done") == "done"
    press_button(sender, "Start another transfer")
    wait_until(sender, "document.activeElement?.innerText === 'Send files'")


def test_a_folder_is_chosen_and_files_are_removed(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    for name in ("one.bin", "two.bin", "three.bin"):
        make_file(tmp_path / "album" / name, 100)
    tab = new_tab()
    open_without_dialog(tab, server)
    choose_by_keyboard(tab, ".drop button:nth-child(2)", tmp_path / "album")
    wait_until(tab, "document.querySelectorAll('.files li').length === 3")
    press(tab, ".files li:nth-child(2) button")
    wait_until(tab, "document.querySelectorAll('.files li').length === 2")
    assert focused(tab).startswith("Remove album/")
    tab.page.keyboard.press("Enter")
    wait_until(tab, "document.querySelectorAll('.files li').length === 1")
    assert focused(tab).startswith("Remove album/")
    press_button(tab, "Remove all")
    wait_until(tab, "document.querySelector('.files') === null")
    wait_until(tab, "document.activeElement?.innerText === 'Send files'")


def test_a_text_is_sent_and_declined_and_settings_change(server: PageServer, new_tab: NewTab) -> None:
    sender, receiver = new_tab(), new_tab()
    sender.open(server.url)
    press_button(sender, "Write a text")
    press_button(sender, "Back to files")
    wait_until(sender, "document.activeElement?.innerText === 'Send files'")
    press_button(sender, "Write a text")
    press_until(sender, "textarea")
    sender.page.keyboard.type("a text")
    press(sender, "button[type=submit]")
    press(sender, "button.wide")
    receiver.open(link_of(sender))
    wait_for_state(receiver, "confirming")
    press_button(receiver, "Decline")
    assert wait_for_state(sender, "cancelled", "failed", "done") == "cancelled"
    press(receiver, "nav button:nth-child(3)")
    press(receiver, "#telemetry", "Space")
    press(receiver, "#relay_preference", "ArrowDown")
    wait_until(receiver, "JSON.parse(localStorage['tallow.settings']).relay_preference === 'relay'")
    assert receiver.run("JSON.parse(localStorage['tallow.settings']).telemetry") == "off"


def test_a_link_and_a_received_text_are_copied(server: PageServer, new_tab: NewTab) -> None:
    sender, receiver = (new_tab(permissions=["clipboard-read", "clipboard-write"]) for _ in range(2))
    sender.open(server.url)
    press_button(sender, "Write a text")
    press_until(sender, "textarea")
    sender.page.keyboard.type("copied text")
    press(sender, "button[type=submit]")
    press(sender, "button.wide")
    link = link_of(sender)
    press_button(sender, "Copy link")
    wait_until(sender, "document.querySelector('.copied').innerText === 'Copied'")
    assert sender.run("navigator.clipboard.readText()") == link
    receiver.open(link)
    wait_for_state(receiver, "confirming")
    press_button(receiver, "Accept")
    press_button(receiver, "Copy text")
    wait_until(receiver, "document.querySelector('.copied').innerText === 'Copied'")
    assert receiver.run("navigator.clipboard.readText()") == "copied text"


def test_files_are_given_again_and_the_transfer_is_cancelled(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    source = make_file(tmp_path / "again.bin", 5000)
    tab = new_tab()
    open_without_dialog(tab, server)
    link = start_send(tab, [source])
    tab.open(server.url)
    wait_until(tab, "document.querySelector('[data-role=sender] .drop') !== null")
    choose_by_keyboard(tab, "[data-role=sender] .drop button:first-child", source)
    assert link_of(tab) == link
    press_button(tab, "Cancel")
    assert wait_for_state(tab, "cancelled", "failed") == "cancelled"
    press_button(tab, "Start another transfer")
    wait_until(tab, "document.querySelector('.drop') !== null")


def test_files_are_opened_again_after_a_reload(server: PageServer, new_tab: NewTab, tmp_path: Path) -> None:
    tab = new_tab()
    tab.page.add_init_script(f"({OPEN_DIALOG})('stored.bin', 1_000_000)")
    tab.before_load(PERMISSION_DIALOG)
    tab.open(server.url)
    wait_until(tab, "document.querySelector('.drop') !== null")
    press_button(tab, "Choose files")
    press_button(tab, "Create link")
    link = link_of(tab)
    tab.open(server.url)
    press_button(tab, "Allow access to these files")
    assert link_of(tab) == link
    with command_line("receive", "--yes", "-o", str(tmp_path / "out"), stdin=link) as receiver:
        assert receiver.wait(timeout=60) == 0
    assert (tmp_path / "out" / "stored.bin").stat().st_size == 1_000_000


def test_a_file_is_saved_to_a_chosen_place(server: PageServer, new_tab: NewTab, tmp_path: Path) -> None:
    source = make_file(tmp_path / "saved.bin", SIZE)
    tab = new_tab()
    tab.before_load(SAVE_DIALOGS)
    with command_line("send", "--server", server.url, "--json", str(source)) as sender:
        assert sender.stdout is not None
        tab.open(next(found for line in sender.stdout if (found := json.loads(line).get("link"))))
        wait_for_state(tab, "confirming")
        press_button(tab, "Save to a folder…")
        assert wait_for_state(tab, "done", "failed") == "done"
        sender.communicate(timeout=60)
    assert tab.run(STORED) == SIZE


def test_a_stopped_transfer_is_continued_and_its_files_are_saved_once_more(
    server: PageServer, new_tab: NewTab, downloads: Path, tmp_path: Path
) -> None:
    source = make_file(tmp_path / "stopped.bin", SIZE)
    tab = new_tab()
    with sending(server, tab, source) as sender:
        sender.send_signal(signal.SIGINT)
        assert wait_for_state(tab, "cancelled", "failed", "done") == "cancelled"
        sender.communicate(timeout=60)
    with command_line(*send_command(server, "--resume"), str(source)) as sender:
        press_button(tab, "Continue")
        assert wait_for_state(tab, "done", "failed") == "done"
        sender.communicate(timeout=60)
    saved = wait_for_download(tab, downloads, source.name, SIZE)
    assert saved.read_bytes() == source.read_bytes()
    saved.unlink()
    press(tab, ".files li:first-child button")
    assert wait_for_download(tab, downloads, source.name, SIZE).read_bytes() == source.read_bytes()


def test_an_interrupted_transfer_is_continued(server: PageServer, new_tab: NewTab, tmp_path: Path) -> None:
    """The other side was killed and starts again."""
    source = make_file(tmp_path / "killed.bin", SIZE)
    tab = new_tab()
    with sending(server, tab, source) as sender:
        sender.kill()
        wait_for_state(tab, "interrupted")
    with command_line(*send_command(server, "--resume"), str(source)) as sender:
        if tab.run(STATE) == "interrupted":  # it also tries by itself
            press_button(tab, "Continue")
        assert wait_for_state(tab, "done", "failed") == "done"
        sender.communicate(timeout=60)


def test_reports_are_read_and_deleted(server: PageServer, new_tab: NewTab, tmp_path: Path) -> None:
    tab = new_tab()
    tab.open(server.url)
    link = start_send(tab, [make_file(tmp_path / "a.bin", 1000)])
    with command_line("receive", "--yes", "-o", str(tmp_path / "out"), stdin=link) as receiver:
        assert receiver.wait(timeout=60) == 0
    server.wait_for('tallow_client_reports_total{outcome="accepted"}', 2)
    press(tab, "nav button:nth-child(3)")
    press_button(tab, "Show what was sent")
    wait_until(tab, "document.querySelector('details.report') !== null")
    press(tab, "details.report > summary")
    assert tab.run("document.querySelector('details.report').open")
    press_button(tab, "Delete this list")
    wait_until(tab, "document.querySelector('details.report') === null")
    wait_until(tab, "document.activeElement?.innerText === 'What was sent'")
    press_button(tab, "Back")
    wait_until(tab, "document.activeElement?.innerText === 'Settings'")


def test_the_first_key_skips_the_navigation(server: PageServer, new_tab: NewTab) -> None:
    tab = new_tab()
    tab.open(server.url)
    wait_until(tab, "document.querySelector('.skip') !== null")
    tab.page.keyboard.press("Tab")
    assert focused(tab) == "Skip to content"
    tab.page.keyboard.press("Enter")
    assert tab.run("document.activeElement.id") == "main"
    tab.page.keyboard.press("Tab")
    assert focused(tab) == "Choose files"
