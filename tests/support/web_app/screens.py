"""Brings tabs to every screen of the page, whatever its language.

Run as a program, it draws them: ``PYTHONPATH=tests python -m support.web_app.screens FOLDER [SET…]``.
A set is, for example, ``phone-320-dark-de``; by default, all are drawn.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from support.programs.browser import INSECURE_HOST, chromium
from support.web_app.files import make_file
from support.web_app.server import PageServer, serving_page
from support.web_app.tabs import ChromiumTab, NewTab, wait_until
from support.web_app.transfers import command_line, link_of, wait_for_state

Check = Callable[[str, ChromiumTab], None]

NAMES: Final = (
    "a_name_without_any_space_that_is_longer_than_the_width_of_a_small_telephone_display.tar.gz",
    "notes.txt",
)
PRIMARY: Final = "main button.primary"
SENDING: Final = ("--relay", "--limit", "500K", "--json")
SLOW_BYTES: Final = 20_000_000
SIZES: Final = {"desktop": (1100, 900), "phone-390": (390, 844), "phone-320": (320, 640)}


def show(tab: ChromiumTab, number: int) -> None:
    """Show a screen by its button: 1 sends, 2 receives, 3 is for the settings."""
    tab.click(f"nav button:nth-child({number})")


def choose(tab: ChromiumTab, folder: Path) -> None:
    """Choose two files, one of them with a long name."""
    tab.choose("[data-choose=files]", [make_file(folder / name, 2000) for name in NAMES])
    wait_until(tab, "document.querySelectorAll('.files li').length === 2")


class Screens:
    """Shows each screen; the other side of a transfer is another tab, or the command line.

    Args:
        options: of the browser context of each tab.
    """

    def __init__(self, server: PageServer, new_tab: NewTab, folder: Path, **options: Any) -> None:
        self.server, self.folder = server, folder
        self._new_tab: Callable[[], ChromiumTab] = lambda: new_tab(**options)

    def all(self, check: Check) -> None:
        """Call ``check`` with the name of each screen and a tab that shows it."""
        for some in (self._files, self._text, self._slow, self._reloaded, self._failures, self._banner):
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
        sender.click("button.wide")
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
        sender.click(".drop button:nth-child(3)")
        check("text", sender)
        sender.page.fill("textarea", "A line\nand another")
        sender.click("button[type=submit]")
        check("chosen text", sender)
        sender.click("button.wide")
        receiver.open(link_of(sender))
        wait_for_state(receiver, "confirming")
        check("offered text", receiver)
        receiver.click(PRIMARY)
        wait_for_state(receiver, "done")
        assert receiver.run("document.querySelector('#received').value") == "A line\nand another"
        check("received text", receiver)

    def _slow(self, check: Check) -> None:
        """A transfer under way, and one that the other side has stopped."""
        source = make_file(self.folder / "a longer film with a name of some words.mkv", SLOW_BYTES)
        tab = self._opened()
        with command_line("send", "--server", self.server.url, *SENDING, str(source)) as sender:
            assert sender.stdout is not None
            tab.open(next(found for line in sender.stdout if (found := json.loads(line).get("link"))))
            wait_for_state(tab, "confirming")
            tab.click(PRIMARY)
            wait_until(tab, "document.querySelectorAll('.figures span').length === 3")
            check("receiving", tab)
            sender.send_signal(signal.SIGINT)
            wait_for_state(tab, "cancelled")
            check("stopped", tab)

    def _reloaded(self, check: Check) -> None:
        tab = self._opened()
        choose(tab, self.folder)
        tab.click("button.wide")
        link_of(tab)
        tab.open(self.server.url)
        wait_until(tab, "document.querySelector('[data-role=sender] [data-choose=files]') !== null")
        check("files again", tab)
        tab.choose("[data-choose=files]", [make_file(self.folder / "other" / "notes.txt", 10)])
        wait_until(tab, "document.querySelector('main [role=alert]') !== null")
        check("another file", tab)
        tab.click(".actions button")
        wait_for_state(tab, "cancelled")
        check("cancelled", tab)

    def _failures(self, check: Check) -> None:
        tab = self._opened()
        tab.open(f"{self.server.url}/#{'a' * 16}.{'A' * 22}")
        wait_for_state(tab, "failed")
        check("failed", tab)
        tab.open(self.server.url.replace("127.0.0.1", INSECURE_HOST))
        wait_until(tab, "document.querySelector('[data-error=unsupported_browser]') !== null")
        check("without https", tab)

    def _banner(self, check: Check) -> None:
        tab = self._opened()
        tab.page.context.set_offline(offline=True)
        wait_until(tab, "document.querySelector('.banner') !== null")
        check("offline", tab)


@contextlib.contextmanager
def opened_tabs(folder: Path) -> Iterator[NewTab]:
    """A maker of tabs in one browser."""
    with chromium() as browser:
        tabs: list[ChromiumTab] = []

        def open_tab(**options: Any) -> ChromiumTab:
            tabs.append(ChromiumTab(browser.new_context(accept_downloads=True, **options), folder))
            return tabs[-1]

        yield open_tab
        for tab in tabs:
            tab.close()


def draw(target: Path, *sets: str) -> None:
    """Draw every screen in each size, light and dark, English and German, or in some sets of these."""
    for (size, (width, height)), scheme, locale in itertools.product(
        SIZES.items(), ("light", "dark"), ("en", "de")
    ):
        folder = target / f"{size}-{scheme}-{locale}"
        if sets and folder.name not in sets:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as name, serving_page(Path(name) / "server") as server:
            numbers = itertools.count(1)

            def check(screen: str, tab: ChromiumTab, folder: Path = folder, numbers: Any = numbers) -> None:
                tab.page.wait_for_timeout(100)  # fonts and animations
                file = folder / f"{next(numbers):02} {screen}.png"
                tab.page.screenshot(path=file, full_page=True, animations="disabled")

            with opened_tabs(Path(name)) as new_tab:
                options: dict[str, Any] = {
                    "viewport": {"width": width, "height": height},
                    "color_scheme": scheme,
                }
                options |= {"locale": locale, "has_touch": size != "desktop", "is_mobile": size != "desktop"}
                Screens(server, new_tab, Path(name), **options).all(check)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), *sys.argv[2:])
