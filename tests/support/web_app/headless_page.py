"""The engine of the app's page under Node: a page without a browser, for tests against real peers."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

PROGRAM: Final = Path(__file__).with_name("headless_page.mjs")
"""Built by ``scripts/web-app`` from ``web/app/test/headless``."""
OLDEST_NODE: Final = 20


@dataclass
class HeadlessPage:
    """A running page.

    Attributes:
        events: what it printed.
    """

    process: asyncio.subprocess.Process
    events: list[dict[str, Any]] = field(default_factory=list)

    async def wait_for_event(self, wanted: str | Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read events until one has the wanted name or satisfies the predicate."""
        assert self.process.stdout
        while line := await self.process.stdout.readline():
            event: dict[str, Any] = json.loads(line)
            self.events.append(event)
            if event["event"] == wanted if isinstance(wanted, str) else wanted(event):
                return event
        raise AssertionError(f"the page ended without {wanted}: {self.events} {await self.read_stderr()}")

    async def wait_for_state(self, state: str) -> None:
        """Read events until the session has a state."""
        await self.wait_for_event(lambda event: event["event"] == "state" and event["state"] == state)

    async def end(self) -> dict[str, Any]:
        """Read to the end of the session: its state, error, correlation id, method and facts."""
        return await self.wait_for_event("end")

    async def command(self, line: str) -> None:
        """Call a function of the session: cancel, accept, decline or resume."""
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def read_stderr(self) -> str:
        """What it printed about its failure."""
        assert self.process.stderr
        return (await self.process.stderr.read()).decode()


@asynccontextmanager
async def headless_page(*arguments: object) -> AsyncIterator[HeadlessPage]:
    """A page that sends or receives; see ``web/app/test/headless/page.ts`` for the arguments.

    Skips the test on a machine without Node.
    """
    process = await asyncio.create_subprocess_exec(
        *(_node(), "--experimental-websocket", "--no-warnings", str(PROGRAM), *map(str, arguments)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 22,
    )
    try:
        yield HeadlessPage(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("Node is not here; the page's engine runs in it")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"Node {OLDEST_NODE} or later is not here; this is {version.strip()}")
    return found
