"""What a drill is: an alert, the fault that must raise it, and the scene it happens on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import websockets

from tallow.stack.drill.expected import Place
from tallow.stack.drill.ground import Ground
from tallow.stack.drill.instance import DrillError, Instance
from tallow.stack.drill.observer import Observer
from tallow.stack.drill.track import CROWD, Track


@dataclass(slots=True)
class Scene:
    """Where a drill takes place.

    Attributes:
        instance: the server that the fault is about.
        others: further servers, by the drill's own wish.
        began: when the fault began, in seconds since the epoch; a fault that needs preparations sets it.
        before: what goes on before the fault (see :attr:`Drill.before`); a fault may end it.
        cleanup: what must last until the alert is resolved, and no longer.
    """

    ground: Ground
    observer: Observer
    instance: Instance
    others: list[Instance] = field(default_factory=list)
    began: float = field(default_factory=time.time)
    before: AsyncExitStack = field(default_factory=AsyncExitStack)
    cleanup: AsyncExitStack = field(default_factory=AsyncExitStack)

    def mark(self) -> None:
        """The fault begins now."""
        self.began = time.time()

    async def another(self, environment: Mapping[str, str] | None = None) -> Instance:
        """A further server beside the drill's own, scraped and old enough for its alerts."""
        made = self.ground.instance(self.instance.name, environment)
        self.others.append(made)
        await made.start()
        self.ground.scrape(made.target)
        await self.ground.scraped(made.target)
        return made


Fault = Callable[[Scene], AbstractAsyncContextManager[None]]
"""Entered, the fault is there; left, it is healed."""
Check = Callable[[Scene], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One alert's proof.

    Attributes:
        fault: what is done to the real app, in a line.
        before: what must go on before the server is even scraped, for the alert to be quiet.
        environment: settings of the server; ``{NAME}`` stands for a port of the ground.
        along: alerts that the same fault rightly raises too.
        about: the ``instance`` label of the alert, if it is not the server's; empty if it has none.
        unreachable: places that the fault itself keeps the page from.
        check: what else must hold while the alert fires: problems, one line each.
        lasts: seconds that the fault itself needs before the condition can hold.
    """

    alert: str
    fault: str
    start: Fault
    before: Fault | None = None
    track: Track = CROWD
    environment: Mapping[str, str] = field(default_factory=dict)
    along: frozenset[str] = frozenset()
    about: Callable[[Ground], str] | None = None
    unreachable: frozenset[Place] = frozenset()
    check: Check | None = None
    lasts: float = 0.0


@asynccontextmanager
async def again_and_again(
    action: Callable[[], Awaitable[Any]], every: float, at_once: int = 1
) -> AsyncIterator[None]:
    """Do something every so many seconds in the background; what fails because of the fault is no news.

    Args:
        at_once: how many do it side by side.
    """

    async def go_on() -> None:
        while True:
            with contextlib.suppress(httpx.HTTPError, OSError, TimeoutError, websockets.WebSocketException):
                await action()
            await asyncio.sleep(every)

    tasks = [asyncio.create_task(go_on(), name="load") for _ in range(at_once)]
    try:
        yield
        for task in tasks:
            if task.done():
                await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(done: Callable[[], Any | Awaitable[Any]], seconds: float, otherwise: str) -> Any:
    """Wait for something to be true: its value.

    Raises:
        DrillError: it was not, in so many seconds.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = done()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        if time.monotonic() > deadline:
            raise DrillError(f"{otherwise} within {seconds:.0f} s")
        await asyncio.sleep(0.1)
