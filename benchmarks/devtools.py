"""A Chromium tab that is driven by the Chrome DevTools Protocol without its network domain.

Source: https://chromedevtools.github.io/devtools-protocol. Playwright observes the network: the browser then
sends it each message of a WebSocket as Base64 text. That takes half of the speed of a transfer over the relay
and adds memory that is not the page's.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect

from support.programs.browser import FLAGS, launch_options

START_TIMEOUT_S: Final = 60
POLL_S: Final = 0.05
_FLAGS: Final = ("--headless=new", "--remote-debugging-port=0", *FLAGS)
_PORT_FILE: Final = "DevToolsActivePort"
"""The browser writes the port and the path of its WebSocket into this file of the profile."""


class DevToolsError(Exception):
    """The browser refuses a command, or a script of the page has failed."""


class DevToolsTab:
    """The tab of a browser. Its functions are those of :class:`support.web_app.tabs.Tab`.

    Args:
        session: the id of the tab's session.
    """

    def __init__(self, socket: ClientConnection, session: str) -> None:
        self._socket = socket
        self._session = session
        self._ids = itertools.count(1)
        self._events: list[str] = []
        self._send("Page.enable")

    def open(self, url: str) -> None:
        """Go to an address and wait until the page is loaded."""
        self._events.clear()
        navigation = self._send("Page.navigate", url=url)
        if "loaderId" in navigation:  # otherwise only the fragment has changed
            while "Page.loadEventFired" not in self._events:
                self._receive()

    def run(self, expression: str) -> Any:
        """The value of an expression; of a promise, its result, however long it takes."""
        return self._evaluate(f"(async () => ({expression}))()", returnByValue=True).get("value")

    def click(self, selector: str) -> None:
        self._find(selector)
        self.run(f"void document.querySelector({json.dumps(selector)}).click()")

    def choose(self, selector: str, files: Sequence[Path]) -> None:
        """Give files to an ``<input type=file>``."""
        chosen = [str(path) for path in files]
        self._send("DOM.setFileInputFiles", files=chosen, objectId=self._find(selector))

    def before_load(self, function: str) -> None:
        self._send("Page.addScriptToEvaluateOnNewDocument", source=f"({function})()")

    def close(self) -> None:
        self._send("Page.close")

    def _find(self, selector: str) -> str:
        """The id of an element, once it is there."""
        found = f"document.querySelector({json.dumps(selector)})"
        end = time.monotonic() + START_TIMEOUT_S
        while "objectId" not in (element := self._evaluate(found)):
            if time.monotonic() > end:
                raise DevToolsError(f"the page has no {selector}")
            time.sleep(POLL_S)
        return str(element["objectId"])

    def _evaluate(self, expression: str, **options: Any) -> dict[str, Any]:
        parameters = {"expression": expression, "awaitPromise": True, "userGesture": True, **options}
        answer = self._send("Runtime.evaluate", **parameters)
        if "exceptionDetails" in answer:
            raise DevToolsError(json.dumps(answer["exceptionDetails"]))
        result: dict[str, Any] = answer["result"]
        return result

    def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        command = next(self._ids)
        message = {"id": command, "method": method, "params": parameters, "sessionId": self._session}
        self._socket.send(json.dumps(message))
        while (answer := self._receive()).get("id") != command:
            pass
        if "error" in answer:
            raise DevToolsError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _receive(self) -> dict[str, Any]:
        """The next message; the name of an event is kept."""
        message: dict[str, Any] = json.loads(self._socket.recv())
        if "method" in message:
            self._events.append(message["method"])
        return message


@contextmanager
def devtools_tab(folder: Path, downloads: Path | None) -> Iterator[DevToolsTab]:
    """A tab of a new browser with its profile on disk.

    Args:
        folder: for the profile and the home folder.
        downloads: the folder of what the tab saves; without it nothing is saved.
    """
    options = launch_options()
    home, profile = folder / "home", folder / "profile"
    home.mkdir(parents=True)
    process = subprocess.Popen(
        [str(options["executable_path"]), *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
        env={name: str(value) for name, value in options["env"].items()} | {"HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with connect(_address(process, profile), max_size=None, open_timeout=START_TIMEOUT_S) as socket:
            yield _attach(socket, downloads)
    finally:
        process.terminate()
        process.wait()


def _address(process: subprocess.Popen[bytes], profile: Path) -> str:
    end = time.monotonic() + START_TIMEOUT_S
    file = profile / _PORT_FILE
    while not (file.exists() and len(lines := file.read_text().splitlines()) == 2):
        if process.poll() is not None or time.monotonic() > end:
            raise DevToolsError("the browser does not start")
        time.sleep(POLL_S)
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"


def _attach(socket: ClientConnection, downloads: Path | None) -> DevToolsTab:
    """The browser's first tab."""
    target = next(one for one in _ask(socket, "Target.getTargets")["targetInfos"] if one["type"] == "page")
    saving = (
        {"behavior": "deny"} if downloads is None else {"behavior": "allow", "downloadPath": str(downloads)}
    )
    _ask(socket, "Browser.setDownloadBehavior", **saving)
    attached = _ask(socket, "Target.attachToTarget", targetId=target["targetId"], flatten=True)
    return DevToolsTab(socket, attached["sessionId"])


def _ask(socket: ClientConnection, method: str, **parameters: Any) -> dict[str, Any]:
    """Send a command to the browser itself and return the result."""
    socket.send(json.dumps({"id": 0, "method": method, "params": parameters}))
    while True:
        message = json.loads(socket.recv(timeout=START_TIMEOUT_S))
        if message.get("id") == 0:
            if "error" in message:
                raise DevToolsError(f"{method}: {message['error']['message']}")
            result: dict[str, Any] = message["result"]
            return result
