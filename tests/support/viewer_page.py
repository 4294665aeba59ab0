"""The viewer's page in a real browser, over a real Prometheus with an hour of history."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, FloatRect, Page

from support import traffic
from support.prometheus import backfill, running
from support.viewer import PASSWORD, credentials_file, tallow_viewer

HOSTILE: Final = "<img src=x onerror=document.title='owned'>"
SCRAPE_S, SCRAPES = 15, 260
DESKTOP, PHONE = (1440, 900), (390, 844)
HOME: Final = "/d/tallow-overview"
END: Final = int(time.time())
"""Of the history, whatever the clock says when a test comes to look."""
HOUR: Final = f"from={(END - 3600) * 1000}&to={END * 1000}"
"""The last hour of the history, as an address has it."""

# What each kind of panel leaves on the page when it has drawn something: marks on a canvas, or words.
_DRAWN = """panel => {
  const marks = canvas => {
    if (!canvas.width || !canvas.height) return 0;
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    const colours = new Set();
    for (let at = 0; at < pixels.length; at += 4)
      if (pixels[at + 3] > 60) colours.add([0, 1, 2].map(channel => pixels[at + channel] >> 4).join());
    return colours.size;
  };
  const drawing = panel.querySelector('.drawing');
  return {
    title: panel.querySelector('h2').textContent,
    state: panel.dataset.state,
    colours: Math.max(0, ...[...drawing.querySelectorAll('canvas')].map(marks)),
    rows: drawing.querySelectorAll('[role=row]').length,
    words: drawing.innerText.trim(),
    failed: drawing.querySelector('.error') !== null,
  };
}"""


@contextlib.contextmanager
def viewer_with_history(folder: Path) -> Iterator[str]:
    """A viewer over an hour of two instances, one of which has markup for a name: its address."""
    metrics, scrapes = traffic.server_metrics(), []
    for scrape in range(SCRAPES + 1):
        if scrape % 4 == 1:
            traffic.record_minute(metrics)
        at = END - (SCRAPES - scrape) * SCRAPE_S
        scrapes.append(traffic.stored_samples(metrics, "tallow", "busy:3000", at))
        scrapes.append(f'tallow_build_info{{job="tallow",instance="{HOSTILE}",version="0"}} 1 {at}\n')
    backfill(folder / "data", "".join(scrapes) + "# EOF\n")
    with running(folder / "data") as server:
        with tallow_viewer(credentials_file(folder), server.url) as url:
            yield url


def wait_until_still(page: Page, selector: str) -> FloatRect:
    """Where the first of its kind lies, once it is drawn and nothing above it moves any more."""
    shown = page.locator(selector).first
    before = None
    for _ in range(200):
        found = shown.bounding_box()  # None while it is being drawn anew
        if found is not None and found == before:
            return found
        before = found
        page.wait_for_timeout(50)
    raise AssertionError(f"{selector} does not lie still")


class ViewerPage:
    """A page that is logged in, and everything that went wrong on it."""

    def __init__(
        self, browser: Browser, address: str, size: tuple[int, int], scheme: Any = "dark", home: str = HOME
    ) -> None:
        width, height = size
        self.address = address
        self.page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.page.set_default_timeout(90_000)  # milliseconds: a machine may be busy with other tests
        self.problems: list[str] = []
        self.requested_urls: set[str] = set()
        self.page.on("console", lambda line: self.problems.extend([line.text] * (line.type == "error")))
        self.page.on("response", lambda answer: self.problems.extend([answer.url] * (answer.status >= 400)))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self.requested_urls.add(request.url))
        self.page.goto(address + home)
        self.page.fill("#password", PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(f"**{home}")

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)
        self.settle()

    def settle(self) -> None:
        """Until no panel waits for data."""
        self.page.wait_for_function(
            "() => document.querySelector('[data-panel]') && !document.querySelector('[data-state=loading]')"
        )

    def graph(self) -> FloatRect:
        """Where a graph lies, once nothing above it moves any more."""
        self.page.locator(".alerts").wait_for()
        return wait_until_still(self.page, "[data-panel='6'] .u-over")

    def panels(self) -> list[dict[str, Any]]:
        """What each panel has drawn. Tables draw what is in sight alone: all of it is."""
        width = self.page.viewport_size["width"] if self.page.viewport_size else 0
        height = self.page.evaluate("document.documentElement.scrollHeight")
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.wait_for_timeout(400)
        self.settle()
        return [panel.evaluate(_DRAWN) for panel in self.page.query_selector_all("[data-panel]")]

    def close(self) -> None:
        """Close it; nothing went wrong, and nobody else was asked."""
        self.page.close()
        assert self.problems == []
        assert all(url.startswith((self.address, "data:", "blob:")) for url in self.requested_urls)
