"""Every screen: no fault that axe finds, and nothing cut off on narrow displays, in both languages.

The screens are those of ``support.web_app.walks``, of which the pictures are drawn, too.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.web_app.axe import violations
from support.web_app.server import PageServer
from support.web_app.tabs import ChromiumTab, NewTab, wait_until
from support.web_app.walks import Screens

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(1200)]

SOURCES = Path(__file__).parents[3] / "web" / "app" / "src"
HEIGHT = 800
WIDTHS = (320, 390, 1280)
CUT_OFF = """(() => {
  const hidden = (element) => element.closest('.visually-hidden, .skip, .scroll') !== null
    || getComputedStyle(element).clipPath !== 'none';
  const wider = (element) => {
    const style = getComputedStyle(element);
    if (element.localName !== 'select') {
      return style.overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1;
    }
    const measure = document.createElement('canvas').getContext('2d');
    measure.font = style.font;
    const arrow = 20;
    const room = element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - arrow;
    return measure.measureText(element.selectedOptions[0].text).width > room;
  };
  const outside = (box) => box.width > 0 && (box.left < -1 || box.right > innerWidth + 1);
  return [...document.querySelectorAll('body *')]
    .filter((element) => element.checkVisibility() && !hidden(element) && element.id !== 'link')
    .filter((element) => wider(element) || outside(element.getBoundingClientRect()))
    .map((element) => element.outerHTML.slice(0, 120));
})()"""
"""Elements whose text is cut off, or that reach beyond the window. A field with a link scrolls."""
SHOWN = """[
  document.querySelector('h1').innerText,
  document.querySelector('[data-state]')?.dataset.role,
  document.querySelector('[data-state]')?.dataset.state,
]"""


def set_width(tab: ChromiumTab, width: int) -> None:
    tab.page.set_viewport_size({"width": width, "height": HEIGHT})


def titles() -> set[str]:
    """The titles among the texts of the page, in English. Each is the heading of a screen."""
    found = re.findall(r"^\s+title: '([^']+)'", (SOURCES / "i18n" / "en.ts").read_text(), re.MULTILINE)
    assert len(found) > 5
    return set(found)


def states() -> set[str]:
    """The states of a transfer."""
    found = re.search(r"export type SessionState =([^;]+);", (SOURCES / "types.ts").read_text())
    assert found is not None
    return set(re.findall(r"'(\w+)'", found[1]))


def test_axe_finds_nothing_and_no_screen_is_forgotten(
    server: PageServer, new_tab: NewTab, tmp_path: Path
) -> None:
    found: dict[str, list[str]] = {}
    headings: set[str] = set()
    transfers: set[tuple[str, str]] = set()

    def check(name: str, tab: ChromiumTab) -> None:
        heading, role, state = tab.run(SHOWN)
        headings.add(heading)
        if role is not None:
            transfers.add((role, state))
        for width in WIDTHS:
            set_width(tab, width)
            for scheme in ("light", "dark"):
                tab.page.emulate_media(color_scheme=scheme)
                if problems := violations(tab):
                    found[f"{name}, {width} px, {scheme}"] = problems

    Screens(server, new_tab, tmp_path, locale="en").all(check)
    assert found == {}
    assert titles() <= headings
    assert transfers == {(role, state) for role in ("sender", "receiver") for state in states()}


@pytest.mark.parametrize("locale", ["en", "de"])
def test_nothing_is_cut_off_at_any_width(
    server: PageServer, new_tab: NewTab, tmp_path: Path, locale: str
) -> None:
    found: dict[str, list[str]] = {}

    def check(name: str, tab: ChromiumTab) -> None:
        for width in WIDTHS:
            set_width(tab, width)
            if problems := tab.run(CUT_OFF):
                found[f"{name}, {width} px"] = problems
            if tab.run("document.documentElement.scrollWidth") > width:
                found[f"{name}, {width} px, sideways"] = []

    Screens(server, new_tab, tmp_path, locale=locale).all(check)
    assert found == {}


def test_planted_faults_are_found(server: PageServer, new_tab: NewTab) -> None:
    tab = new_tab()
    tab.open(server.url)
    wait_until(tab, "document.querySelector('nav button') !== null")
    set_width(tab, WIDTHS[0])
    assert violations(tab) == tab.run(CUT_OFF) == []
    tab.run("void document.querySelector('nav button').replaceChildren()")
    assert any("button-name" in line for line in violations(tab))
    tab.run(
        "void (document.querySelector('h1').style = 'width: 60px; overflow: hidden; white-space: nowrap')"
    )
    tab.run("void (document.querySelector('.drop button').style = 'min-width: 400px')")
    found = " ".join(tab.run(CUT_OFF))
    assert "<h1" in found
    assert "<button" in found
