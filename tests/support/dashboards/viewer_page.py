"""The viewer's page in a real browser, with a real Prometheus that has an hour of history."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, FloatRect, Page

from support.dashboards import traffic
from support.dashboards.viewer import PASSWORD, credentials_file, tallow_viewer
from support.programs.prometheus import backfill, running

HOSTILE: Final = "<img src=x onerror=document.title='owned'>"
SCRAPE_S, SCRAPES = 15, 260
DESKTOP, PHONE = (1440, 900), (390, 844)
HOME: Final = "/d/tallow-overview"
END: Final = int(time.time())
"""The end of the history in Unix seconds, fixed when the module is loaded."""
HOUR: Final = f"from={(END - 3600) * 1000}&to={END * 1000}"
"""URL parameters of the last hour of the history."""

# What a panel has drawn: colours on a canvas, table rows, or text.
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
    """A viewer with an hour of history of two instances, one named with HTML markup; yields its URL."""
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
    """The bounding box of the first matching element, once it no longer moves."""
    shown = page.locator(selector).first
    before = None
    for _ in range(200):
        found = shown.bounding_box()  # None while it is redrawn
        if found is not None and found == before:
            return found
        before = found
        page.wait_for_timeout(50)
    raise AssertionError(f"{selector} keeps moving")


class ViewerPage:
    """A page that is logged in. It records console errors, failed requests and exceptions."""

    def __init__(
        self, browser: Browser, address: str, size: tuple[int, int], scheme: Any = "dark", home: str = HOME
    ) -> None:
        width, height = size
        self.address = address
        self.page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.page.set_default_timeout(90_000)  # milliseconds; long, since other tests may load the machine
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
        """Wait until no panel is loading."""
        self.page.wait_for_function(
            "() => document.querySelector('[data-panel]') && !document.querySelector('[data-state=loading]')"
        )

    def graph(self) -> FloatRect:
        """The bounding box of a graph, once it no longer moves."""
        self.page.locator(".alerts").wait_for()
        return wait_until_still(self.page, "[data-panel='6'] .u-over")

    def panels(self) -> list[dict[str, Any]]:
        """What each panel has drawn. The viewport is enlarged first: tables draw only visible rows."""
        width = self.page.viewport_size["width"] if self.page.viewport_size else 0
        height = self.page.evaluate("document.documentElement.scrollHeight")
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.wait_for_timeout(400)
        self.settle()
        return [panel.evaluate(_DRAWN) for panel in self.page.query_selector_all("[data-panel]")]

    def close(self) -> None:
        """Close the page; check that nothing failed and that no other host was contacted."""
        self.page.close()
        assert self.problems == []
        assert all(url.startswith((self.address, "data:", "blob:")) for url in self.requested_urls)
