"""Faults of what the server says of itself: a release that leaks labels, one that lost a metric."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallow.stack.drill.receivers import serve
from tallow.stack.drill.run.model import Drill, DrillContext

_LEAKED: Final = 42_000
"""Series; with the server's own more than eight tenths of the 50,000 that a scrape may have."""
_LOST: Final = "tallow_transfer_queue_depth"

SETTLED_AFTER: Final = 5
"""Scrapes."""

Change = Callable[[str], str]


@asynccontextmanager
async def altered(scene: DrillContext, change: Change) -> AsyncIterator[None]:
    """Prometheus reads the exposition through a proxy, under the server's name; then it is altered."""
    altering = False

    async def metrics(request: Request) -> Response:
        headers = {"authorization": request.headers.get("authorization", "")}
        answer = await scene.server.http.get("/metrics", headers=headers)
        text = change(answer.text) if altering and answer.is_success else answer.text
        return Response(text, answer.status_code, media_type=answer.headers.get("content-type"))

    app = Starlette(routes=[Route("/metrics", metrics)])
    port = await scene.cleanup.enter_async_context(serve.serving(app))
    scene.environment.add_target(scene.server.target, f"127.0.0.1:{port}")
    # Until Prometheus has written off the series that it scraped directly.
    await asyncio.sleep(SETTLED_AFTER * scene.environment.profile.interval)
    scene.mark_fault_start()
    altering = True
    yield
    altering = False


@cache
def _leaked() -> str:
    lines = "\n".join(f'tallow_leaked_total{{peer="{number}"}} 1' for number in range(_LEAKED))
    return f"# TYPE tallow_leaked_total counter\n{lines}\n"


def leaking(text: str) -> str:
    """A family with a label per user: the mistake that brings a Prometheus down."""
    return f"{text.rstrip()}\n{_leaked()}"


def without(text: str) -> str:
    """A metric was renamed, and nobody told the alerts."""
    return text.replace(_LOST, f"{_LOST}_renamed")


@asynccontextmanager
async def many_series(scene: DrillContext) -> AsyncIterator[None]:
    async with altered(scene, leaking):
        yield


@asynccontextmanager
async def lost_metric(scene: DrillContext) -> AsyncIterator[None]:
    async with altered(scene, without):
        yield


DRILLS: Final = (
    Drill(
        alert="ScrapeNearSampleLimit",
        fault=f"a release leaks a label: {_LEAKED} series more in the exposition (a proxy adds them)",
        inject=many_series,
    ),
    Drill(
        alert="RuleInputMissing",
        fault=f"a release renames {_LOST} (a proxy does)",
        inject=lost_metric,
    ),
)
