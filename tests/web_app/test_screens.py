"""The screens: accessible, usable by keyboard alone and on narrow displays, in two languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from support.programs.browser import INSECURE_HOST
from support.web_app.axe import violations
from support.web_app.files import make_file, wait_for_download
from support.web_app.server import PageServer
from support.web_app.tabs import ChromiumTab, NewTab, wait_until
from support.web_app.transfers import STATE, command_line, shown_error, start_send, wait_for_state

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(600)]

NARROW = {"width": 320, "height": 640}
NAMES = (
    "a_name_without_any_space_that_is_longer_than_the_width_of_a_small_telephone_display.tar.gz",
    "notes.txt",
)


def choose(tab: ChromiumTab, folder: Path) -> None:
    tab.choose("[data-choose=files]", [make_file(folder / name, 2000) for name in NAMES])
    wait_until(tab, "document.querySelectorAll('.files li').length === 2")


def show(tab: ChromiumTab, name: str) -> None:
    tab.page.get_by_role("navigation").get_by_role("button", name=name).click()


class Screens:
    """Brings a tab to each screen of the page; the other side of a transfer is another tab."""

    def __init__(self, server: PageServer, new_tab: NewTab, folder: Path, **options: object) -> None:
        self.server, self.folder = server, folder
        self._new_tab: Callable[[], ChromiumTab] = lambda: new_tab(**options)

    def all(self, check: Callable[[str, ChromiumTab], None]) -> None:
        """Call ``check`` with the name of each screen and a tab that shows it."""
        sender, receiver = self._opened(), self._opened()
        check("home", sender)
        choose(sender, self.folder)
        check("chosen", sender)
        show(receiver, "Receive")
        check("receive", receiver)
        receiver.page.fill("#paste", "no link")
        receiver.click("button[type=submit]")
        check("receive with a problem", receiver)
        show(receiver, "Settings")
        check("settings", receiver)
        sender.click("button.wide")
        link = wait_until(sender, "document.querySelector('#link')?.value")
        check("link", sender)
        receiver.open(link)
        wait_for_state(receiver, "confirming")
        check("offer", receiver)
        check("sender while the receiver decides", sender)
        receiver.click("main button.primary")
        for tab in (sender, receiver):
            wait_for_state(tab, "done")
        check("sent", sender)
        check("received", receiver)
        show(receiver, "Settings")
        receiver.page.get_by_role("button", name="Show what was sent").click()
        wait_until(receiver, "document.querySelector('details.report') !== null")
        receiver.click("details.report summary")
        check("reports", receiver)
        self._text(check)
        self._failure(check)

    def _opened(self) -> ChromiumTab:
        tab = self._new_tab()
        tab.open(self.server.url)
        wait_until(tab, "document.querySelector('h1') !== null")
        return tab

    def _text(self, check: Callable[[str, ChromiumTab], None]) -> None:
        sender, receiver = self._opened(), self._opened()
        sender.page.get_by_role("button", name="Write a text").click()
        check("text", sender)
        sender.page.fill("textarea", "A line\nand another")
        sender.page.get_by_role("button", name="Use this text").click()
        sender.click("button.wide")
        receiver.open(wait_until(sender, "document.querySelector('#link')?.value"))
        wait_for_state(receiver, "confirming")
        check("offered text", receiver)
        receiver.click("main button.primary")
        wait_for_state(receiver, "done")
        assert receiver.run("document.querySelector('#received').value") == "A line\nand another"
        check("received text", receiver)

    def _failure(self, check: Callable[[str, ChromiumTab], None]) -> None:
        tab = self._opened()
        tab.open(f"{self.server.url}/#{'a' * 16}.{'A' * 22}")
        wait_for_state(tab, "failed")
        check("failed", tab)


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
    assert len(checked) >= 15
    assert found == {}


def test_axe_finds_a_planted_fault(server: PageServer, new_tab: NewTab) -> None:
    tab = new_tab()
    tab.open(server.url)
    wait_until(tab, "document.querySelector('nav button') !== null")
    tab.run("void document.querySelector('nav button').replaceChildren()")
    assert any("button-name" in line for line in violations(tab))


def test_every_screen_fits_320_pixels_without_sideways_scrolling(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    wide: list[str] = []

    def check(name: str, tab: ChromiumTab) -> None:
        if tab.run("document.documentElement.scrollWidth") > NARROW["width"]:
            wide.append(name)

    Screens(server, new_tab, tmp_path, viewport=NARROW).all(check)
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
