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

from tallow.stack.drill.environment.alert_observer import AlertObserver
from tallow.stack.drill.environment.profile import SHARED, DrillProfile
from tallow.stack.drill.environment.server import DrillError, ServerUnderTest
from tallow.stack.drill.environment.stack import DrillEnvironment
from tallow.stack.drill.verify.expected_routing import Destination


@dataclass(slots=True)
class DrillContext:
    """Where a drill takes place.

    Attributes:
        instance: the server that the fault is about.
        others: further servers, by the drill's own wish.
        began: when the fault began, in seconds since the epoch; a fault that needs preparations sets it.
        before: what goes on before the fault (see :attr:`Drill.setup`); a fault may end it.
        cleanup: what must last until the alert is resolved, and no longer.
    """

    environment: DrillEnvironment
    observer: AlertObserver
    server: ServerUnderTest
    extra_servers: list[ServerUnderTest] = field(default_factory=list)
    fault_started_at: float = field(default_factory=time.time)
    setup_stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    cleanup: AsyncExitStack = field(default_factory=AsyncExitStack)

    def mark_fault_start(self) -> None:
        """The fault begins now."""
        self.fault_started_at = time.time()

    async def start_server(self, environment: Mapping[str, str] | None = None) -> ServerUnderTest:
        """A further server beside the drill's own, scraped and old enough for its alerts."""
        made = self.environment.create_server(self.server.name, environment)
        self.extra_servers.append(made)
        await made.start()
        self.environment.add_target(made.target)
        await self.environment.wait_until_scraped(made.target)
        return made


FaultInjector = Callable[[DrillContext], AbstractAsyncContextManager[None]]
"""Entered, the fault is there; left, it is healed."""
DrillCheck = Callable[[DrillContext], Awaitable[list[str]]]


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
    inject: FaultInjector
    setup: FaultInjector | None = None
    profile: DrillProfile = SHARED
    server_settings: Mapping[str, str] = field(default_factory=dict)
    also_fires: frozenset[str] = frozenset()
    instance_label: Callable[[DrillEnvironment], str] | None = None
    unreachable: frozenset[Destination] = frozenset()
    check: DrillCheck | None = None
    fault_seconds: float = 0.0


@asynccontextmanager
async def repeat_in_background(
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


async def wait_until(done: Callable[[], Any | Awaitable[Any]], seconds: float, otherwise: str) -> Any:
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
