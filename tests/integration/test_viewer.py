"""The dashboards in a real browser, on a real Prometheus: drawn, closed to others, safe with hostile text."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from support import traffic
from support.browser import chromium
from support.prometheus import backfill, running
from support.viewer import PASSWORD, credentials_file, tallow_viewer
from tallow.stack.viewer.boards import load_boards

pytestmark = pytest.mark.integration

HOSTILE = "<img src=x onerror=document.title='owned'>"
SCRAPE_S, SCRAPES = 15, 260


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A viewer over an hour of two instances, one of which has markup for a name."""
    folder = tmp_path_factory.mktemp("viewer")
    end, metrics, scrapes = int(time.time()), traffic.server(), []
    for scrape in range(SCRAPES + 1):
        if scrape % 4 == 1:
            traffic.minute(metrics)
        at = end - (SCRAPES - scrape) * SCRAPE_S
        scrapes.append(traffic.history(metrics, "tallow", "busy:3000", at))
        scrapes.append(f'tallow_build_info{{job="tallow",instance="{HOSTILE}",version="0"}} 1 {at}\n')
    backfill(folder / "data", "".join(scrapes) + "# EOF\n")
    with running(folder / "data") as server:
        with tallow_viewer(credentials_file(folder), server.url) as url:
            yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def test_every_dashboard_is_drawn(address: str, browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 1300})
    _log_in(page, address)  # the first question is answered 401, which leads here
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("response", lambda answer: said.append(answer.url) if answer.status >= 400 else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    for uid, board in load_boards().items():
        page.goto(f"{address}/d/{uid}")
        _settle(page, len(board["panels"]))
        states = page.eval_on_selector_all("[data-panel]", "all => all.map(one => one.dataset.state)")
        assert states.count("drawn") >= len(states) - 1, uid
        assert "error" not in states, uid
        page.screenshot(path=tmp_path / f"{uid}.png")
    assert said == []
    assert all(url.startswith((address, "data:", "blob:")) for url in asked)
    _changes(page)
    page.close()


def _changes(page: Page) -> None:
    """A link is followed, a range and a variable are changed, a panel is enlarged; markup stays text."""
    page.get_by_role("link", name="Errors").click()
    page.wait_for_url("**/d/tallow-errors*")
    page.get_by_label("Time range").select_option("now-15m")
    page.wait_for_url("**from=now-15m*")
    page.locator("summary", has_text="Instance").click()
    page.get_by_label(HOSTILE).click()
    page.wait_for_url("**var-instance=*")
    assert page.title() != "owned"
    assert page.locator("img[src=x]").count() == 0


def _log_in(page: Page, address: str) -> None:
    page.goto(f"{address}/d/tallow-overview")
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector("[data-state=drawn]")


def _settle(page: Page, panels: int) -> None:
    page.wait_for_function(
        "count => document.querySelectorAll('[data-panel]').length === count"
        " && !document.querySelector('[data-state=loading]')",
        arg=panels,
    )
