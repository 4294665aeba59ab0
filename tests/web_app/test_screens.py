"""The screens: accessible, usable by keyboard alone and on narrow displays, in two languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.programs.browser import INSECURE_HOST
from support.web_app.axe import violations
from support.web_app.files import make_file, wait_for_download
from support.web_app.screens import Screens
from support.web_app.server import PageServer
from support.web_app.tabs import ChromiumTab, NewTab, wait_until
from support.web_app.transfers import (
    STATE,
    command_line,
    link_of,
    shown_error,
    start_send,
    wait_for_state,
)

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(600)]

NARROW = {"width": 320, "height": 640}


def show(tab: ChromiumTab, name: str) -> None:
    tab.page.get_by_role("navigation").get_by_role("button", name=name).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_screen(
    server: PageServer, new_tab: NewTab, tmp_path: Path, scheme: str
) -> None:
    found: dict[str, list[str]] = {}
    checked = []

    def check(name: str, tab: ChromiumTab) -> None:
        checked.append(name)
        if problems := violations(tab):
            found[name] = problems

    Screens(server, new_tab, tmp_path, color_scheme=scheme).all(check)
    assert len(checked) >= 22
    assert found == {}


def test_axe_finds_a_planted_fault(server: PageServer, new_tab: NewTab) -> None:
    tab = new_tab()
    tab.open(server.url)
    wait_until(tab, "document.querySelector('nav button') !== null")
    tab.run("void document.querySelector('nav button').replaceChildren()")
    assert any("button-name" in line for line in violations(tab))


@pytest.mark.parametrize("locale", ["en", "de"])
def test_every_screen_fits_320_pixels_without_sideways_scrolling(
    server: PageServer, new_tab: NewTab, tmp_path: Path, locale: str
) -> None:
    wide: list[str] = []

    def check(name: str, tab: ChromiumTab) -> None:
        if tab.run("document.documentElement.scrollWidth") > NARROW["width"]:
            wide.append(name)

    Screens(server, new_tab, tmp_path, viewport=NARROW, locale=locale).all(check)
    assert wide == []


def test_a_page_without_https_says_that_it_cannot_encrypt(server: PageServer, new_tab: NewTab) -> None:
    tab = new_tab(viewport=NARROW)
    insecure = server.url.replace("127.0.0.1", INSECURE_HOST)
    for url in (insecure, f"{insecure}/#{'a' * 16}.{'A' * 22}"):
        tab.open(url)
        assert shown_error(tab) == "unsupported_browser"
        assert tab.run("typeof crypto.subtle") == "undefined"
        assert "https" in tab.run("document.querySelector('[data-error]').innerText")
        assert tab.run("document.querySelector('[data-choose]') === null")
        assert tab.run("location.hash") == ""
        assert violations(tab) == []
    show(tab, "Settings")
    wait_until(tab, "document.querySelector('#theme') !== null")
    # The browser's own remark, about a header that counts in secure contexts only.
    assert [line for line in tab.problems if "Cross-Origin-Opener-Policy" not in line] == []


WITHOUT_HANDLES = "() => { delete globalThis.showOpenFilePicker; }"
"""Playwright answers the chooser of an input only."""


def press_until(tab: ChromiumTab, selector: str, key: str = "Tab") -> None:
    """Press a key until an element has the focus."""
    for _ in range(40):
        if tab.run(f"document.activeElement?.matches({selector!r}) ?? false"):
            return
        tab.page.keyboard.press(key)
    raise AssertionError(f"{selector} cannot be reached by {key}")


def test_a_file_is_sent_and_received_by_keyboard_alone(
    server: PageServer, new_tab: NewTab, downloads: Path, tmp_path: Path
) -> None:
    source = make_file(tmp_path / "by keyboard.bin", 5000)
    sender, receiver = new_tab(), new_tab()
    sender.before_load(WITHOUT_HANDLES)
    sender.open(server.url)
    press_until(sender, ".drop button:first-child")
    with sender.page.expect_file_chooser() as chooser:
        sender.page.keyboard.press("Enter")
    chooser.value.set_files(source)
    press_until(sender, "button.wide")
    sender.page.keyboard.press("Enter")
    link = wait_until(sender, "document.querySelector('#link')?.value")
    press_until(sender, "#link")

    receiver.open(server.url)
    press_until(receiver, "nav button:nth-child(2)")
    receiver.page.keyboard.press("Enter")
    press_until(receiver, "#paste")
    receiver.page.keyboard.insert_text(link)
    receiver.page.keyboard.press("Enter")
    wait_for_state(receiver, "confirming")
    press_until(receiver, "main button.primary")
    receiver.page.keyboard.press("Space")
    assert wait_for_state(receiver, "done", "failed") == "done"
    assert wait_for_download(receiver, downloads, source.name, 5000).read_bytes() == source.read_bytes()
    assert wait_for_state(sender, "done") == "done"


def test_a_text_is_sent_and_declined_and_settings_change_by_keyboard_alone(
    server: PageServer, new_tab: NewTab
) -> None:
    sender, receiver = new_tab(), new_tab()
    sender.open(server.url)
    press_until(sender, ".drop button:nth-child(3)")
    sender.page.keyboard.press("Enter")
    press_until(sender, "textarea")
    sender.page.keyboard.type("a text")
    press_until(sender, "button[type=submit]")
    sender.page.keyboard.press("Enter")
    press_until(sender, "button.wide")
    sender.page.keyboard.press("Enter")
    receiver.open(wait_until(sender, "document.querySelector('#link')?.value"))
    wait_for_state(receiver, "confirming")
    press_until(receiver, "main .row button:last-child")
    receiver.page.keyboard.press("Enter")
    assert wait_for_state(sender, "cancelled", "failed", "done") == "cancelled"
    press_until(receiver, "nav button:nth-child(3)")
    receiver.page.keyboard.press("Enter")
    press_until(receiver, "#telemetry")
    receiver.page.keyboard.press("Space")
    assert receiver.run("JSON.parse(localStorage['tallow.settings']).telemetry") == "off"


def test_files_are_given_again_and_the_transfer_is_cancelled_by_keyboard_alone(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    source = make_file(tmp_path / "again.bin", 5000)
    tab = new_tab()
    tab.before_load(WITHOUT_HANDLES)
    tab.open(server.url)
    link = start_send(tab, [source])
    tab.open(server.url)
    press_until(tab, "[data-role=sender] .drop button:first-child")
    with tab.page.expect_file_chooser() as chooser:
        tab.page.keyboard.press("Enter")
    chooser.value.set_files(source)
    assert link_of(tab) == link
    press_until(tab, ".link-panel button.primary")
    tab.page.keyboard.press("Enter")
    press_until(tab, ".actions button")
    tab.page.keyboard.press("Enter")
    assert wait_for_state(tab, "cancelled", "failed") == "cancelled"
    press_until(tab, ".actions button")
    tab.page.keyboard.press("Enter")
    wait_until(tab, "document.querySelector('.drop') !== null")


def test_reports_are_read_and_deleted_by_keyboard_alone(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    tab = new_tab()
    tab.open(server.url)
    link = start_send(tab, [make_file(tmp_path / "a.bin", 1000)])
    with command_line("receive", "--yes", "-o", str(tmp_path / "out"), stdin=link) as receiver:
        assert receiver.wait(timeout=60) == 0
    server.wait_for('tallow_client_reports_total{outcome="accepted"}', 2)
    press_until(tab, "nav button:nth-child(3)")
    tab.page.keyboard.press("Enter")
    press_until(tab, "main p.row button")
    tab.page.keyboard.press("Enter")
    wait_until(tab, "document.querySelector('details.report') !== null")
    press_until(tab, "details.report > summary")
    tab.page.keyboard.press("Enter")
    assert tab.run("document.querySelector('details.report').open")
    press_until(tab, "main .actions button:last-child")
    tab.page.keyboard.press("Enter")
    wait_until(tab, "document.querySelector('details.report') === null")


def test_the_focus_is_on_the_heading_of_a_new_screen(server: PageServer, new_tab: NewTab) -> None:
    tab = new_tab()
    tab.open(server.url)
    for name in ("Receive", "Settings", "Send"):
        show(tab, name)
        wait_until(tab, "document.activeElement?.tagName === 'H1'")
        assert name in tab.run("document.title")


def test_the_page_speaks_the_language_of_the_browser(server: PageServer, new_tab: NewTab) -> None:
    for locale, language, title in (("de-AT", "de", "Dateien senden"), ("fr-FR", "en", "Send files")):
        tab = new_tab(locale=locale)
        tab.open(server.url)
        wait_until(tab, "document.querySelector('h1') !== null")
        assert tab.run("document.documentElement.lang") == language
        assert tab.run("document.querySelector('h1').innerText") == title


def test_the_secret_leaves_the_address_bar_and_the_history(server: PageServer, new_tab: NewTab) -> None:
    tab = new_tab()
    tab.open(server.url)
    link = f"{server.url}/#{'a' * 16}.{'B' * 21}Q"
    for opened in ("from outside", "in the open page"):
        if opened == "from outside":
            tab.open(link)
        else:
            tab.run(f"void (location.href = {link!r})")
        wait_until(tab, f"{STATE} !== undefined && location.hash === ''")
        assert tab.run("location.href") == f"{server.url}/"
        assert "BBBB" not in tab.run("JSON.stringify(history.state)")
        session = tab.page.context.new_cdp_session(tab.page)
        entries = session.send("Page.getNavigationHistory")["entries"]
        assert not any("BBBB" in entry["url"] for entry in entries)


def test_a_transfer_between_page_and_command_line_has_one_id(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    tab = new_tab()
    tab.open(server.url)
    link = start_send(tab, [make_file(tmp_path / "a.bin", 1000)])
    log = tmp_path / "peer.log"
    with command_line(
        "receive", "--yes", "-o", str(tmp_path / "out"), stdin=link, LOG_FILE=str(log), LOG_LEVEL="info"
    ) as receiver:
        wait_for_state(tab, "done")
        _, messages = receiver.communicate(timeout=60)
    shown = tab.run("document.querySelector('.details dd').textContent")
    assert re.fullmatch(r"[0-9a-f]{32}", shown)
    server.wait_for('tallow_client_reports_total{outcome="accepted"}', 2)
    assert shown in server.log.read_text()
    assert shown in messages + (log.read_text() if log.exists() else "")
