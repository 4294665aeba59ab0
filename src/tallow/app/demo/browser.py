"""A real browser in the demo: what only a page reports comes from the page.

A headless Chromium is driven by the Chrome DevTools Protocol over a WebSocket. Two tabs send a text to each
other, change a setting and show notifications. A headless browser cannot install an app, so that its page is
told once that it was installed, by the event that a browser would dispatch.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException

from tallow.monitoring.integrations.websocket_client import connect_websocket

BROWSERS_ONLY: Final = ("service_worker_events_total", "pwa_installs_total", "notifications_sent_total")
"""Metrics that only a page reports."""
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""Programs that are looked for on the PATH."""
MISSING: Final = (
    "No Chromium found: the panels of service workers, installations and notifications stay empty "
    "(--browser PATH names one)"
)
START_TIMEOUT_S: Final = 60
STEP_TIMEOUT_S: Final = 60
POLL_S: Final = 0.1
MAX_TEMPORARY_FOLDER: Final = 50
"""Characters of a path."""

_FLAGS: Final = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
)
_READY: Final = "navigator.serviceWorker?.controller != null && document.querySelector('.drop') !== null"
_STATE: Final = "document.querySelector('[data-state]')?.dataset.state"
_PREPARE: Final = """(() => {
  localStorage.setItem('tallow.settings', JSON.stringify({notifications: 'on'}));
  Object.defineProperty(document, 'visibilityState', {value: 'hidden'});
})"""
"""Before the page's scripts: notifications are wanted, and nobody looks at the tab."""
_WRITE: Final = """(() => {
  const text = document.querySelector('textarea');
  text.value = 'A text of the demo';
  text.dispatchEvent(new Event('input', {bubbles: true}));
})()"""
_CHANGE_THEME: Final = """(() => {
  const theme = document.querySelector('#theme');
  theme.value = theme.value === 'dark' ? 'light' : 'dark';
  theme.dispatchEvent(new Event('change', {bubbles: true}));
})()"""


class BrowserError(Exception):
    """The browser does not start or does not do what it is told. The text is one line."""


def find_browser() -> Path | None:
    """The first Chromium on the PATH."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else None


class DevTools:
    """A connection to a browser by the Chrome DevTools Protocol, for one command after the other."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._lock = asyncio.Lock()

    async def send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result.

        Raises:
            BrowserError: the browser refuses it, or does not answer in time.
        """
        async with self._lock:
            command = next(self._ids)
            message = {"id": command, "method": method, "params": parameters}
            await self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
            try:
                async with asyncio.timeout(STEP_TIMEOUT_S):
                    while (answer := json.loads(await self._socket.recv())).get("id") != command:
                        pass
            except TimeoutError:
                raise BrowserError(f"the browser does not answer {method}") from None
        if "error" in answer:
            raise BrowserError(f"the browser refuses {method}: {answer['error'].get('message', '')}")
        result: dict[str, Any] = answer["result"]
        return result


class DemoTab:
    """One tab, in a profile of its own."""

    def __init__(self, tools: DevTools, session: str) -> None:
        self._tools = tools
        self._session = session

    @classmethod
    async def create(cls, tools: DevTools, origin: str) -> DemoTab:
        """Open the page of a server, and wait until its service worker answers for it."""
        context = (await tools.send("Target.createBrowserContext"))["browserContextId"]
        target = await tools.send("Target.createTarget", url="about:blank", browserContextId=context)
        attached = await tools.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        tab = cls(tools, attached["sessionId"])
        await tools.send(
            "Browser.grantPermissions", origin=origin, permissions=["notifications"], browserContextId=context
        )
        await tab._send("Page.enable")
        await tab._send("Page.addScriptToEvaluateOnNewDocument", source=f"{_PREPARE}()")
        await tab.open(f"{origin}/")
        await tab.wait_until(_READY)
        return tab

    async def open(self, url: str) -> None:
        await self._send("Page.navigate", url=url)

    async def run(self, expression: str) -> Any:
        """The value of an expression; None while the page is loading or if it fails."""
        answer = await self._send("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    async def click(self, selector: str) -> None:
        await self.wait_until(f"document.querySelector({selector!r}) !== null")
        await self.run(f"document.querySelector({selector!r}).click()")

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

    async def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        return await self._tools.send(method, self._session, **parameters)


@asynccontextmanager
async def running_browser(program: Path) -> AsyncIterator[DevTools]:
    """A headless browser with a temporary profile.

    Raises:
        BrowserError: it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="tallow-demo-browser-", ignore_cleanup_errors=True) as folder:
        # Chromium refuses its sandbox to root.
        flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else []), f"--user-data-dir={folder}"]
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                *flags,
                "about:blank",
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env=_environment(),
            )
        except OSError as error:
            raise BrowserError(f"{program} does not start: {error.strerror}") from None
        assert process.stderr is not None
        drained: asyncio.Task[bytes] | None = None
        try:
            address = await _address(process.stderr)
            drained = asyncio.create_task(process.stderr.read())  # a full pipe would stop the browser
            async with await connect_websocket(address, direct=True, max_size=None) as socket:
                yield DevTools(socket)
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
            if drained is not None:
                drained.cancel()


def _environment() -> dict[str, str]:
    """The browser makes a Unix socket in the temporary folder, whose path may have 107 bytes."""
    folder = tempfile.gettempdir()
    return {**os.environ, "TMPDIR": folder if len(folder) <= MAX_TEMPORARY_FOLDER else "/tmp"}  # noqa: S108


async def _address(stderr: asyncio.StreamReader) -> str:
    with suppress(TimeoutError):
        async with asyncio.timeout(START_TIMEOUT_S):
            while line := await stderr.readline():
                if found := re.search(rb"ws://\S+", line):
                    return found[0].decode()
    raise BrowserError("the browser does not start; try it with --headless by hand")


class BrowserTraffic:
    """Transfers between two tabs of a browser.

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
        try:
            async with running_browser(self._program) as tools:
                sender = await DemoTab.create(tools, self._origin)
                receiver = await DemoTab.create(tools, self._origin)
                await sender.run("void dispatchEvent(new Event('appinstalled'))")
                while True:
                    await self._transfer(sender, receiver)
                    self.transfers += 1
                    await asyncio.sleep(self._pause_s)
        except (OSError, WebSocketException):
            raise BrowserError("the browser has ended") from None

    async def _transfer(self, sender: DemoTab, receiver: DemoTab) -> None:
        await sender.click("nav button:nth-child(3)")
        await sender.wait_until("document.querySelector('#theme') !== null")
        await sender.run(_CHANGE_THEME)
        await sender.open(f"{self._origin}/")
        await sender.click(".drop button:nth-child(3)")
        await sender.wait_until("document.querySelector('textarea') !== null")
        await sender.run(_WRITE)
        await sender.click("button[type=submit]:enabled")
        await sender.click("button.wide")
        await receiver.open(await sender.wait_until("document.querySelector('#link')?.value"))
        await receiver.wait_until(f"{_STATE} === 'confirming'")
        await receiver.click("main button.primary")
        for tab in (receiver, sender):
            await tab.wait_until(f"{_STATE} === 'done'")
