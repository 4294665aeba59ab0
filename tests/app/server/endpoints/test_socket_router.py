"""Sockets are called without Starlette's layers, and are routed as before everywhere else."""

from __future__ import annotations

import gc
import inspect
from pathlib import Path
from types import CoroutineType
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute
from starlette.types import ASGIApp, Message
from starlette.websockets import WebSocket

from support.transfers.server import serving
from tallow.app.server.endpoints.socket_router import SocketApplication


async def count_layers(websocket: WebSocket) -> None:
    await websocket.accept()
    route = websocket.scope.get("route")
    await websocket.send_text(f"{_starlette_frames()} {route.path if route else ''}")
    await websocket.close()


def _starlette_frames() -> int:
    """Calls of Starlette that wait for this endpoint."""
    frame = inspect.currentframe()
    count = 0
    while frame is not None:
        count += frame.f_globals.get("__name__", "").startswith(("starlette.routing", "starlette.middleware"))
        frame = frame.f_back
    return count


def application() -> SocketApplication:
    return SocketApplication(routes=[WebSocketRoute("/layers", count_layers)])


async def messages_of(app: ASGIApp, path: str) -> list[Message]:
    """What an application sends on a WebSocket that a client opens."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": path, "root_path": "", "headers": [], "query_string": b""}
    await app(scope, receive, send)
    return sent


async def test_a_socket_is_called_without_starlettes_layers() -> None:
    sent = await messages_of(application(), "/layers")
    assert [message.get("text") for message in sent] == [None, "0 /layers", None]


async def test_below_a_mount_the_route_serves_the_socket() -> None:
    sent = await messages_of(Starlette(routes=[Mount("/below", app=application())]), "/below/layers")
    assert int(sent[1]["text"].split()[0]) > 0


async def test_other_paths_are_refused() -> None:
    assert [message["type"] for message in await messages_of(application(), "/other")] == ["websocket.close"]


def websocket_scopes(port: int) -> list[dict[str, Any]]:
    """The scopes of the WebSockets of the server on a port."""
    # isinstance() would ask dead weak references for their class.
    found = [each for each in gc.get_objects() if type(each) is dict and each.get("type") == "websocket"]
    return [each for each in found if each.get("server") == ("127.0.0.1", port)]


def names_of_coroutines() -> list[str]:
    """Names of the coroutines that have not ended."""
    waiting = [each for each in gc.get_objects() if type(each) is CoroutineType and each.cr_frame]
    return [each.__qualname__ for each in waiting]


async def test_an_idle_peer_keeps_no_headers_and_no_layer(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        sender, receiver = await server.pair()
        port = int(server.url.rpartition(":")[2])
        gc.collect()
        assert [scope["headers"] for scope in websocket_scopes(port)] == [[], []]
        waiting = names_of_coroutines()
        assert "SignalingSession.run" in waiting
        assert not [name for name in waiting if name.endswith(("wrapped_app", "Route.handle"))]
        for peer in (sender, receiver):
            await peer.socket.close()
