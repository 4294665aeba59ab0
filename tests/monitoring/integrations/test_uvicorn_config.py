"""The uvicorn configuration of this project's servers."""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
import textwrap

import httpx
import pytest
from starlette.applications import Starlette

from tallow.monitoring.integrations.uvicorn_config import EmbeddedServer, uvicorn_config


def test_options_replace_the_defaults() -> None:
    config = uvicorn_config(Starlette(), timeout_graceful_shutdown=2)
    assert (config.ws, config.access_log, config.server_header) == ("none", False, False)
    assert config.timeout_graceful_shutdown == 2


def test_records_with_a_client_address_are_dropped(caplog: pytest.LogCaptureFixture) -> None:
    uvicorn_config(Starlette())
    logger = logging.getLogger("uvicorn.error")
    with caplog.at_level(logging.INFO, "uvicorn.error"):
        logger.info('%s - "WebSocket %s" [accepted]', "198.51.100.7:1", "/api/signal")
        logger.info("Application startup complete.")
    assert [record.getMessage() for record in caplog.records] == ["Application startup complete."]


async def test_an_embedded_server_leaves_the_signal_handlers_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    server = EmbeddedServer(uvicorn_config(Starlette(), port=0))
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        assert signal.getsignal(signal.SIGTERM) is before
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient(trust_env=False) as client:
            response = await client.get(f"http://127.0.0.1:{port}/")
        assert response.status_code == 404
        assert "server" not in response.headers
    finally:
        server.should_exit = True
        await task


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_server_returns_0_after_a_signal(number: signal.Signals) -> None:
    code = textwrap.dedent(
        """
        import socket, sys
        from contextlib import asynccontextmanager
        from starlette.applications import Starlette
        from tallow.monitoring.integrations.uvicorn_config import run_server, uvicorn_config

        @asynccontextmanager
        async def lifespan(app):
            print("ready", flush=True)
            yield

        listener = socket.create_server(("127.0.0.1", 0))
        sys.exit(run_server(uvicorn_config(Starlette(lifespan=lifespan)), listener))
        """
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(timeout=60) == 0
