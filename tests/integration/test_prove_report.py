"""The page of ``tallow prove --html`` in a browser: its policy lets it be drawn, and its filter works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from support.programs.browser import chromium
from tallow.stack.prove.output.html import as_html
from tallow.stack.prove.report import check_rules
from tallow.stack.prove.rule_file import parse_rules

RULES = """\
groups:
- name: web
  rules:
  - {alert: "<b>Down</b>", expr: 'count by (job) (up) == 0', for: 5m, annotations: {summary: a}}
  - {alert: Short, expr: 'rate(errors_total[1m]) > 5', for: 5m, annotations: {summary: a}}
  - {alert: Quick, expr: up < 1, annotations: {summary: a}}
"""
WHITE = "rgb(255, 255, 255)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    rules = parse_rules(RULES, "rules.yml")
    path = tmp_path / "report.html"
    path.write_text(as_html(check_rules(rules), rules), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_drawn_and_filtered(browser: Browser, page_file: Path, scheme: str) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("request", lambda request: problems.append(request.url) if request.url[:5] != "file:" else None)
    page.goto(page_file.as_uri())
    colour = page.locator(".rule").first.evaluate("element => getComputedStyle(element).backgroundColor")
    assert (colour == WHITE) == (scheme == "light")
    shown = {}
    for severity in ("error", "warning", "note"):
        page.click(f"label[for=show-{severity}]")
        shown[severity] = page.locator(".finding:visible").count(), page.locator(".rule:visible").count()
    assert shown == {"error": (1, 1), "warning": (2, 2), "note": (3, 3)}
    page.close()
    assert problems == []


def test_the_page_fits_a_telephone(browser: Browser, page_file: Path) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 700})
    page.goto(page_file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()
