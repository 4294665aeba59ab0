"""A running viewer: the application in this event loop, or ``tallow viewer`` in its own process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
from starlette.types import ASGIApp

from tallow.monitoring.integrations.http_server.server import LimitedServer
from tallow.monitoring.integrations.uvicorn_config import uvicorn_config

Viewer = Callable[..., contextlib.AbstractAsyncContextManager[str]]
"""A function that runs a viewer with settings; yields its URL."""
PASSWORD = "a password for the tests"


def credentials_file(folder: Path, **more: object) -> Path:
    """A credentials file as ``tallow up`` writes it."""
    path = folder / "credentials.json"
    path.write_text(json.dumps({"viewer": {"user": "tallow", "password": PASSWORD}, **more}))
    path.chmod(0o600)
    return path


@contextlib.asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an ASGI application on a free port; yields its URL."""
    server = LimitedServer(uvicorn_config(app, port=0, log_level="warning"))
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.005)
            if task.done():
                task.result()
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def logged_in(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is logged in."""
    async with httpx.AsyncClient(base_url=url) as client:
        answer = await client.post("/login", data={"password": PASSWORD})
        assert answer.status_code == 303, answer.text
        yield client


@contextlib.contextmanager
def tallow_viewer(credentials: Path, prometheus: str, *options: str) -> Iterator[str]:
    """Run ``tallow viewer`` on a free port; yields its URL."""
    command = [sys.executable, "-m", "tallow", "viewer", "--port", "0", "--prometheus", prometheus]
    command += ["--credentials-file", str(credentials), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            announced = process.stderr.readline()
            assert announced.startswith("The dashboards are on "), announced + process.stderr.read()
            yield announced.split()[-1]
        finally:
            process.terminate()
