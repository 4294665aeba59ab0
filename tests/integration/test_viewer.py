"""The dashboards in a real browser with a real Prometheus: drawing, access control, hostile text."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from support.dashboards import traffic
from support.dashboards.viewer import credentials_file, tallow_viewer
from support.dashboards.viewer_page import (
    DESKTOP,
    END,
    HOME,
    HOSTILE,
    PHONE,
    ViewerPage,
    viewer_with_history,
    wait_until_still,
)
from support.programs.browser import chromium
from support.programs.prometheus import backfill, running
from tallow.stack.viewer.dashboards import load_dashboards

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with viewer_with_history(tmp_path_factory.mktemp("viewer")) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def desktop(browser: Browser, address: str) -> Iterator[ViewerPage]:
    watched = ViewerPage(browser, address, DESKTOP)
    yield watched
    watched.close()


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_panel_of_every_dashboard_is_drawn(
    browser: Browser, address: str, tmp_path: Path, size: tuple[int, int], scheme: str
) -> None:
    watched = ViewerPage(browser, address, size, scheme)
    for uid, board in load_dashboards().items():
        watched.page.set_viewport_size({"width": size[0], "height": size[1]})
        watched.open(f"/d/{uid}?from={(END - 3600) * 1000}&to={END * 1000}")
        found = watched.panels()
        assert [panel["title"] for panel in found] == titles(board)
        assert [panel for panel in found if not drawn(panel)] == []
        wide = watched.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size[0], f"{uid} is wider than the screen"
        watched.page.screenshot(path=tmp_path / f"{uid}.png")
    watched.close()


def titles(board: Any) -> list[str]:
    """The titles of the panels in reading order."""
    places = sorted(board["panels"], key=lambda panel: (panel["gridPos"]["y"], panel["gridPos"]["x"]))
    return [panel["title"] for panel in places]


def drawn(panel: dict[str, Any]) -> bool:
    """Whether a panel shows data: a canvas with several colours, table rows, or a number."""
    if panel["state"] != "drawn" or panel["failed"]:
        return False
    number = any(letter.isdigit() for letter in panel["words"])
    return bool(panel["colours"] >= 3 or panel["rows"] >= 2 or number)


def test_links_ranges_and_variables_work_and_markup_stays_text(desktop: ViewerPage) -> None:
    page = desktop.page
    page.get_by_role("link", name="Errors").click()
    page.wait_for_url("**/d/tallow-errors*")
    desktop.settle()  # an element that is redrawn cannot be clicked
    # The stored samples end at the start of the module: a short range is empty when earlier tests take long.
    page.get_by_label("Time range").select_option("now-3h")
    page.wait_for_url("**from=now-3h*")
    desktop.settle()
    page.locator("summary", has_text="Instance").click()
    page.get_by_label(HOSTILE).click()
    page.wait_for_url("**var-instance=*")
    desktop.settle()
    assert page.title() != "owned"
    assert page.locator("img[src=x]").count() == 0
    page.get_by_role("link", name="Overview").click()  # the selection is kept
    page.wait_for_url("**/d/tallow-overview?*var-instance=*from=now-3h*")


def test_dragging_over_one_graph_zooms_all_and_back_undoes_it(desktop: ViewerPage) -> None:
    page = desktop.page
    desktop.open(HOME)
    graph = desktop.graph()
    left, right = (graph["x"] + share * graph["width"] for share in (0.3, 0.6))
    queries: list[str] = []
    page.on("request", lambda request: queries.append(request.post_data or ""))
    page.mouse.move(left, graph["y"] + 50)
    page.mouse.down()
    page.mouse.move(right, graph["y"] + 55, steps=4)
    page.mouse.up()
    page.wait_for_url("**from=*to=*")
    desktop.settle()
    ranges = {query.partition("&start=")[2] for query in queries if "&start=" in query}
    assert len(ranges) == 1, "every graph queries the same span"
    page.go_back()
    page.wait_for_url(f"**{HOME}")
    desktop.settle()


def test_a_graph_shows_the_values_under_the_pointer(desktop: ViewerPage) -> None:
    page = desktop.page
    desktop.open(HOME)
    graph = desktop.graph()
    page.mouse.move(graph["x"] + graph["width"] / 2, graph["y"] + graph["height"] / 2)
    tooltip = page.locator("#grafana-portal-container")
    tooltip.get_by_text("success").wait_for()
    assert "ops/m" in tooltip.inner_text()


def test_the_page_works_with_the_keyboard_alone(desktop: ViewerPage) -> None:
    page = desktop.page
    desktop.open(HOME)
    page.locator("summary", has_text="Instance").focus()
    page.keyboard.press("Enter")
    page.get_by_label(HOSTILE).wait_for()  # the instances are queried: before, there is nothing to go to
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_url("**var-instance=*")
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.querySelectorAll('.variable[open]').length === 0")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.get_by_label("Time range").focus()
    page.keyboard.press("ArrowDown")  # to the next longer one
    page.wait_for_url("**from=now-3h*")
    page.get_by_label("About Error rate").focus()
    page.keyboard.press("Enter")
    page.get_by_text("HighErrorRate fires").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.querySelectorAll('.about').length === 0")
    page.get_by_label("Enlarge Error rate").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**viewPanel=*")
    page.wait_for_function("() => document.querySelectorAll('[data-panel]').length === 1")
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.querySelectorAll('[data-panel]').length > 1")


def test_logging_out_closes_the_dashboards(desktop: ViewerPage) -> None:
    desktop.page.get_by_role("button", name="Log out").click()
    desktop.page.wait_for_url("**/login**")
    desktop.page.goto(desktop.address + HOME)
    assert "/login?next=" in desktop.page.url
    desktop.problems.clear()  # pending queries are refused, as they must be


HOSTILE_RULES = f"""
groups:
  - name: hostile
    rules:
      - alert: Hostile
        expr: vector(1)
        labels: {{severity: "{HOSTILE}", instance: "{HOSTILE}"}}
        annotations:
          summary: "{HOSTILE}"
          dashboard_url: "javascript:document.title='owned'"
          runbook_url: "javascript:document.title='owned'"
