"""The screens: accessible, usable by keyboard alone and on narrow displays, in two languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.programs.browser import INSECURE_HOST
from support.web_app.axe import violations
from support.web_app.files import make_file
from support.web_app.server import PageServer
from support.web_app.tabs import ChromiumTab, NewTab, wait_until
from support.web_app.transfers import (
    STATE,
    command_line,
    shown_error,
    start_send,
    wait_for_state,
)

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(600)]

NARROW = {"width": 320, "height": 640}


def show(tab: ChromiumTab, name: str) -> None:
    tab.page.get_by_role("navigation").get_by_role("button", name=name).click()


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
