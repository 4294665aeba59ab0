"""CPU time of a request on the server's HTTP server and on others, and which of them answer under attack.

Needs hypercorn and granian for their rows (group ``conformance``); without them the rows are left out.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import psutil

from benchmarks.paired_measurement import Row
from benchmarks.wormhole import free_port, wait_for_port

CONNECTIONS: Final = 16
REQUESTS: Final = 1000
"""Of each connection in one round."""
ROUNDS: Final = 7
DESCRIPTORS: Final = 256
SILENT: Final = 400
"""Connections of the attack: more than the server has descriptors."""
REQUEST: Final = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n"
TARGET: Final = "benchmarks.http_servers:answer"

_UVICORN: Final = "import uvicorn; uvicorn.run({target!r}, port={port}, log_level='error', http={parser!r})"
_LIMITED: Final = (
    "from benchmarks.http_servers import answer\n"
    "from tallow.monitoring.integrations.http_server.limits import ConnectionLimits\n"
    "from tallow.monitoring.integrations.uvicorn_config import run_server, uvicorn_config\n"
    "limits = ConnectionLimits(connections_per_address=100, operational_paths=frozenset({{'/api/health'}}))\n"
    "run_server(uvicorn_config(answer, limits, port={port}, log_level='error', lifespan='off'))"
)
_HYPERCORN: Final = (
    "from hypercorn.__main__ import main; main(['-b', '127.0.0.1:{port}', '-k', 'uvloop', {target!r}])"
)
_GRANIAN: Final = (
    "from granian import Granian\n"
    "if __name__ == '__main__': Granian({target!r}, port={port}, interface='asgi', log_enabled=False).serve()"
)
OURS: Final = "uvicorn with limits"
SERVERS: Final = {
    OURS: _LIMITED,
    "uvicorn, httptools": _UVICORN,
    "uvicorn, h11": _UVICORN,
    "hypercorn": _HYPERCORN,
    "granian": _GRANIAN,
}


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """The application of every server."""
    if scope["type"] != "http":
        return
    headers = [(b"content-type", b"application/json"), (b"content-length", b"15")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"status":"ok"}'})


def rows() -> list[Row]:
    """CPU time of a request; the work says which server answers a probe under attack."""
    raise_own_limit()
    costs = {name: request_cost(name) for name in SERVERS if is_installed(name)}
    answers = {name: "probe answered" if survives(name) else "probe not answered" for name in costs}
    ours = costs[OURS]
    result = []
    for name, theirs in costs.items():
        if name != OURS:
            ratios = sorted(own / other for own, other in zip(ours, theirs, strict=True))
            low, middle, high = statistics.quantiles(ratios, n=4)
            work = f"request; with {SILENT} silent connections: {answers[OURS]} / {answers[name]}"
            figures = statistics.median(ours), statistics.median(theirs)
            result.append(Row(work, name, *figures, middle, low, high, "µs"))
    return result


def is_installed(name: str) -> bool:
    """Whether a server can be imported."""
    module = name.partition(",")[0].partition(" ")[0]
    return importlib.util.find_spec(module) is not None


def raise_own_limit() -> None:
    """Allow the clients as many descriptors as the system permits."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextmanager
def running(name: str, descriptors: int | None = None) -> Iterator[tuple[int, psutil.Process]]:
    """Start a server; yields its port and process."""
    port = free_port()
    parser = "h11" if name.endswith("h11") else "httptools"
    code = SERVERS[name].format(target=TARGET, port=port, parser=parser)
    command = [sys.executable, "-c", code]
    if descriptors:
        command = ["prlimit", f"--nofile={descriptors}:{descriptors}", *command]
    process = subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((".", os.environ.get("PYTHONPATH", "")))},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port)
        yield port, psutil.Process(process.pid)
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()
        process.kill()
        process.wait()


def request_cost(name: str) -> list[float]:
    """Microseconds of the server's CPU per request, in each round after a first one."""
    found = []
    with running(name) as (port, process):
        for _ in range(ROUNDS + 1):
            before = cpu_seconds(process)
            asyncio.run(load(port))
            found.append((cpu_seconds(process) - before) / (CONNECTIONS * REQUESTS) * 1e6)
    return found[1:]


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time of a process and its children."""
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


async def load(port: int) -> None:
    """Send the requests of one round, each connection one at a time."""

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(REQUESTS):
            writer.write(REQUEST)
            await reader.readuntil(b'"ok"}')
        writer.close()

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))


def survives(name: str) -> bool:
    """Whether a probe is answered within two seconds while silent connections are held."""
    with running(name, DESCRIPTORS) as (port, _):
        return asyncio.run(probe_under_attack(port))


async def probe_under_attack(port: int) -> bool:
    """Hold silent connections and send one probe."""
    held = []
    for _ in range(SILENT):
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                held.append(await asyncio.open_connection("127.0.0.1", port))
    await asyncio.sleep(1)
    started = time.monotonic()
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(REQUEST)
            return b"200" in await reader.readuntil(b'"ok"}') and time.monotonic() - started < 2
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False
    finally:
        for _, each in held:
            each.transport.abort()
