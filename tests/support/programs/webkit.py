"""Debian's WebKitGTK, driven by WebDriver, with a display of its own.

Its library starts programs by paths below ``/usr`` that are compiled in. The unpacked packages are therefore
laid over ``/usr`` in a mount namespace. An ordinary user needs a user namespace for that. A process namespace
ends all of its programs together.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from support.programs.prometheus import free_port
from tallow.stack.engines.programs import debian
from tallow.stack.engines.programs.programs import tools_folder

PACKAGES: Final = ("webkit2gtk-driver", "xvfb")
BROWSER: Final = "usr/lib/*/webkit2gtk-4.1/MiniBrowser"
START_S: Final = 60.0
STOP_S: Final = 30.0
COMMAND_TIMEOUT_S: Final = 90.0
"""Longer than WebDriver's own limits for scripts (30 s), so that its error is seen."""
ELEMENT: Final = "element-6066-11e4-a52e-4f735466cecf"
"""The key of an element's identifier (W3C, WebDriver, section 12.1)."""

_OVERLAY: Final = """
set -eu
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$1" /usr
"""
_START: Final = f"""
exec 2>&1
{_OVERLAY}
exec 4>"$2"
Xvfb -displayfd 4 -screen 0 1280x1000x24 -nolisten tcp &
display=$!
while [ ! -s "$2" ]; do kill -0 $display || exit 1; sleep 0.05; done
DISPLAY=:$(cat "$2") WebKitWebDriver --host=127.0.0.1 --port="$3" &
driver=$!
read -r _ || true
kill $driver $display
wait
"""
"""Ends when its standard input does. Xvfb then removes its lock and its socket."""


class WebDriverError(Exception):
    """The browser refused a command; the text is its reason."""


class WebDriverSession:
    """A WebDriver session (W3C, WebDriver)."""

    def __init__(self, client: httpx.Client, capabilities: dict[str, Any]) -> None:
        self._client = client
        self._path = ""
        created = self.send("POST", "/session", capabilities={"alwaysMatch": capabilities})
        self.version: str = created["capabilities"]["browserVersion"]
        self._path = f"/session/{created['sessionId']}"

    def send(self, method: str, path: str, **parameters: Any) -> Any:
        """Send a command and return its value."""
        body = parameters if method == "POST" else None
        answer = self._client.request(method, self._path + path, json=body)
        value = answer.json()["value"]
        if answer.is_error:
            raise WebDriverError(f"{value['error']}: {value['message']}")
        return value

    def element(self, selector: str) -> str:
        """The path of the first element that a CSS selector finds."""
        found = self.send("POST", "/element", using="css selector", value=selector)
        return f"/element/{found[ELEMENT]}"


@contextlib.contextmanager
def webkit(folder: Path, downloads: Path) -> Iterator[WebDriverSession]:
    """A browser with its home in ``folder``, which saves into ``downloads`` without asking.

    Skips the test, with the reason, where no namespace can be made or the packages are not available.
    """
    roots = _packages()
    _check_namespace(roots)
    folder.mkdir(parents=True)
    log, port = folder / "driver.log", free_port()
    with log.open("w") as output:
        process = subprocess.Popen(
            [*_in_namespace(_START, roots), str(folder / "display"), str(port)],
            env=_environment(folder, downloads),
            stdin=subprocess.PIPE,
            stdout=output,
        )
    assert process.stdin is not None
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=COMMAND_TIMEOUT_S) as client:
            _wait_until_ready(client, process, log)
            yield WebDriverSession(client, _capabilities(roots))
    finally:
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
        process.kill()  # with it end all processes of the namespace
        process.wait()


def _packages() -> list[Path]:
    """The folders of the unpacked packages."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        pytest.skip("WebKitGTK needs Linux and unshare: its packages are laid over /usr in a namespace")
    if not debian.available():
        pytest.skip("WebKitGTK needs apt, for Debian's webkit2gtk-driver")
    try:
        return [debian.unpack(package, tools_folder()) for package in PACKAGES]
    except debian.PackageError as error:
        pytest.skip(f"no WebKitGTK: {error}")


def _check_namespace(roots: Sequence[Path]) -> None:
    tried = subprocess.run(_in_namespace(_OVERLAY, roots), capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        reason = (tried.stderr.splitlines() or [f"exit status {tried.returncode}"])[0]
        pytest.skip(f"WebKitGTK needs a mount namespace with an overlay over /usr: {reason}")


def _in_namespace(script: str, roots: Sequence[Path]) -> list[str]:
    """The command of a shell script in new namespaces; its first argument are the layers of ``/usr``."""
    layers = ":".join([*(f"{root}/usr" for root in roots), "/usr"])
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    unshare = ["unshare", *user, "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return [*unshare, "sh", "-c", script, "sh", layers]


def _environment(folder: Path, downloads: Path) -> dict[str, str]:
    """A home folder of its own; without the accessibility bus, which a test's machine does not have."""
    for name in ("config", "runtime"):
        (folder / name).mkdir(mode=0o700)
    (folder / "config" / "user-dirs.dirs").write_text(f'XDG_DOWNLOAD_DIR="{downloads}"\n')
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return kept | {
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_RUNTIME_DIR": str(folder / "runtime"),
        "NO_AT_BRIDGE": "1",
        "GTK_A11Y": "none",
    }


def _capabilities(roots: Sequence[Path]) -> dict[str, Any]:
    found = next(path.relative_to(root) for root in (*roots, Path("/")) for path in root.glob(BROWSER))
    return {"webkitgtk:browserOptions": {"binary": f"/{found}", "args": ["--automation"]}}


def _wait_until_ready(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_S
    while True:
        with contextlib.suppress(httpx.TransportError):
            if client.get("/status").json()["value"]["ready"]:
                return
        assert process.poll() is None, f"WebKitGTK's driver ended: {log.read_text()}"
        assert time.monotonic() < end, f"WebKitGTK's driver did not start: {log.read_text()}"
        time.sleep(0.05)
