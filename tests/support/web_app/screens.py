"""Draws the screens of the page.

``PYTHONPATH=tests python -m support.web_app.screens FOLDER [SET…]``. A set is, for example,
``phone-320-dark-de``; by default, all are drawn. ``--readme FILE`` draws the picture of the README.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from support.programs.browser import chromium
from support.web_app.files import make_file
from support.web_app.server import serving_page
from support.web_app.tabs import ChromiumTab, NewTab
from support.web_app.transfers import start_send, wait_for_state
from support.web_app.walks import Screens

SIZES: Final = {"desktop": (1100, 900), "phone-390": (390, 844), "phone-320": (320, 640)}
README_SIZE: Final = {"width": 1100, "height": 560}
README_FILES: Final = {
    "Harbour in Ålesund.mp4": 60_000_000,
    "Invoice 2026-11.pdf": 180_000,
    "Notes from Tuesday.txt": 900,
}


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


def draw_offer(target: Path) -> None:
    """Draw the question whether to accept files, as the README shows it."""
    with tempfile.TemporaryDirectory() as name, serving_page(Path(name) / "server") as server:
        with opened_tabs(Path(name)) as new_tab:
            sender, receiver = new_tab(), new_tab(viewport=README_SIZE, color_scheme="dark")
            sender.open(server.url)
            files = [make_file(Path(name) / path, size) for path, size in README_FILES.items()]
            sender.run("void localStorage.setItem('tallow.settings', '{\"keep_metadata\": \"on\"}')")
            sender.open(server.url)
            receiver.open(start_send(sender, files))
            wait_for_state(receiver, "confirming")
            receiver.page.mouse.move(0, 0)
            receiver.page.screenshot(path=target, animations="disabled")


if __name__ == "__main__":
    if sys.argv[1] == "--readme":
        draw_offer(Path(sys.argv[2]))
    else:
        draw(Path(sys.argv[1]), *sys.argv[2:])
