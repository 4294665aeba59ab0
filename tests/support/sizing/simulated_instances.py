"""Many simulated instances of Tallow behind one port, with the expositions of a real server."""

from __future__ import annotations

import asyncio
import gzip
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from support.transfers.server import listener

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
ACCEPT = f"{CONTENT_TYPE.partition(';')[0]};version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5"
"""What Prometheus 2.42 accepts, by preference."""
ACTIVITY = (0, 0, 0, 1, 1, 2)
"""How often a child's recorded change happens between two scrapes; chosen anew for each child and scrape."""
_EDGE = re.compile(r',?le="[^"]*"')
_PART = re.compile(r"_(bucket|sum|count)$")


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of the template: its series, its value, its change under traffic, and its child."""

    series: str
    value: float
    change: float
    child: int


@dataclass(frozen=True)
class Template:
    """Two expositions of a real server: their lines, and what traffic changed between them."""

    lines: tuple[str | Sample, ...]

    @classmethod
    def between(cls, before: str, after: str) -> Template:
        """The template of a server with the series of ``after``; they change as they did since ``before``."""
        earlier = dict(_samples(before))
        children: dict[str, int] = {}
        lines: list[str | Sample] = []
        for line in after.splitlines():
            if line.startswith("#"):
                lines.append(line)
                continue
            [(series, value)] = _samples(line)
            child = children.setdefault(child_of(series), len(children))
            lines.append(Sample(series, value, value - earlier.get(series, 0.0), child))
        return cls(tuple(lines))

    @property
    def samples(self) -> list[Sample]:
        return [line for line in self.lines if isinstance(line, Sample)]


class SimulatedInstance:
    """An instance whose samples change with every scrape, independently of other instances."""

    def __init__(self, template: Template, seed: int) -> None:
        self._template = template
        self._random = random.Random(seed)
        self._count = 1 + max(sample.child for sample in template.samples)
        self._done = [0] * self._count
        self._parts = tuple(_joined(template))

    def advance(self) -> None:
        """Add the traffic of one scrape interval."""
        activity = self._random.choices(ACTIVITY, k=self._count)
        self._done = [done + more for done, more in zip(self._done, activity, strict=True)]

    def value(self, sample: Sample) -> float:
        """The present value of a sample."""
        return sample.value + sample.change * self._done[sample.child]

    def exposition(self) -> bytes:
        """The exposition at present."""
        lines = (
            part if isinstance(part, str) else f"{part.series} {self.value(part)}" for part in self._parts
        )
        return ("\n".join(lines) + "\n").encode()


def _joined(template: Template) -> Iterator[str | Sample]:
    """The lines of a template; those that do not change are one text, which saves most of the time."""
    fixed: list[str] = []
    for line in template.lines:
        if isinstance(line, Sample) and line.change:
            yield from ["\n".join(fixed)] if fixed else []
            fixed = []
            yield line
        else:
            fixed.append(line if isinstance(line, str) else f"{line.series} {line.value}")
    yield from ["\n".join(fixed)] if fixed else []


@contextmanager
def serving(template: Template, instances: int) -> Iterator[int]:
    """Serve the instances at ``/0/metrics``, ``/1/metrics`` … and accept remote write; yields the port."""
    fleet = [SimulatedInstance(template, seed) for seed in range(instances)]

    async def metrics(request: Request) -> Response:
        instance = fleet[request.path_params["number"]]
        instance.advance()
        body = gzip.compress(instance.exposition(), compresslevel=1)
        return Response(body, headers={"content-type": CONTENT_TYPE, "content-encoding": "gzip"})

    async def write(request: Request) -> Response:
        async for _ in request.stream():
            pass
        return Response(status_code=204)

    routes = [Route("/{number:int}/metrics", metrics), Route("/write", write, methods=["POST"])]
    config = uvicorn.Config(Starlette(routes=routes), log_level="error", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    bound = listener()
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([bound])))
    thread.start()
    try:
        yield int(bound.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()


def child_of(series: str) -> str:
    """The metric and labels of a series, the same for all parts and buckets of one histogram."""
    name, _, labels = series.partition("{")
    return f"{_PART.sub('', name)}{{{_EDGE.sub('', labels)}"


def _samples(text: str) -> Iterator[tuple[str, float]]:
    """The series and the value of each line, without exemplars."""
    for line in text.splitlines():
        if not line.startswith("#"):
            series, _, value = line.partition(" # ")[0].rpartition(" ")
            yield series, float(value)
