"""A headless Chromium, driven by the Chrome DevTools Protocol over a pipe.

Source: https://chromedevtools.github.io/devtools-protocol. With ``--remote-debugging-pipe`` the browser reads
commands from descriptor 3 and writes answers to descriptor 4, each a JSON object that ends with a zero byte.
Other users of the machine cannot reach a pipe, the browser ends with this process, and the commands that
install apps are answered over a pipe only.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from tallow.app.files.temporary import temporary_folder

START_TIMEOUT_S: Final = 60
COMMAND_TIMEOUT_S: Final = 60
STOP_TIMEOUT_S: Final = 10
MAX_ANSWER_BYTES: Final = 1 << 24
MAX_TEMPORARY_FOLDER: Final = 50
"""Characters of a path: the browser makes a Unix socket in the temporary folder, of at most 107 bytes."""

_SHELL: Final = 'exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null'
"""The browser's descriptors 3 and 4 are the shell's standard input and output."""
_FLAGS: Final = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
)


class BrowserError(Exception):
    """The browser does not start or does not do what it is told. The text is one line."""


class DevTools:
    """The connection to a browser, for one command after the other."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._commands = process.stdin
        self._answers = process.stdout
        self._ids = itertools.count(1)
        self._lock = asyncio.Lock()

    async def send(
        self,
        method: str,
        session: str | None = None,
        *,
        wait_s: float = COMMAND_TIMEOUT_S,
        **parameters: Any,
    ) -> dict[str, Any]:
        """Send a command and return its result.

        Args:
            session: the session of a tab; without it the command is for the browser.
            wait_s: the longest wait for the answer.

        Raises:
            BrowserError: the browser refuses it, does not answer in time, or has ended.
        """
        command = next(self._ids)
        message = {"id": command, "method": method, "params": parameters}
        try:
            async with self._lock, asyncio.timeout(wait_s):
                self._commands.write(
                    json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0"
                )
                await self._commands.drain()
                answer = await self._answer(command)
        except TimeoutError:
            raise BrowserError(f"the browser does not answer {method}") from None
        except (OSError, EOFError):
            raise BrowserError("the browser has ended") from None
        if "error" in answer:
            raise BrowserError(f"the browser refuses {method}: {answer['error'].get('message', '')}")
        result: dict[str, Any] = answer["result"]
        return result

    async def _answer(self, command: int) -> dict[str, Any]:
        """The answer to a command. Events and answers to commands that timed out are skipped."""
        while True:
            answer: dict[str, Any] = json.loads((await self._answers.readuntil(b"\0"))[:-1])
            if answer.get("id") == command:
                return answer


@asynccontextmanager
async def running_browser(program: Path) -> AsyncIterator[DevTools]:
    """A headless browser with a temporary profile and home folder.

    Raises:
        BrowserError: it does not start.
    """
    with temporary_folder() as folder:
        # Chromium refuses its sandbox to root.
        flags = [
            *_FLAGS,
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            f"--user-data-dir={folder}/profile",
        ]
        try:
            process = await asyncio.create_subprocess_exec(
                *("/bin/sh", "-c", _SHELL, str(program), *flags, "about:blank"),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                limit=MAX_ANSWER_BYTES,
                env=_environment(folder),
            )
        except OSError as error:
            raise BrowserError(f"{program} does not start: {error.strerror}") from None
        try:
            tools = DevTools(process)
            try:
                await tools.send("Browser.getVersion", wait_s=START_TIMEOUT_S)
            except BrowserError:
                raise BrowserError("the browser does not start; try it with --headless by hand") from None
            yield tools
        finally:
            await _stop(process)


def _environment(folder: Path) -> Mapping[str, str]:
    """The environment of the browser. An app that it installs must not appear in the menus of this user."""
    home = folder / "home"
    home.mkdir()
    places = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CACHE", "CONFIG", "DATA", "STATE")}
    temporary = tempfile.gettempdir()
    short = temporary if len(temporary) <= MAX_TEMPORARY_FOLDER else "/tmp"  # noqa: S108
    return {**os.environ, **places, "HOME": str(home), "TMPDIR": short}


async def _stop(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        # asyncio.timeout of Python 3.11.2 raises CancelledError in a task that was cancelled before.
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
