"""Expositions of a real Tallow server, and their sizes."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections import Counter
from pathlib import Path

from support.sizing.simulated_instances import ACCEPT
from support.transfers import demo_traffic
from support.transfers.server import Client, tallow_serve
from tallow.stack.sizing.measurements import Exposition

DEMO_S = 40


async def record_server(folder: Path) -> tuple[str, str]:
    """The expositions of a real server when it has started, and after traffic of every kind."""
    async with tallow_serve(folder, LOG_LEVEL="error") as server:
        await scrape(server)  # the server registers its own /metrics route with the first
        idle = await scrape(server)
        demo = asyncio.create_task(demo_traffic.run_demo(server.url, DEMO_S, 45))
        while not demo.done():
            await demo_traffic.transfer_between_browsers(Client(url=server.url, http=server.http))
            await asyncio.wait([demo], timeout=DEMO_S / 4)
        await demo
        return idle, await scrape(server)


async def scrape(server: Client) -> str:
    return (await server.http.get("/metrics", headers={"accept": ACCEPT})).text


def measured_exposition(text: str) -> Exposition:
    samples = sum(not line.startswith("#") for line in text.splitlines())
    return Exposition(samples, len(text.encode()), len(gzip.compress(text.encode(), 6)))


def samples_by_name(text: str) -> dict[str, int]:
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return dict(sorted(Counter(re.split(r"[{ ]", line)[0] for line in lines).items()))


def registered_values(text: str) -> dict[str, int]:
    """The number of values of each label, over all metrics."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            for label, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', line.partition(" # ")[0]):
                found.setdefault(label, set()).add(value)
    return {label: len(values) for label, values in sorted(found.items())}
