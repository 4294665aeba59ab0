"""A server and real browsers for the tests of the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from support.programs.browser import chromium, launch_profile
from support.programs.firefox import BidiSession, firefox
from support.web_app.server import PageServer, serving_page
from support.web_app.tabs import ChromiumTab, FirefoxTab, NewTab


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PageServer]:
    """A server of its own for each test: metrics are compared exactly."""
    with serving_page(tmp_path / "server") as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module."""
    with chromium() as started:
        yield started


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder


@pytest.fixture
def new_tab(browser: Browser, downloads: Path) -> Iterator[NewTab]:
    """Opens tabs of Chromium, each with a profile of its own. Options are those of a browser context."""
    tabs: list[ChromiumTab] = []

    def open_tab(**options: object) -> ChromiumTab:
        context = browser.new_context(accept_downloads=True, **options)  # type: ignore[arg-type]
        tabs.append(ChromiumTab(context, downloads))
        return tabs[-1]

    yield open_tab
    for tab in tabs:
        tab.close()


@pytest.fixture
def profile_tab(browser: Browser, downloads: Path, tmp_path: Path) -> Iterator[ChromiumTab]:
    """A tab with a profile on disk: private windows cannot install a page."""
    context = launch_profile(browser, tmp_path / "profile")
    try:
        yield ChromiumTab(context, downloads)
    finally:
        context.close()


@pytest.fixture
def firefox_session(tmp_path: Path, downloads: Path) -> Iterator[BidiSession]:
    with firefox(tmp_path / "firefox", downloads) as session:
        yield session


@pytest.fixture
def firefox_tab(firefox_session: BidiSession) -> FirefoxTab:
    return FirefoxTab(firefox_session)
