"""The viewer's controls in a real browser: shortcuts, shared links, legends, invalid addresses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Request, Route

from support.dashboards.viewer_page import (
    DESKTOP,
    END,
    HOME,
    HOSTILE,
    HOUR,
    ViewerPage,
    viewer_with_history,
    wait_until_still,
)
from support.programs.browser import chromium
from tallow.stack.viewer.dashboards import load_dashboards

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("browser")]

HALF, NARROW = (720, 900), (400, 900)
HOUR_MS = 3_600_000
ERRORS = "/d/tallow-errors"

# The share of each graph's panel that the plot area takes, without axes and legend.
_PLOT_SHARES = """() => [...document.querySelectorAll('[data-panel] .u-over')].map(plot => {
  const [inner, outer] = [plot, plot.closest('.drawing')].map(element => element.getBoundingClientRect());
  const title = plot.closest('[data-panel]').querySelector('h2').textContent;
  return [title, inner.width / outer.width, inner.height / outer.height];
})"""


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
    viewer = ViewerPage(browser, address, DESKTOP)
    viewer.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    viewer.open(f"{HOME}?{HOUR}")
    yield viewer
    viewer.close()


def query(viewer: ViewerPage) -> dict[str, list[str]]:
    """The parameters of the page's address."""
    return parse_qs(urlsplit(viewer.page.url).query, keep_blank_values=True)


def span(viewer: ViewerPage) -> tuple[int, int]:
    """The range in the page's address, as offsets in milliseconds from the history's last hour."""
    asked = query(viewer)
    return int(asked["from"][0]) - (END * 1000 - HOUR_MS), int(asked["to"][0]) - END * 1000


def press(viewer: ViewerPage, *keys: str) -> None:
    for key in keys:
        viewer.page.keyboard.press(key)


def url_changes(viewer: ViewerPage, action: Callable[[], object]) -> None:
    """Run an action, and wait until the page's address changes."""
    before = viewer.page.url
    action()
    viewer.page.wait_for_url(lambda url: url != before)


def legend(viewer: ViewerPage, panel: int, name: str) -> Locator:
    """The legend entry of a series."""
    return viewer.page.locator(f"[data-panel='{panel}'] button", has_text=name)


def note(requests: list[Request], request: Request) -> None:
    requests.append(request)


def hold(routes: list[Route], route: Route) -> None:
    """Keep a request unanswered. (Playwright does not accept a bound method of a list.)"""
    routes.append(route)


# --- keyboard


