"""The largest dashboard in a real browser: time from navigation to the first data on screen.

There is no competitor to compare with, so the aim is in seconds. The browser's cache is empty; the history is
an hour of two instances.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.paired_measurement import Row

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.dashboards import traffic
from support.dashboards.viewer import PASSWORD, credentials_file, tallow_viewer
from support.programs.browser import chromium
from support.programs.prometheus import backfill, running
from tallow.stack.viewer.dashboards import load_dashboards

AIM_S = 2.0
ROUNDS = 9
SCRAPE_S, SCRAPES = 15, 260

# Records when the first and the last panel show data, in milliseconds since the navigation.
_RECORD_PANELS = """
window.seen = {};
new MutationObserver(() => {
  if (!document.querySelector('[data-state=drawn]')) return;
  window.seen.first ??= performance.now();
  if (!document.querySelector('[data-state=loading]')) window.seen.last ??= performance.now();
}).observe(document, { attributes: true, childList: true, subtree: true });
"""


def rows() -> list[Row]:
    """The table's rows on the dashboards."""
    with tempfile.TemporaryDirectory() as folder:
        seen = _measure(Path(folder))
    return [
        _row("largest dashboard: first data on screen", [one["first"] / 1e3 for one in seen], AIM_S),
        _row("largest dashboard: all of it on screen", [one["last"] / 1e3 for one in seen], None),
    ]


def _row(work: str, seconds: list[float], aim: float | None) -> Row:
    median = statistics.median(seconds)
    low, high = min(seconds), max(seconds)
    goal = AIM_S
    ratio = None if aim is None else 1.0
    return Row(work, f"{goal:g} s", median, goal, median / goal, low / goal, high / goal, "s", ratio)


def _measure(folder: Path) -> list[dict[str, Any]]:
    boards = load_dashboards()
    largest = max(boards, key=lambda uid: sum(len(panel["targets"]) for panel in boards[uid]["panels"]))
    end = int(time.time())
    backfill(folder / "data", _history(end))
    with (
        running(folder / "data") as server,
        tallow_viewer(credentials_file(folder), server.url) as url,
        chromium() as browser,
    ):
        seen = []
        for _ in range(ROUNDS + 1):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.request.post(f"{url}/login", form={"password": PASSWORD}, headers={"origin": url})
            page.add_init_script(_RECORD_PANELS)
            page.goto(f"{url}/d/{largest}?from={(end - 3600) * 1000}&to={end * 1000}")
            page.wait_for_function("() => window.seen.last")
            seen.append(page.evaluate("window.seen"))
            page.close()
        return seen[1:]  # the first one is slower: the browser starts up


def _history(end: int) -> str:
    servers = {instance: traffic.server_metrics() for instance in ("10.0.4.17:3000", "10.0.4.18:3000")}
    scrapes = []
    for scrape in range(SCRAPES + 1):
        for instance, metrics in servers.items():
            if scrape % 4 == 1:
                traffic.record_minute(metrics)
            scrapes.append(
                traffic.stored_samples(metrics, "tallow", instance, end - (SCRAPES - scrape) * SCRAPE_S)
            )
    return "".join(scrapes) + "# EOF\n"
