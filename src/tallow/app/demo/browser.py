"""A real browser in the demo: what only a page reports comes from the page.

Two windows of a headless Chromium send a text to each other. Their page is used as a person uses it: settings
are changed, another tab covers the page while it waits, the app is installed.
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tallow.app.demo.devtools import BrowserError, DevTools, running_browser

BROWSERS_ONLY: Final = ("service_worker_events_total", "pwa_installs_total", "notifications_sent_total")
"""Metrics that only a page reports."""
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""Programs that are looked for on the PATH."""
MISSING: Final = (
    f"No Chromium found: {', '.join(f'tallow_{name}' for name in BROWSERS_ONLY)} get no value "
    "(--browser PATH names one); every panel shows data without them"
)
STEP_TIMEOUT_S: Final = 60
POLL_S: Final = 0.1

_READY: Final = "navigator.serviceWorker?.controller != null && document.querySelector('.drop') !== null"
_STATE: Final = "document.querySelector('[data-state]')?.dataset.state"
_SETTINGS: Final = "nav button:nth-child(3)"
_CHANGE_THEME: Final = """(() => {
  const theme = document.querySelector('#theme');
  theme.value = theme.value === 'dark' ? 'light' : 'dark';
  theme.dispatchEvent(new Event('change', {bubbles: true}));
})()"""
_NOTIFIES: Final = (
    "document.querySelector('#notifications')?.checked && Notification.permission === 'granted'"
)


def find_browser() -> Path | None:
    """The first Chromium on the PATH."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else None


class DemoTab:
    """The page in one tab, and an empty tab that can cover it.

    Args:
        page: the target of the page.
        cover: the target of the empty tab.
        session: of the page.
    """

    def __init__(self, tools: DevTools, page: str, cover: str, session: str) -> None:
        self._tools = tools
        self._page = page
        self._cover = cover
        self._session = session

    @classmethod
    async def create(cls, tools: DevTools, origin: str, *, private: bool) -> DemoTab:
        """Open the page of a server, wait until its service worker answers for it, and turn on notifications.

        Args:
            private: use a window with storage of its own. No app can be installed from such a window.
        """
        context = {}
        if private:
            context = {
                "browserContextId": (await tools.send("Target.createBrowserContext"))["browserContextId"]
            }
        cover, page = [
            (await tools.send("Target.createTarget", url="about:blank", **context))["targetId"]
            for _ in range(2)
        ]
        attached = await tools.send("Target.attachToTarget", targetId=page, flatten=True)
        tab = cls(tools, page, cover, attached["sessionId"])
        await tools.send("Browser.grantPermissions", origin=origin, permissions=["notifications"], **context)
        await tab.show()
        await tab.open(f"{origin}/")
        await tab.wait_until(_READY)
        await tab.click(_SETTINGS)
        await tab.click("#notifications")
        await tab.wait_until(_NOTIFIES)
        return tab

    async def show(self) -> None:
        """Bring the page to the front."""
        await self._tools.send("Target.activateTarget", targetId=self._page)
        await self.wait_until("document.visibilityState === 'visible'")

    async def hide(self) -> None:
        """Bring the empty tab to the front: nobody looks at the page."""
        await self._tools.send("Target.activateTarget", targetId=self._cover)
        await self.wait_until("document.visibilityState === 'hidden'")

    async def open(self, url: str) -> None:
        await self.send("Page.navigate", url=url)

    async def run(self, expression: str) -> Any:
        """The value of an expression; None while the page is loading or if it fails."""
        answer = await self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    async def click(self, selector: str) -> None:
        await self.wait_until(f"document.querySelector({selector!r}) !== null")
        await self.run(f"document.querySelector({selector!r}).click()")

    async def type(self, selector: str, text: str) -> None:
        await self.wait_until(f"document.querySelector({selector!r}) !== null")
        await self.run(f"document.querySelector({selector!r}).focus()")
        await self.send("Input.insertText", text=text)

    async def install(self, origin: str) -> None:
        """Install the page as an app, with a window of its own.

        The command alone installs an app that opens in a tab, of which a page is not told. Once the app's
        setting is changed, installing it again makes the browser dispatch ``appinstalled``.
        """
        app = f"{origin}/"
        await self.send("PWA.install", manifestId=app)
        await self.send("PWA.changeAppUserSettings", manifestId=app, displayMode="standalone")
        await self.send("PWA.install", manifestId=app)

    async def wait_until(self, expression: str) -> Any:
        """Wait until an expression is true, and return its value.

        Raises:
            BrowserError: it does not become true in time.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(STEP_TIMEOUT_S):
                while not (value := await self.run(expression)):  # noqa: ASYNC110 - the page has no event
                    await asyncio.sleep(POLL_S)
                return value
        raise BrowserError("the page did not do what it was told")

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command for the page."""
        return await self._tools.send(method, self._session, **parameters)


class BrowserTraffic:
    """Transfers between two windows of a browser.

    Args:
        pause_s: seconds between two transfers.

    Attributes:
        transfers: how many have succeeded.
    """

    def __init__(self, origin: str, program: Path, pause_s: float) -> None:
        self._origin = origin
        self._program = program
        self._pause_s = pause_s
        self.transfers = 0

    async def run(self) -> None:
        """Transfer until cancelled.

        Raises:
            BrowserError: the browser or the page fails.
        """
        async with running_browser(self._program) as tools:
            sender = await DemoTab.create(tools, self._origin, private=False)
            receiver = await DemoTab.create(tools, self._origin, private=True)
            await sender.install(self._origin)
            while True:
                await self._transfer(sender, receiver)
                self.transfers += 1
                await asyncio.sleep(self._pause_s)

    async def _transfer(self, sender: DemoTab, receiver: DemoTab) -> None:
        """Send a text. Both pages are hidden while they wait for the other person."""
        await sender.show()
        await sender.click(_SETTINGS)
        await sender.wait_until("document.querySelector('#theme') !== null")
        await sender.run(_CHANGE_THEME)
        await sender.open(f"{self._origin}/")
        await sender.click(".drop button:nth-child(3)")
        await sender.type("textarea", "A text of the demo")
        await sender.click("button[type=submit]:enabled")
        await sender.click("button.wide")
        link = await sender.wait_until("document.querySelector('#link')?.value")
        await sender.hide()
        await receiver.hide()
        await receiver.open(link)
        await receiver.wait_until(f"{_STATE} === 'confirming'")
        await receiver.show()
        await receiver.click("main button.primary")
        for tab in (receiver, sender):
            await tab.wait_until(f"{_STATE} === 'done'")
