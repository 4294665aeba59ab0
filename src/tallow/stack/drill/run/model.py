"""The model of a drill: an alert, the fault that must raise it, and the context that the fault works on."""

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
from tallow.stack.drill.verify.runbook_logs import CauseRecord


@dataclass(slots=True)
class DrillContext:
    """What a fault works on.

    Attributes:
        server: the drill's server.
        extra_servers: further servers that the fault started.
        fault_started_at: in seconds since the epoch. A fault that needs preparations sets it.
        setup_stack: what :attr:`Drill.setup` started; a fault may close it.
        cleanup: what must go on until the alert is resolved; closed at the end of the drill.
    """

    environment: DrillEnvironment
    observer: AlertObserver
    server: ServerUnderTest
    extra_servers: list[ServerUnderTest] = field(default_factory=list)
    fault_started_at: float = field(default_factory=time.time)
    setup_stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    cleanup: AsyncExitStack = field(default_factory=AsyncExitStack)

    def mark_fault_start(self) -> None:
        """Record that the fault starts now."""
        self.fault_started_at = time.time()

    async def start_server(self, settings: Mapping[str, str] | None = None) -> ServerUnderTest:
        """Start a further server and wait until it is scraped.

        Raises:
            DrillError: it does not start, or is not scraped in time.
        """
        server = self.environment.create_server(self.server.name, settings)
        self.extra_servers.append(server)
        await server.start()
        self.environment.add_target(server.target)
        await self.environment.wait_until_scraped(server.target)
        return server


FaultInjector = Callable[[DrillContext], AbstractAsyncContextManager[None]]
"""Returns a context manager that injects the fault on enter and removes it on exit."""
DrillCheck = Callable[[DrillContext], Awaitable[list[str]]]
"""Returns the problems it finds, one line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """The drill of one alert.

    Attributes:
        fault: what is done to the application, in one line.
        inject: injects and removes the fault.
        setup: starts what keeps the alert quiet before the fault; runs before the server is scraped.
        profile: the stack that it runs on.
        server_settings: environment variables of the server; ``{NAME}`` stands for a port of the environment.
        also_fires: other alerts that the fault raises.
        instance_label: returns the label ``instance`` of the alert if it is not the server's; empty if it has
            none.
        unreachable: destinations that the fault keeps notifications from.
        check: a further check while the alert fires.
        cause: the record of the server's log to which a command of the runbook must lead.
        fault_seconds: seconds from the fault until the alert's condition can hold.
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
    cause: CauseRecord | None = None
    fault_seconds: float = 0.0


@asynccontextmanager
async def repeat_in_background(
    action: Callable[[], Awaitable[Any]], interval_s: float, workers: int = 1
) -> AsyncIterator[None]:
    """Repeat an action until the block ends. Network errors, which a fault may cause, are ignored.

    Args:
        interval_s: seconds from the end of an action to the next one.
        workers: how many repeat it side by side.

    Raises:
        Exception: any other error of the action, when the block ends.
    """

    async def repeat() -> None:
        while True:
            with contextlib.suppress(httpx.HTTPError, OSError, TimeoutError, websockets.WebSocketException):
                await action()
            await asyncio.sleep(interval_s)

    tasks = [asyncio.create_task(repeat(), name="load") for _ in range(workers)]
    try:
        yield
        for task in tasks:
            if task.done():
                await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def wait_until(condition: Callable[[], Any | Awaitable[Any]], seconds: float, message: str) -> Any:
    """Wait until a condition is true.

    Args:
        condition: a function or coroutine function, called ten times a second.
        seconds: the time limit.
        message: the text of the error.

    Returns:
        The condition's value.

    Raises:
        DrillError: it was not true in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        if time.monotonic() > deadline:
            raise DrillError(f"{message} within {seconds:.0f} s")
        await asyncio.sleep(0.1)
