"""Faults that people at the server make: too many, too few, and those who mean no good."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tallow.stack.drill.environment import clients
from tallow.stack.drill.environment.profile import DIGEST
from tallow.stack.drill.run.model import Drill, DrillContext, repeat_in_background

_WAITING: Final = 110
"""Pairs; the limit is 100."""
_GUESSES: Final = 40
_BAD_REPORTS: Final = 4


@asynccontextmanager
async def backlog(scene: DrillContext) -> AsyncIterator[None]:
    async with clients.join_pairs(scene.server, _WAITING):
        yield


@asynccontextmanager
async def some_wait(scene: DrillContext) -> AsyncIterator[None]:
    async with clients.join_pairs(scene.server, 3):
        yield


@asynccontextmanager
async def somebody(scene: DrillContext) -> AsyncIterator[None]:
    name, token = await clients.create_room(scene.server)
    async with clients.join_room(scene.server, name, token, "sender"):
        yield


@asynccontextmanager
async def nobody(scene: DrillContext) -> AsyncIterator[None]:
    """Who was there leaves; who comes heals it."""
    await scene.setup_stack.aclose()
    yield
    await scene.cleanup.enter_async_context(somebody(scene))


@asynccontextmanager
async def guessing(scene: DrillContext) -> AsyncIterator[None]:
    async def guess() -> None:
        await clients.send_report(scene.server, "a guess", {})

    for _ in range(_GUESSES):
        await guess()
    yield


@asynccontextmanager
async def bad_reports(scene: DrillContext) -> AsyncIterator[None]:
    async def visit() -> None:
        name, token = await clients.create_room(scene.server)
        async with clients.join_room(scene.server, name, token, "sender") as seat:
            for _ in range(_BAD_REPORTS):
                await clients.send_report(
                    scene.server, seat.join_reply["telemetry_token"], {"http_requests_total": []}
                )

    async with repeat_in_background(visit, 1.0):
        yield


@asynccontextmanager
async def hostile_labels(scene: DrillContext) -> AsyncIterator[None]:
    async def probe() -> None:
        for method in ("PROPFIND", "TRACE", "MKCOL", "UNLOCK"):
            await scene.server.http.request(method, "/api/info")

    async with repeat_in_background(probe, 0.5):
        yield


DRILLS: Final = (
    Drill(
        alert="TransferQueueBacklog",
        fault=f"{_WAITING} pairs join their rooms and never start (real signaling sockets)",
        inject=backlog,
        also_fires=frozenset({"NoSuccessfulTransfers"}),
    ),
    Drill(
        alert="NoSuccessfulTransfers",
        fault="pairs wait in their rooms and never start (real signaling sockets)",
        inject=some_wait,
    ),
    Drill(
        alert="NoActiveConnections",
        fault="everybody leaves and nobody comes",
        inject=nobody,
        setup=somebody,
        profile=DIGEST,
    ),
    Drill(
        alert="UnauthorizedAPIAccess",
        fault=f"{_GUESSES} reports with made-up tokens, each answered 401",
        inject=guessing,
    ),
    Drill(
        alert="ClientReportsRejected",
        fault="people in real rooms report what nobody may report",
        inject=bad_reports,
        fault_seconds=30,
    ),
    Drill(
        alert="LabelOverflow",
        fault="a scanner sends methods that the catalogue does not list",
        inject=hostile_labels,
        fault_seconds=60,
    ),
)
