"""Faults that people at the server make: too many, too few, and those who mean no good."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tallow.stack.drill import visitor
from tallow.stack.drill.drill import Drill, Scene, again_and_again
from tallow.stack.drill.track import DIGEST

_WAITING: Final = 110
"""Pairs; the limit is 100."""
_GUESSES: Final = 40
_BAD_REPORTS: Final = 4


@asynccontextmanager
async def backlog(scene: Scene) -> AsyncIterator[None]:
    async with visitor.pairs(scene.instance, _WAITING):
        yield


@asynccontextmanager
async def some_wait(scene: Scene) -> AsyncIterator[None]:
    async with visitor.pairs(scene.instance, 3):
        yield


@asynccontextmanager
async def somebody(scene: Scene) -> AsyncIterator[None]:
    name, token = await visitor.room(scene.instance)
    async with visitor.joined(scene.instance, name, token, "sender"):
        yield


@asynccontextmanager
async def nobody(scene: Scene) -> AsyncIterator[None]:
    """Who was there leaves; who comes heals it."""
    await scene.before.aclose()
    yield
    await scene.cleanup.enter_async_context(somebody(scene))


@asynccontextmanager
async def guessing(scene: Scene) -> AsyncIterator[None]:
    async def guess() -> None:
        await visitor.report(scene.instance, "a guess", {})

    for _ in range(_GUESSES):
        await guess()
    yield


@asynccontextmanager
async def bad_reports(scene: Scene) -> AsyncIterator[None]:
    async def visit() -> None:
        name, token = await visitor.room(scene.instance)
        async with visitor.joined(scene.instance, name, token, "sender") as seat:
            for _ in range(_BAD_REPORTS):
                await visitor.report(
                    scene.instance, seat.joined["telemetry_token"], {"http_requests_total": []}
                )

    async with again_and_again(visit, 1.0):
        yield


@asynccontextmanager
async def hostile_labels(scene: Scene) -> AsyncIterator[None]:
    async def probe() -> None:
        for method in ("PROPFIND", "TRACE", "MKCOL", "UNLOCK"):
            await scene.instance.http.request(method, "/api/info")

    async with again_and_again(probe, 0.5):
        yield


DRILLS: Final = (
    Drill(
        alert="TransferQueueBacklog",
        fault=f"{_WAITING} pairs join their rooms and never start (real signaling sockets)",
        start=backlog,
        along=frozenset({"NoSuccessfulTransfers"}),
    ),
    Drill(
        alert="NoSuccessfulTransfers",
        fault="pairs wait in their rooms and never start (real signaling sockets)",
        start=some_wait,
    ),
    Drill(
        alert="NoActiveConnections",
        fault="everybody leaves and nobody comes",
        start=nobody,
        before=somebody,
        track=DIGEST,
    ),
    Drill(
        alert="UnauthorizedAPIAccess",
        fault=f"{_GUESSES} reports with made-up tokens, each answered 401",
        start=guessing,
    ),
    Drill(
        alert="ClientReportsRejected",
        fault="people in real rooms report what nobody may report",
        start=bad_reports,
        lasts=30,
    ),
    Drill(
        alert="LabelOverflow",
        fault="a scanner sends methods that the catalogue does not list",
        start=hostile_labels,
        lasts=60,
    ),
)
