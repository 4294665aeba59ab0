"""One interface to a tab of Chromium (Playwright), Firefox (WebDriver BiDi) and WebKitGTK (WebDriver)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from playwright.sync_api import BrowserContext, Page

from support.programs.firefox import BidiSession
from support.programs.webkit import WebDriverSession

WAIT_S: Final = 120
"""The longest wait for something that a page does. Other programs may load the machine."""
POLL_S: Final = 0.05


class Tab(Protocol):
    """A tab of a browser. Selectors are CSS; expressions are JavaScript, and may be promises."""

    def open(self, url: str) -> None: ...

    def run(self, expression: str) -> Any:
        """The value of an expression, as JSON carries it."""

    def click(self, selector: str) -> None: ...

    def choose(self, selector: str, files: Sequence[Path]) -> None:
        """Give files to an ``<input type=file>``."""

    def close(self) -> None: ...


class ScriptedTab(Tab, Protocol):
    """A tab that can change its page before the page starts."""

    def before_load(self, function: str) -> None:
        """Call a function in each page before its own scripts."""


def wait_until(tab: Tab, expression: str, seconds: float = WAIT_S) -> Any:
    """Wait until an expression is true in a tab, and return its value.

    Raises:
        AssertionError: it did not become true; with what the page shows.
    """
    end = time.monotonic() + seconds
    while True:
        if found := tab.run(expression):
            return found
        if time.monotonic() > end:
            shown = tab.run("document.querySelector('main')?.innerText ?? document.body.innerText")
            raise AssertionError(f"not true: {expression}\nthe page shows:\n{shown}")
        time.sleep(POLL_S)


class ChromiumTab:
    """A tab with its own profile. It records errors of the page and the addresses that it asked for.

    Args:
        downloads: the folder of what it saves; without it the context decides.
    """

    def __init__(self, context: BrowserContext, downloads: Path | None) -> None:
        self.context = context
        self.page: Page = context.new_page()
        self.page.set_default_timeout(WAIT_S * 1000)
        self.problems: list[str] = []
        self.requested: set[str] = set()
        self.page.on("console", lambda line: self.problems.extend([line.text] * (line.type == "error")))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self.requested.add(request.url))
        if downloads is not None:
            self.page.on("download", lambda found: found.save_as(downloads / found.suggested_filename))

    def open(self, url: str) -> None:
        self.page.goto(url)

    def run(self, expression: str) -> Any:
        return self.page.evaluate(f"async () => ({expression})")

    def click(self, selector: str) -> None:
        self.page.locator(selector).first.click()

    def choose(self, selector: str, files: Sequence[Path]) -> None:
        self.page.set_input_files(selector, [str(path) for path in files])

    def before_load(self, function: str) -> None:
        self.context.add_init_script(f"({function})()")

    def close(self) -> None:
        self.context.close()


class FirefoxTab:
    """A tab of a Firefox that a test started."""

    def __init__(self, session: BidiSession) -> None:
        self._session = session
        self._context = session.send("browsingContext.create", type="tab")["context"]
        session.send("session.subscribe", events=["log.entryAdded"], contexts=[self._context])

    @property
    def problems(self) -> list[str]:
        """Errors of the page and in its console."""
        entries = [event["params"] for event in self._session.events if event["method"] == "log.entryAdded"]
        return [entry["text"] for entry in entries if entry["level"] == "error"]

    def open(self, url: str) -> None:
        self._session.send("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def run(self, expression: str) -> Any:
        found = self._session.send(
            "script.evaluate",
            expression=f"(async () => JSON.stringify([await ({expression})]))()",
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        if found["type"] == "exception":
            raise AssertionError(found["exceptionDetails"]["text"])
        return json.loads(found["result"]["value"])[0]

    def click(self, selector: str) -> None:
        wait_until(self, f"document.querySelector({json.dumps(selector)}) !== null")
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def choose(self, selector: str, files: Sequence[Path]) -> None:
        locator = {"type": "css", "value": selector}
        found = self._session.send("browsingContext.locateNodes", context=self._context, locator=locator)
        element = {"sharedId": found["nodes"][0]["sharedId"]}
        self._session.send(
            "input.setFiles", context=self._context, element=element, files=[str(path) for path in files]
        )

    def before_load(self, function: str) -> None:
        self._session.send("script.addPreloadScript", functionDeclaration=function, contexts=[self._context])

    def close(self) -> None:
        self._session.send("browsingContext.close", context=self._context)


class WebKitTab:
    """The tab of a WebKitGTK that a test started."""

    def __init__(self, session: WebDriverSession) -> None:
        self._session = session
        self.version = session.version

    def open(self, url: str) -> None:
        self._session.send("POST", "/url", url=url)

    def run(self, expression: str) -> Any:
        script = f"""const done = arguments[arguments.length - 1];
        (async () => JSON.stringify([await ({expression})]))().then(
          (value) => done({{ value }}), (error) => done({{ error: String(error) }}))"""
        found = self._session.send("POST", "/execute/async", script=script, args=[])
        if "error" in found:
            raise AssertionError(found["error"])
        return json.loads(found["value"])[0]

    def click(self, selector: str) -> None:
        wait_until(self, f"document.querySelector({json.dumps(selector)}) !== null")
        self._session.send("POST", f"{self._session.element(selector)}/click")

    def choose(self, selector: str, files: Sequence[Path]) -> None:
        names = "\n".join(str(path) for path in files)
        self._session.send("POST", f"{self._session.element(selector)}/value", text=names)

    def close(self) -> None:
        self._session.send("DELETE", "/window")


NewTab = Callable[..., ChromiumTab]
"""Opens a tab of Chromium with a profile of its own; options are those of a browser context."""
