"""Faults of the exposition: a release that leaks labels, and one that lost a metric."""

from __future__ import annotations

import asyncio
import re
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

_LEAKED_SERIES: Final = 42_000
"""With the server's own series more than eight tenths of the 50,000 that a scrape may have."""
_GROWN_SERIES: Final = 12_000
"""More than the 10,000 lines that may be added in six hours."""
_LOST_METRIC: Final = "tallow_transfer_queue_depth"
_SERIES_OF_ERRORS: Final = re.compile(
    r'^(tallow_metric_series\{metric="tallow_errors_total"\}) (\S+)$', re.MULTILINE
)
_STALE_AFTER_SCRAPES: Final = 5
"""Scrapes until Prometheus marks series of another address as stale."""


@asynccontextmanager
async def _changed_exposition(context: DrillContext, change: Callable[[str], str]) -> AsyncIterator[None]:
    """Prometheus scrapes the server through a proxy, which changes the exposition while the fault lasts."""
    is_changing = False

    async def metrics(request: Request) -> Response:
        headers = {"authorization": request.headers.get("authorization", "")}
        response = await context.server.http.get("/metrics", headers=headers)
        text = change(response.text) if is_changing and response.is_success else response.text
        return Response(text, response.status_code, media_type=response.headers.get("content-type"))

    app = Starlette(routes=[Route("/metrics", metrics)])
    port = await context.cleanup.enter_async_context(serve.serving(app))
    context.environment.add_target(context.server.target, f"127.0.0.1:{port}")
    await asyncio.sleep(_STALE_AFTER_SCRAPES * context.environment.profile.interval)
    context.mark_fault_start()
    is_changing = True
    yield
    is_changing = False


@cache
def _leaked_family(count: int) -> str:
    lines = "\n".join(f'tallow_leaked_total{{peer="{number}"}} 1' for number in range(count))
    return f"# TYPE tallow_leaked_total counter\n{lines}\n"


def _with_leak(text: str, count: int) -> str:
    """The exposition with leaked series. They count as series of a metric that it had before: the rule sees
    the growth of a metric, not a new one.
    """
    counted = _SERIES_OF_ERRORS.sub(lambda line: f"{line[1]} {float(line[2]) + count}", text, count=1)
    return f"{counted.rstrip()}\n{_leaked_family(count)}"


@asynccontextmanager
async def many_series(context: DrillContext) -> AsyncIterator[None]:
    """The exposition has a metric with a label value per user."""
    async with _changed_exposition(context, lambda text: _with_leak(text, _LEAKED_SERIES)):
        yield


@asynccontextmanager
async def growing_series(context: DrillContext) -> AsyncIterator[None]:
    """The same with fewer values: the scrape is far from its limit."""
    async with _changed_exposition(context, lambda text: _with_leak(text, _GROWN_SERIES)):
        yield


@asynccontextmanager
async def lost_metric(context: DrillContext) -> AsyncIterator[None]:
    """A metric that alerts use has another name."""
    async with _changed_exposition(
        context, lambda text: text.replace(_LOST_METRIC, f"{_LOST_METRIC}_renamed")
    ):
        yield


DRILLS: Final = (
    Drill(
        alert="ScrapeNearSampleLimit",
        fault=f"a release leaks a label: {_LEAKED_SERIES} series more in the exposition (a proxy adds them)",
        inject=many_series,
        also_fires=frozenset({"MetricSeriesGrowing"}),
    ),
    Drill(
        alert="MetricSeriesGrowing",
        fault=f"a release leaks a label: {_GROWN_SERIES} series more in the exposition (a proxy adds them)",
        inject=growing_series,
    ),
    Drill(
        alert="RuleInputMissing",
        fault=f"a release renames {_LOST_METRIC} (a proxy does)",
        inject=lost_metric,
    ),
)
