"""Debian's Firefox ESR, driven by WebDriver BiDi, without background requests to other hosts.

Playwright drives a patched Firefox only. The few commands of the W3C protocol that the tests need are sent
here.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from websockets.sync.client import ClientConnection, connect

from support.programs.debian import environment, program

START_TIMEOUT_S: Final = 60
COMMAND_TIMEOUT_S: Final = 60

_QUIET: Final[dict[str, bool | int | str]] = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.aboutConfig.showWarning": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.push.connection.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "geo.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.prefetch-next": False,
    "services.settings.server": "http://127.0.0.1:9/",
    "toolkit.telemetry.enabled": False,
}
_LOOPBACK: Final[dict[str, bool | int | str]] = {
    # Otherwise WebRTC has no candidate on a machine whose only interface is the loopback.
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
}


class BidiError(Exception):
    """The browser refused a command; the text is its reason."""


class BidiSession:
    """A WebDriver BiDi session (W3C, WebDriver BiDi, section 7)."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result. Events that arrive meanwhile are kept in ``events``."""
        command = next(self._ids)
        self._socket.send(json.dumps({"id": command, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=COMMAND_TIMEOUT_S))
            if message.get("type") == "event":
                self.events.append(message)
            elif message.get("id") == command:
                if message.get("type") == "error":
                    raise BidiError(f"{message['error']}: {message['message']}")
                result: dict[str, Any] = message["result"]
                return result


@contextlib.contextmanager
def firefox(folder: Path, downloads: Path, **preferences: bool | int | str) -> Iterator[BidiSession]:
    """A headless browser with a new profile in ``folder``, which saves into ``downloads`` without asking."""
    path = program("firefox-esr")
    inside = path.parents[1] / "lib" / "firefox-esr" / "firefox-esr"
    profile = folder / "profile"
    profile.mkdir(parents=True)
    chosen = {
        **_QUIET,
        **_LOOPBACK,
        "browser.download.folderList": 2,
        "browser.download.dir": str(downloads),
        "browser.download.alwaysOpenPanel": False,
        **preferences,
    }
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in chosen.items())
    (profile / "user.js").write_text("".join(lines))
    binary = inside if inside.exists() else path
    options = ["--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    process = subprocess.Popen(
        [str(binary), *options, "about:blank"],
        env=environment(path) | {"HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        with connect(
            f"{_address(process.stderr)}/session", max_size=None, open_timeout=START_TIMEOUT_S
        ) as socket:
            # A pipe that nobody reads would stop the browser.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            session = BidiSession(socket)
            session.send("session.new", capabilities={})
            yield session
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


def _address(stderr: IO[str]) -> str:
    for line in stderr:
        if found := re.search(r"ws://\S+", line):
            return found[0].rstrip("/")
    raise AssertionError("Firefox ended before it listened")
