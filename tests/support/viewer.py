"""A running viewer: the application in this event loop, and ``tallow viewer`` as a process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import uvicorn
from starlette.types import ASGIApp

Viewer = Callable[..., contextlib.AbstractAsyncContextManager[str]]
"""Starts a viewer with settings: its address."""
PASSWORD = "a password for the tests"


def credentials_file(folder: Path, **more: object) -> Path:
    """Credentials as ``tallow up`` writes them."""
    path = folder / "credentials.json"
    path.write_text(json.dumps({"viewer": {"user": "tallow", "password": PASSWORD}, **more}))
    path.chmod(0o600)
    return path


@contextlib.asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """An ASGI application on a free port: its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", ws="none"))
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
    """A client with a session."""
    async with httpx.AsyncClient(base_url=url, timeout=10) as client:
        answer = await client.post("/login", data={"password": PASSWORD})
        assert answer.status_code == 303, answer.text
        yield client


@contextlib.contextmanager
def tallow_viewer(credentials: Path, prometheus: str, *options: str) -> Iterator[str]:
    """``tallow viewer`` as a user starts it, on a free port: its address."""
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
