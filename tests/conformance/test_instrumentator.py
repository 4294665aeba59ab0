"""Our ``route`` label is the ``handler`` label of prometheus-fastapi-instrumentator for the same request."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest

from conformance.cases import REQUESTS, ROUTES
from conformance.servers import Running, serve

pytestmark = pytest.mark.integration

DIFFERENCES: Mapping[str, tuple[str, str]] = MappingProxyType({})
"""By case: its handler label, and the reason for which our route label is another one."""
NO_TEMPLATE = "none"
_SAMPLE = re.compile(
    r'^http_requests_total\{handler="([^"]*)",method="([^"]*)",status="([^"]*)"\} (\S+)', re.MULTILINE
)


async def handlers(server: Running) -> Counter[str]:
    """The requests that the instrumentator has counted, by handler."""
    counted: Counter[str] = Counter()
    for handler, _, _, value in _SAMPLE.findall((await server.client.get("/peer-metrics")).text):
        if handler != "/peer-metrics":
            counted[handler] += int(float(value))
    return counted


async def routes(server: Running) -> Counter[str]:
    """The requests that we have counted, by route."""
    counted: Counter[str] = Counter()
    for (_, route, _), value in (await server.answered()).items():
        if route != "/peer-metrics":
            counted[route] += int(value)
    return counted


async def labels_of(server: Running, case: str) -> tuple[str, str]:
    """Send the request of a case; return its handler and its route."""
    request = REQUESTS[case]
    before = await handlers(server), await routes(server)
    with suppress(httpx.RemoteProtocolError):  # a broken stream ends the connection
        headers = {"connection": "close", **request.headers}
        await server.client.request(request.method, request.path, headers=headers)
    async with asyncio.timeout(60):  # a server may finish its side after the client
        while True:
            handler, route = await handlers(server) - before[0], await routes(server) - before[1]
            if handler and route:
                break
            await asyncio.sleep(0.02)
    assert handler.total() == route.total() == 1
    return next(iter(handler)), next(iter(route))


async def test_routes_are_the_handlers_of_the_instrumentator(tmp_path: Path) -> None:
    found: dict[str, tuple[str, str]] = {}
    async with serve("instrumentator", tmp_path) as server:
        for case in ROUTES["fastapi"]:
            found[case] = await labels_of(server, case)
    assert {case: route for case, (_, route) in found.items()} == ROUTES["fastapi"]
    compared = {case: labels for case, labels in found.items() if labels[0] != NO_TEMPLATE}
    assert {"item", "nested", "path", "mount"} <= compared.keys() | DIFFERENCES.keys()
    different = {case: handler for case, (handler, route) in compared.items() if handler != route}
    assert different == {case: handler for case, (handler, _) in DIFFERENCES.items()}
