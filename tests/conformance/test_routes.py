"""Routes, streams, WebSockets, background tasks and disconnects, on every framework and server."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.cases import BACKGROUND, BACKGROUND_FAILS, CHAT, REFUSAL_FAILS, ROUTES, UNSUPPORTED
from conformance.requests import (
    check_background,
    check_disconnect,
    check_failing_background,
    check_refused_websocket,
    check_routes,
    check_stream,
    check_websocket,
)
from conformance.servers import COMMANDS, serve

pytestmark = pytest.mark.integration

OTHER_SERVERS = sorted(COMMANDS.keys() - {"uvicorn"})


async def check_all(framework: str, folder: Path, server: str, env: str) -> None:
    """The whole table with one running server. Errors are counted last: some requests cause them."""
    async with serve(framework, folder, server, env) as running:
        await check_disconnect(running)
        await check_stream(running)
        if (framework, server) in REFUSAL_FAILS:
            await check_refused_websocket(running, framework)
        elif framework in CHAT:
            await check_websocket(running, framework)
        if framework in BACKGROUND:
            await check_background(running, framework)
        if framework in BACKGROUND_FAILS:
            await check_failing_background(running, framework)
    async with serve(framework, folder, server, env) as running:
        await check_routes(running, framework)


@pytest.mark.parametrize("framework", ROUTES)
async def test_every_framework_on_uvicorn(framework: str, tmp_path: Path) -> None:
    await check_all(framework, tmp_path, "uvicorn", "frameworks")


@pytest.mark.parametrize("server", OTHER_SERVERS)
async def test_one_application_on_every_server(server: str, tmp_path: Path) -> None:
    await check_all("starlette", tmp_path, server, "frameworks")


@pytest.mark.proof
@pytest.mark.parametrize("env", ["frameworks", "frameworks-oldest"])
@pytest.mark.parametrize("server", sorted(COMMANDS))
@pytest.mark.parametrize("framework", ROUTES)
async def test_every_framework_on_every_server(framework: str, server: str, env: str, tmp_path: Path) -> None:
    if reason := UNSUPPORTED.get((framework, server, env)):
        pytest.skip(reason)
    await check_all(framework, tmp_path, server, env)
