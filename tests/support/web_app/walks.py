"""Brings tabs to every screen of the page, whatever its language."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from support.programs.browser import INSECURE_HOST
from support.web_app.builds import offered_update
from support.web_app.files import make_file
from support.web_app.server import PageServer
from support.web_app.tabs import ChromiumTab, NewTab, wait_until
from support.web_app.transfers import (
    CHOOSE_FILES,
    CREATE_LINK,
    PRIMARY,
    command_line,
    link_of,
    start_send,
    wait_for_state,
)

Check = Callable[[str, ChromiumTab], None]
"""Is called with the name of a screen and a tab that shows it."""

NAMES: Final = (
    "a_name_without_any_space_that_is_longer_than_the_width_of_a_small_telephone_display.tar.gz",
    "notes.txt",
    "תמונות מהחוף של יום שלישי.zip",  # from right to left
)
SENDING: Final = ("--relay", "--limit", "500K", "--json")
SLOW_BYTES: Final = 20_000_000
HELD_BYTES: Final = 240_000_000
"""Enough for a transfer of seconds: the receiver is paused meanwhile, also on a loaded machine."""
MOVING: Final = "document.querySelector('[data-state=transferring] progress')?.value > 0"
NO_CLIPBOARD: Final = "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }"
SOCKETS: Final = 'tallow_active_connections{type="websocket"}'
OFFER_INSTALLATION: Final = "void dispatchEvent(new Event('beforeinstallprompt'))"
"""A headless browser does not offer it."""
ROWS: Final = "document.querySelectorAll('main p.row').length"
WRITE_TEXT: Final = ".drop button:nth-child(3)"


def show(tab: ChromiumTab, number: int) -> None:
    """Show a screen by its button: 1 sends, 2 receives, 3 is for the settings."""
    tab.click(f"nav button:nth-child({number})")


def choose(tab: ChromiumTab, folder: Path) -> None:
    """Choose files with difficult names."""
    tab.choose(CHOOSE_FILES, [make_file(folder / name, 2000) for name in NAMES])
    wait_until(tab, f"document.querySelectorAll('.files li').length === {len(NAMES)}")


def open_offer(tab: ChromiumTab, sender: subprocess.Popen[str]) -> None:
    """Open the link of a command-line sender that prints events."""
    assert sender.stdout is not None
    tab.open(next(found for line in sender.stdout if (found := json.loads(line).get("link"))))
    wait_for_state(tab, "confirming")


class Screens:
    """Shows each screen; the other side of a transfer is another tab, or the command line.

    Args:
        options: of the browser context of each tab.
    """

    def __init__(self, server: PageServer, new_tab: NewTab, folder: Path, **options: Any) -> None:
        self.server, self.folder = server, folder
        self._new_tab: Callable[[], ChromiumTab] = lambda: new_tab(**options)

    def all(self, check: Check) -> None:
        """Call ``check`` for each screen."""
        for some in (
            self._waiting,
            self._files,
            self._text,
            self._receiving,
            self._sending,
            self._reloaded,
            self._failures,
            self._notices,
            self._app,
        ):
            some(check)

    def _opened(self) -> ChromiumTab:
        tab = self._new_tab()
        tab.open(self.server.url)
        wait_until(tab, "document.querySelector('h1') !== null")
        return tab

    def _files(self, check: Check) -> None:
        sender, receiver = self._opened(), self._opened()
        check("home", sender)
        choose(sender, self.folder)
        check("chosen", sender)
        show(receiver, 2)
        check("receive", receiver)
        receiver.page.fill("#paste", "no link")
        receiver.click("button[type=submit]")
        check("receive with a problem", receiver)
        show(receiver, 3)
        check("settings", receiver)
        sender.click(CREATE_LINK)
        link = link_of(sender)
        check("link", sender)
        receiver.open(link)
        wait_for_state(receiver, "confirming")
        check("offer", receiver)
        check("sender while the receiver decides", sender)
        receiver.click(PRIMARY)
        for tab in (sender, receiver):
            wait_for_state(tab, "done")
        check("sent", sender)
        check("received", receiver)
        show(receiver, 3)
        receiver.click("main p.row button")
        wait_until(receiver, "document.querySelector('details.report') !== null")
        receiver.click("details.report summary")
        check("reports", receiver)

    def _text(self, check: Check) -> None:
        sender, receiver = self._opened(), self._opened()
        sender.click(WRITE_TEXT)
        check("text", sender)
        sender.page.fill("textarea", "A line\nand another")
        sender.click("button[type=submit]")
        check("chosen text", sender)
        sender.click(CREATE_LINK)
        receiver.open(link_of(sender))
        wait_for_state(receiver, "confirming")
        check("offered text", receiver)
        receiver.click(PRIMARY)
        wait_for_state(receiver, "done")
        assert receiver.run("document.querySelector('#received').value") == "A line\nand another"
        check("received text", receiver)

    def _receiving(self, check: Check) -> None:
        """A transfer under way, one that the other side has stopped, and one whose other side is gone."""
        source = make_file(self.folder / "a longer film with a name of some words.mkv", SLOW_BYTES)
        tab = self._opened()
        for end, state, name in (
            (signal.SIGINT, "cancelled", "stopped"),
            (signal.SIGKILL, "interrupted", "receiver without its sender"),
        ):
            with command_line("send", "--server", self.server.url, *SENDING, str(source)) as sender:
                open_offer(tab, sender)
                tab.click(PRIMARY)
                wait_until(tab, "document.querySelectorAll('.figures span').length === 3")
                if end == signal.SIGINT:
                    check("receiving", tab)
                sender.send_signal(end)
                wait_for_state(tab, state)
                check(name, tab)

    def _sending(self, check: Check) -> None:
        """A transfer under way, and one whose other side is gone."""
        tab = self._opened()
        link = start_send(tab, [make_file(self.folder / "a large file.bin", HELD_BYTES)])
        out = str(self.folder / "out")
        with command_line("receive", "--yes", "--relay", "-o", out, stdin=link) as receiver:
            wait_until(tab, MOVING)
            receiver.send_signal(signal.SIGSTOP)
            check("sending", tab)
            wait_until(tab, "document.querySelectorAll('.figures span').length === 2")
            check("sending stalls", tab)
            receiver.kill()
            wait_for_state(tab, "interrupted")
            check("sender without its receiver", tab)

    def _waiting(self, check: Check) -> None:
        """A receiver whose sender is not there, and both sides while the server does not answer."""
        sender, receiver = self._opened(), self._opened()
        choose(sender, self.folder)
        sender.click(CREATE_LINK)
        link = link_of(sender)
        sender.page.close()
        self.server.wait_for(SOCKETS, 0)  # otherwise the receiver connects to a sender that is gone
        receiver.open(link)
        wait_for_state(receiver, "waiting")
        check("receiver waits", receiver)
        for name in ("sender connects", "receiver connects"):
            tab = self._new_tab()
            tab.page.route_web_socket("**", lambda _: None)  # it opens, and says nothing
            if name == "sender connects":
                tab.open(self.server.url)
                choose(tab, self.folder)
                tab.click(CREATE_LINK)
            else:
                tab.open(link)
            wait_for_state(tab, "connecting")
            check(name, tab)

    def _reloaded(self, check: Check) -> None:
        tab = self._opened()
        choose(tab, self.folder)
        tab.click(CREATE_LINK)
        link_of(tab)
        tab.open(self.server.url)
        wait_until(tab, f"document.querySelector('[data-role=sender] {CHOOSE_FILES}') !== null")
        check("files again", tab)
        tab.choose(CHOOSE_FILES, [make_file(self.folder / "other" / "notes.txt", 10)])
        wait_until(tab, "document.querySelector('main [role=alert]') !== null")
        check("another file", tab)
        tab.click(".actions button")
        wait_for_state(tab, "cancelled")
        check("cancelled", tab)

    def _failures(self, check: Check) -> None:
        tab, source = self._opened(), self.folder / "changes.bin"
        for keeps_metadata in ("off", "on"):  # without metadata to remove, the engine reads the file first
            settings = json.dumps(json.dumps({"keep_metadata": keeps_metadata}))
            tab.run(f"void localStorage.setItem('tallow.settings', {settings})")
            tab.open(self.server.url)
            tab.choose(CHOOSE_FILES, [make_file(source, 2000)])
            make_file(source, 3000)
            tab.click(CREATE_LINK)
            wait_until(tab, "document.querySelector('[data-error]') !== null")
            if keeps_metadata == "off":
                check("unreadable file", tab)
        check("failed at the sender", tab)
        tab.open(f"{self.server.url}/#{'a' * 16}.{'A' * 22}")
        wait_for_state(tab, "failed")
        check("failed at the receiver", tab)
        tab.open(self.server.url.replace("127.0.0.1", INSECURE_HOST))
        wait_until(tab, "document.querySelector('[data-error=unsupported_browser]') !== null")
        check("without https", tab)

    def _notices(self, check: Check) -> None:
        """What appears beside a screen."""
        tab = self._new_tab()
        tab.before_load(NO_CLIPBOARD)
        tab.open(f"{self.server.url}/?shared")
        wait_until(tab, "document.querySelector('[role=alert]') !== null")
        check("shared files are gone", tab)
        broken = self.folder / "no picture.jpg"
        broken.write_bytes(b"\xff\xd8\xff\xe0\x00")
        tab.choose(CHOOSE_FILES, [broken, make_file(self.folder / "report.pdf", 100)])
        tab.click(CREATE_LINK)
        wait_until(tab, "document.querySelector('main .problem') !== null")
        check("metadata stays", tab)
        tab.page.locator(".files button").first.click()
        tab.click(CREATE_LINK)
        link_of(tab)
        tab.click(".link-panel button.primary")
        wait_until(tab, "document.querySelector('.link-panel [role=alert]') !== null")
        check("copying was refused", tab)
        tab.page.context.set_offline(offline=True)
        wait_until(tab, "document.querySelector('.banner') !== null")
        check("offline", tab)

    def _app(self, check: Check) -> None:
        """The offers to install the page and to update it."""
        tab = self._opened()
        show(tab, 3)
        rows = tab.run(ROWS)
        tab.run(OFFER_INSTALLATION)
        wait_until(tab, f"{ROWS} === {rows + 1}")
        check("settings with an offer to install", tab)
        tab = self._new_tab()
        with offered_update(tab, self.folder / "builds"):
            check("update", tab)
