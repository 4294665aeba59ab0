"""Send a table of requests to an application in this process, and print what its metrics have counted.

Usage: ``python -m conformance.probe FRAMEWORK``. The module ``apps/edges/FRAMEWORK_app.py`` has ``app``;
``REQUESTS`` with method, path, headers, and the status and route of each case, with alternatives of several
versions after ``|``; and ``PREFIXES``, below which paths are made up.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from tallow.monitoring.exposition import text
from tallow.monitoring.metrics import METRICS

Application = Callable[..., Awaitable[None]]
_COUNT = re.compile(r"^\w+_http_request_duration_seconds_count\{(.*)\} (\S+)$", re.MULTILINE)
_SOCKET = re.compile(r"^\w+_websocket_duration_seconds_count\{(.*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def counted() -> dict[tuple[str, str, str], float]:
    """The requests and WebSockets by their labels."""
    page = text.expose(METRICS.registry).decode()
    found = {}
    for pattern in (_COUNT, _SOCKET):
        for labels, value in pattern.findall(page):
            names = dict(_LABEL.findall(labels))
            found[names.get("method", "WS"), names["route"], names.get("status_code", "")] = float(value)
    return found


async def send(app: Application, method: str, path: str, headers: dict[str, str]) -> int:
    """The status of one request; 101 for a WebSocket, 500 for an exception."""
    kind = "websocket" if method == "WS" else "http"
    raw = [(b"host", headers.pop("host", "localhost").encode())]
    raw += [(name.encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "ws" if kind == "websocket" else "http",
        "path": path.partition("?")[0],
        "raw_path": path.partition("?")[0].encode(),
        "query_string": path.partition("?")[2].encode(),
        "root_path": "",
        "headers": raw,
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "state": {},
        "extensions": {},
    }
    if kind == "http":
        scope["method"] = method
    else:
        scope["subprotocols"] = []
    status = [0]
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": b"", "more_body": False}]
    if kind == "websocket":
        messages = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        await gone.wait()
        return {"type": "http.disconnect"}

    async def answer(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            status[0] = int(message["status"])
        if message["type"] == "http.response.body" and not message.get("more_body"):
            gone.set()  # as a server does; Quart waits for it
        if message["type"] == "websocket.accept":
            status[0] = 101
        if message["type"] == "websocket.close" and not status[0]:
            status[0] = 403

    try:
        await asyncio.wait_for(app(scope, receive, answer), 60)
    except Exception:  # of the application, as a server would see it
        return status[0] or 500
    return status[0]


async def lifespan(app: Application) -> None:
    """Start the application, as a server does."""
    started, messages = asyncio.Event(), [{"type": "lifespan.startup"}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def answer(_message: dict[str, Any]) -> None:
        started.set()

    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task: asyncio.Future[Any] = asyncio.ensure_future(app(scope, receive, answer))
    waiting: asyncio.Future[Any] = asyncio.ensure_future(started.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    KEPT.extend([task, waiting])


MARK = "RESULT "
"""Precedes the result among the log lines."""
KEPT: list[object] = []
"""Tasks that must not be collected."""


async def main(name: str) -> None:
    module = importlib.import_module(f"conformance.apps.edges.{name}_app")
    with suppress(Exception):  # a framework without lifespan
        await lifespan(module.app)
    results = {}
    for case, (method, path, headers, expected) in module.REQUESTS.items():
        before = counted()
        status = await send(module.app, method, path, dict(headers))
        new = {key for key, value in counted().items() if value != before.get(key, 0)}
        # A refused handshake is an HTTP response to a GET.
        routes = [route for counted_as, route, _ in new if counted_as == method or method == "WS"]
        results[case] = [f"{status} {' and '.join(routes)}", expected.split(" | ")]
    series = len(counted())
    for number in range(300):
        await send(module.app, "GET", f"/alice-{number}/random/{number}", {})
        for prefix in getattr(module, "PREFIXES", ()):
            await send(module.app, "GET", f"{prefix}/alice-{number}", {})
            await send(module.app, f"ALICE{number}", f"{prefix}/alice-{number}", {})
            await send(module.app, "WS", f"{prefix}/alice-{number}", {})
    page = text.expose(METRICS.registry).decode()
    print(
        MARK
        + json.dumps({"results": results, "new": len(counted()) - series, "leak": "alice" in page.lower()})
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
