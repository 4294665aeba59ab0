"""Install the page as an app in Chromium, without its dialog."""

from __future__ import annotations

from support.web_app.tabs import ChromiumTab


def install_page(tab: ChromiumTab, url: str) -> None:
    """Install the app of a server from a tab that shows it. The tab's profile must be on disk.

    The command installs an app that opens in a tab, of which the page is not told. With the setting for a
    window of its own, the browser dispatches ``appinstalled`` after another installation.
    """
    session = tab.page.context.new_cdp_session(tab.page)
    app = f"{url}/"
    session.send("PWA.install", {"manifestId": app})
    session.send("PWA.changeAppUserSettings", {"manifestId": app, "displayMode": "standalone"})
    session.send("PWA.install", {"manifestId": app})
