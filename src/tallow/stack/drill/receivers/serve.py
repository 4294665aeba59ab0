"""Serve an ASGI application on loopback, in this event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from tallow.monitoring.integrations.uvicorn_config import EmbeddedServer, uvicorn_config


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncIterator[int]:
    """The application on loopback: its port.

    Raises:
        OSError: the port is taken.
    """
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    server = EmbeddedServer(uvicorn_config(app, lifespan="off", log_level="error"))
    task = asyncio.create_task(server.serve([listener]), name="receivers")
    try:
        while not server.started:
            if task.done():
                task.result()
            await asyncio.sleep(0.01)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