"""


def hostile_board() -> dict[str, Any]:
    """The errors dashboard with markup in every text field."""
    board: dict[str, Any] = copy.deepcopy(dict(load_dashboards()["tallow-errors"]))
    board["title"] = HOSTILE
    for variable in board["templating"]["list"]:
        variable["label"] = HOSTILE
    for panel in board["panels"]:
        panel |= {"title": f"{HOSTILE} {panel['id']}", "description": HOSTILE}
        panel["fieldConfig"]["defaults"]["noValue"] = HOSTILE
        for target in panel["targets"]:
            if target["legendFormat"]:
                target["legendFormat"] = HOSTILE + " {{type}}"
    place = {"x": 0, "y": 100, "w": 24, "h": 4}
    board["panels"].append(
        {"id": 99, "type": "text", "title": "x", "gridPos": place, "options": {"content": HOSTILE}}
    )
    return board


def test_markup_from_files_labels_and_alerts_stays_text(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "board.json").write_text(json.dumps(hostile_board()))
    now, metrics, scrapes = int(time.time()), traffic.server_metrics(), []
    metrics.register_route(HOSTILE.replace("'", ""), ("GET",))
    for step in range(40, -1, -1):
        metrics.record_http_request("GET", HOSTILE.replace("'", ""), 404, 0.1, 1, 1)
        traffic.record_minute(metrics)
        scrapes.append(traffic.stored_samples(metrics, "tallow", HOSTILE, now - 15 * step))
    backfill(tmp_path / "data", "".join(scrapes) + "# EOF\n")
    with (
        running(tmp_path / "data", rules=HOSTILE_RULES) as server,
        tallow_viewer(
            credentials_file(tmp_path), server.url, "--dashboards", str(tmp_path / "boards")
        ) as url,
    ):
        watched = ViewerPage(browser, url, DESKTOP, home="/d/tallow-errors")
        page = watched.page
        watched.settle()
        watched.panels()
        page.get_by_text("1 firing").click()
        for button in page.get_by_label("About").all():
            button.click(force=True)
        graph = wait_until_still(page, ".u-over")
        page.mouse.move(graph["x"] + graph["width"] / 2, graph["y"] + graph["height"] / 2)
        page.wait_for_timeout(300)
        shown = page.inner_text("body")
        assert shown.count("<img src=x onerror=") > 20, "the markup is shown as text"
        assert "owned" not in page.title().replace(HOSTILE, "")
        assert page.locator("img[src=x], [onerror]").count() == 0
        assert page.locator("a[href^='javascript:']").count() == 0
        watched.close()


def test_an_unreachable_prometheus_is_reported_until_it_is_back(browser: Browser, tmp_path: Path) -> None:
    now, metrics = int(time.time()), traffic.server_metrics()
    scrapes = [
        traffic.stored_samples(metrics, "tallow", "a:3000", now - 15 * step) for step in range(40, -1, -1)
    ]
    backfill(tmp_path / "data", "".join(scrapes) + "# EOF\n")
    with ExitStack() as stack:
        with running(tmp_path / "data") as server:
            url = stack.enter_context(tallow_viewer(credentials_file(tmp_path), server.url))
            watched = ViewerPage(browser, url, DESKTOP)
            watched.settle()
        page = watched.page
        page.get_by_label("Refresh dashboard").click()
        page.get_by_role("alert").get_by_text("Prometheus is not reachable").wait_for()
        assert page.locator("[data-panel='1'] .drawing").inner_text().startswith("100"), "the old data stays"
        page.reload()
        page.locator(".empty.error", has_text="Prometheus is not reachable").first.wait_for()
        port = int(server.url.rpartition(":")[2])
        with running(tmp_path / "data", port):
            page.get_by_label("Refresh dashboard").click()
            page.locator("[data-panel='1'][data-state=drawn]").wait_for()
            watched.settle()
            page.get_by_text("is not reachable").wait_for(state="detached")
            page.get_by_text("No alert fires").wait_for()  # alerts are refreshed, too
        page.close()