def test_a_question_mark_lists_the_shortcuts_and_escape_closes_the_list(desktop: ViewerPage) -> None:
    press(desktop, "?")
    dialog = desktop.page.get_by_role("dialog", name="Keyboard shortcuts")
    dialog.wait_for()
    text = dialog.inner_text()
    for description in ("Zoom out", "Move back", "Make absolute", "Refresh all panels", "Toggle kiosk mode"):
        assert description in text
    press(desktop, "t", "z")  # the page behind the dialog ignores keys
    press(desktop, "Escape")
    dialog.wait_for(state="hidden")
    assert span(desktop) == (0, 0)
    desktop.page.get_by_role("button", name="Keyboard shortcuts").click()
    dialog.get_by_role("button", name="Close").click()
    dialog.wait_for(state="hidden")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("t", "z"), (-HOUR_MS // 2, HOUR_MS // 2)),
        (("t", "-"), (-HOUR_MS // 2, HOUR_MS // 2)),
        (("Control+z",), (-HOUR_MS // 2, HOUR_MS // 2)),
        (("t", "+"), (HOUR_MS // 4, -HOUR_MS // 4)),
        (("t", "="), (HOUR_MS // 4, -HOUR_MS // 4)),
        (("t", "ArrowLeft"), (-HOUR_MS // 2, -HOUR_MS // 2)),
        (("ArrowLeft",), (-HOUR_MS // 2, -HOUR_MS // 2)),
    ],
)
def test_keys_move_and_zoom_the_time_range(
    desktop: ViewerPage, keys: tuple[str, ...], expected: tuple[int, int]
) -> None:
    url_changes(desktop, lambda: press(desktop, *keys))
    left, right = span(desktop)
    if right > 0:  # zooming out ends at the present
        assert 0 < right <= expected[1]
        assert right - left == expected[1] - expected[0]
    else:
        assert (left, right) == expected


def test_the_range_moves_forward_only_to_the_present(desktop: ViewerPage) -> None:
    url_changes(desktop, lambda: press(desktop, "ArrowLeft"))
    url_changes(desktop, lambda: press(desktop, "t", "ArrowRight"))
    assert span(desktop) == (0, 0)
    desktop.open(f"{HOME}?from=now-1h&to=now")
    press(desktop, "t", "ArrowRight")
    press(desktop, "t", "a")  # only this one changes the address
    desktop.page.wait_for_url("**from=1*")
    assert int(query(desktop)["to"][0]) - int(query(desktop)["from"][0]) == HOUR_MS


def test_a_time_range_is_copied_and_pasted(desktop: ViewerPage) -> None:
    page = desktop.page
    press(desktop, "t", "c")
    page.get_by_role("status").get_by_text("Time range copied").wait_for()
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert set(copied) == {"from", "to"}
    desktop.open(f"{HOME}?from=now-3h&to=now")
    url_changes(desktop, lambda: press(desktop, "t", "v"))
    assert span(desktop) == (0, 0)
    page.evaluate("navigator.clipboard.writeText('no range')")
    press(desktop, "t", "v")
    page.get_by_role("status").get_by_text("There is no time range on the clipboard").wait_for()


@pytest.mark.parametrize("keys", [("r",), ("d", "r")])
def test_keys_refresh_every_panel(desktop: ViewerPage, keys: tuple[str, ...]) -> None:
    asked: list[Request] = []
    desktop.page.on("request", lambda request: note(asked, request))
    with desktop.page.expect_response("**/api/prometheus/query_range"):
        press(desktop, *keys)
    desktop.settle()
    assert len([request for request in asked if "/api/prometheus/query" in request.url]) >= 11


def test_kiosk_mode_hides_the_navigation_and_escape_shows_it(desktop: ViewerPage) -> None:
    page = desktop.page
    page.get_by_role("navigation").wait_for()
    press(desktop, "d", "k")
    page.get_by_role("navigation").wait_for(state="detached")
    page.wait_for_url("**kiosk=1*")
    press(desktop, "Escape")
    page.get_by_role("navigation").wait_for()
    press(desktop, "d", "k")
    page.get_by_role("button", name="Leave kiosk mode").click()
    page.get_by_role("navigation").wait_for()
    assert "kiosk" not in query(desktop)


def test_keys_toggle_legends_panels_and_the_theme(desktop: ViewerPage) -> None:
    page = desktop.page
    legend(desktop, 6, "failed").wait_for()
    press(desktop, "d", "l")
    legend(desktop, 6, "failed").wait_for(state="detached")
    press(desktop, "d", "l")
    legend(desktop, 6, "failed").wait_for()
    page.locator("[data-panel='6'] h2").hover()
    press(desktop, "p", "l")
    legend(desktop, 6, "failed").wait_for(state="detached")
    assert page.locator("[data-panel='7'] button", has_text="direct").count() == 1
    press(desktop, "v")
    page.wait_for_url("**viewPanel=6*")
    assert page.title() == "Transfers over time · Tallow / Overview · Dashboards"
    press(desktop, "p", "u")
    page.get_by_role("status").get_by_text("Link copied").wait_for()
    assert "viewPanel=6" in page.evaluate("navigator.clipboard.readText()")
    press(desktop, "Escape")
    page.wait_for_function("() => document.querySelectorAll('[data-panel]').length > 1")
    before = page.evaluate("document.documentElement.dataset.theme")
    press(desktop, "c", "t")
    page.wait_for_function(f"() => document.documentElement.dataset.theme !== '{before}'")
    desktop.open(f"{ERRORS}?{HOUR}")
    press(desktop, "g", "h")
    page.wait_for_url(f"**{HOME}?*")


def test_keys_typed_into_a_field_or_list_are_no_shortcuts(desktop: ViewerPage) -> None:
    page = desktop.page
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("From").fill("")
    page.keyboard.type("dkrv?")
    assert page.get_by_label("From").input_value() == "dkrv?"
    press(desktop, "Escape")
    page.get_by_label("Refresh interval").focus()
    press(desktop, "d", "k")
    page.wait_for_timeout(200)
    page.get_by_role("navigation").wait_for()
    assert page.get_by_role("dialog").count() == 0


def test_arrow_keys_move_the_crosshair_of_the_focused_graph(desktop: ViewerPage) -> None:
    page = desktop.page
    wait_until_still(page, "[data-panel='6'] .u-over")
    before = page.url
    page.locator("[data-panel='6'] .uplot").focus()
    page.keyboard.down("ArrowRight")
    page.locator("#grafana-portal-container").get_by_text("success").wait_for()
    page.keyboard.up("ArrowRight")
    assert page.url == before


# --- title, share, legends


@pytest.mark.parametrize("uid", load_dashboards())
def test_title_and_heading_name_the_dashboard(desktop: ViewerPage, uid: str) -> None:
    title = load_dashboards()[uid]["title"]
    desktop.open(f"/d/{uid}?{HOUR}")
    assert desktop.page.get_by_role("heading", level=1).inner_text() == title
    assert desktop.page.title() == f"{title} · Dashboards"


@pytest.mark.parametrize("locked", [True, False], ids=["absolute", "relative"])
def test_a_shared_link_shows_the_same_view(desktop: ViewerPage, locked: bool) -> None:
    page = desktop.page
    desktop.open(f"{HOME}?var-instance=busy:3000&viewPanel=6&legend-6=failed")
    page.get_by_role("button", name="Share").click()
    page.get_by_label("Lock time range").set_checked(locked)
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("status").get_by_text("Link copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert page.get_by_label("Link", exact=True).input_value() == link
    assert link.startswith(f"{desktop.address}{HOME}?")
    shared = parse_qs(urlsplit(link).query)
    assert {name: shared[name] for name in ("var-instance", "viewPanel", "legend-6")} == {
        "var-instance": ["busy:3000"],
        "viewPanel": ["6"],
        "legend-6": ["failed"],
    }
    if locked:
        assert int(shared["to"][0]) - int(shared["from"][0]) == HOUR_MS
    else:
        assert (shared["from"], shared["to"]) == (["now-1h"], ["now"])
    press(desktop, "Escape")
    page.goto(link)
    desktop.settle()
    assert page.locator("summary", has_text="Instance").inner_text().endswith("busy:3000")
    assert page.locator("[data-panel]").count() == 1


@pytest.mark.parametrize("size", [DESKTOP, HALF, NARROW], ids=["wide", "half", "narrow"])
def test_legends_leave_most_of_the_panel_to_the_graph(
    browser: Browser, address: str, size: tuple[int, int]
) -> None:
    viewer = ViewerPage(browser, address, size)
    for uid in load_dashboards():
        viewer.open(f"/d/{uid}?{HOUR}")
        wait_until_still(viewer.page, ".u-over")
        shares = viewer.page.evaluate(_PLOT_SHARES)
        assert shares
        cramped = [(title, wide, high) for title, wide, high in shares if wide < 0.55 or high < 0.5]
        assert cramped == [], uid
        assert viewer.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    viewer.close()


def test_a_legend_selection_is_in_the_address(desktop: ViewerPage) -> None:
    page = desktop.page
    legend(desktop, 6, "failed").click()
    page.wait_for_url("**legend-6=failed*")
    page.reload()
    desktop.settle()
    assert query(desktop)["legend-6"] == ["failed"]
    colour = "name => getComputedStyle(name).color"
    hidden, shown = (legend(desktop, 6, name).evaluate(colour) for name in ("success", "failed"))
    assert hidden != shown
    url_changes(desktop, lambda: legend(desktop, 6, "success").click(modifiers=["Control"]))
    assert query(desktop)["legend-6"] == ["failed", "success"]
    page.go_back()
    page.wait_for_function("() => new URLSearchParams(location.search).getAll('legend-6').length === 1")
    url_changes(desktop, lambda: legend(desktop, 6, "failed").click())
    assert "legend-6" not in query(desktop)
    url_changes(desktop, lambda: legend(desktop, 7, "relay").click())  # the same for a pie chart
    assert query(desktop)["legend-7"] == ["relay"]
    page.locator("[data-panel='7'] [role=img][aria-label^='relay']").wait_for()


def test_a_selection_of_missing_series_shows_all_series(desktop: ViewerPage) -> None:
    desktop.open(f"{HOME}?{HOUR}&legend-6=gone&legend-7=gone")
    drawn = {panel["title"]: panel for panel in desktop.panels()}
    assert drawn["Transfers over time"]["colours"] >= 3
    assert drawn["Connection type distribution"]["colours"] >= 3


# --- invalid addresses


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("from=yesterday", "from=“yesterday” is not usable: a time is now-2h"),
        ("from=", "from=“” is not usable"),
        ("from=9999999999999999&to=now", "from=“9999999999999999” is not usable"),
        ("from=2026-13-45", "from=“2026-13-45” is not usable"),
        ("to=tomorrow", "to=“tomorrow” is not usable"),
        ("from=now&to=now-1h", "The range ends before it begins."),
        ("from=now%2B1h", "The range ends before it begins."),
        ("refresh=often", "refresh=“often” is not usable: an interval is 30s"),
        ("viewPanel=none", "viewPanel=“none” is not usable"),
        ("viewPanel=999", "This dashboard has no panel 999."),
        ("var-instance=gone", "var-instance: “gone” has no data in this time range"),
        (f"from={HOSTILE}", "from=“<img src=x"),
        (f"from={'9' * 4000}", "from=“9999"),
    ],
)
def test_unusable_parameters_of_an_address_are_reported(desktop: ViewerPage, asked: str, says: str) -> None:
    page = desktop.page
    desktop.open(f"{HOME}?{asked}")
    message = page.get_by_role("alert").get_by_text(says)
    message.wait_for()
    assert len(message.inner_text()) < 200
    assert page.locator("[data-panel]").count() == 11, "the dashboard is shown nevertheless"
    assert page.title() == "Tallow / Overview · Dashboards"
    if not asked.startswith(("refresh", "viewPanel", "var")):
        assert page.get_by_label("Time range").input_value() == "now-1h"
        url_changes(desktop, lambda: page.get_by_label("Time range").select_option("now-3h"))
        message.wait_for(state="detached")


def test_the_logs_dashboard_is_explained(desktop: ViewerPage) -> None:
    page = desktop.page
    page.get_by_role("link", name="Logs").click()
    page.get_by_role("heading", name="Tallow / Logs").wait_for()
    for words in ("Loki", "only from Prometheus", "tallow logs"):
        page.get_by_role("main").get_by_text(words).wait_for()
    assert page.title() == "Tallow / Logs · Dashboards"
    desktop.page.goto(f"{desktop.address}/d/none")
    page.get_by_role("heading", name="No such dashboard").wait_for()
    page.get_by_role("main").get_by_text("There is no dashboard “none” here.").wait_for()


@pytest.mark.parametrize("path", ["/d/%E0%A4%A", "/d/%"])
def test_a_malformed_path_shows_an_error(desktop: ViewerPage, path: str) -> None:
    desktop.page.goto(desktop.address + path)
    desktop.page.get_by_role("heading", name="No such dashboard").wait_for()
    assert desktop.page.locator("[data-panel]").count() == 0


# --- overlapping loads


def test_a_late_dashboard_does_not_replace_the_open_one(browser: Browser, address: str) -> None:
    viewer = ViewerPage(browser, address, DESKTOP, home="/d/tallow-performance")
    viewer.settle()
    page, late = viewer.page, list[Route]()
    page.route("**/api/dashboards/tallow-overview", lambda route: hold(late, route))
    page.get_by_role("link", name="Overview").click()
    page.wait_for_url(f"**{HOME}*")
    page.get_by_role("link", name="Errors").click()
    page.get_by_role("heading", name="Tallow / Errors").wait_for()
    for route in late:
        route.continue_()
    page.wait_for_timeout(500)
    viewer.settle()
    assert page.get_by_role("heading", level=1).inner_text() == "Tallow / Errors"
    viewer.close()


def test_a_range_change_while_panels_load_reloads_them(desktop: ViewerPage) -> None:
    page, held = desktop.page, list[Route]()
    page.route("**/api/prometheus/query*", lambda route: hold(held, route))
    press(desktop, "r")
    page.wait_for_function("() => document.querySelectorAll('[data-state=loading]').length === 11")
    while not held:  # the requests reach this process a moment later
        page.wait_for_timeout(10)
    page.unroute("**/api/prometheus/query*")
    press(desktop, "ArrowLeft")
    page.wait_for_function("() => document.querySelectorAll('[data-state=drawn]').length === 11")
    assert page.locator("[data-state=drawn]").count() == 11


# Delays every response of Prometheus by six seconds, longer than the refresh interval, unless it is aborted.
_SLOW = """() => {
  const send = window.fetch;
  window.fetch = async (path, options) => {
    if (!String(path).startsWith('/api/prometheus/query')) return send(path, options);
    await new Promise((resolve, reject) => {
      setTimeout(resolve, 6000);
      options.signal.addEventListener('abort', () => reject(options.signal.reason));
    });
    return send(path, options);
  };
}"""


def test_a_refresh_does_not_abort_the_previous_load(desktop: ViewerPage) -> None:
    page = desktop.page
    page.add_init_script(f"({_SLOW})()")
    page.goto(f"{desktop.address}{HOME}?from=now-1h&to=now&refresh=5s")
    page.wait_for_function("() => document.querySelectorAll('[data-state=drawn]').length > 0")
    assert page.locator("[data-panel] .error").count() == 0
