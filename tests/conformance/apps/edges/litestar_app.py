"""Mounted applications, prefixes, static files, preflights, HEAD and 405 in Litestar."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from litestar import Litestar, Router, WebSocket, asgi, get, head, post, websocket
from litestar.config.cors import CORSConfig
from litestar.controller import Controller
from litestar.static_files import StaticFilesConfig
from litestar.types import Receive, Scope, Send

from tallow.monitoring import instrument

folder = Path(tempfile.mkdtemp())
(folder / "alice.txt").write_text("x")


@asgi("/raw", is_mount=True)
async def raw(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@asgi("/exact")
async def exact(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@get(["/items/{item:str}", "/things/{item:int}"])
async def item(item: str) -> str:
    return item


@post("/items/{item:str}")
async def change(item: str) -> str:
    return item


@head("/head/{item:str}")
async def only_head(item: str) -> None:
    return None


class Shop(Controller):
    path = "/shops/{shop:str}"

    @get("/orders/{order:int}")
    async def order(self, shop: str, order: int) -> str:
        return "ok"

    @get("/")
    async def root(self, shop: str) -> str:
        return "ok"


@websocket("/chat/{room:str}")
async def chat(socket: WebSocket[Any, Any, Any], room: str) -> None:
    await socket.accept()
    await socket.close()


app = Litestar(
    [
        Router("/api/{tenant:str}", route_handlers=[Router("/v1", route_handlers=[Shop, item])]),
        *(raw, exact, item, change, only_head, chat),
    ],
    cors_config=CORSConfig(allow_origins=["*"]),
    static_files_config=[StaticFilesConfig(directories=[folder], path="/static")],
)
instrument(app)

PREFLIGHT = {"origin": "http://alice.example", "access-control-request-method": "GET"}
REQUESTS = {
    "prefix": (
        "GET",
        "/api/alice/v1/shops/alice2/orders/7",
        {},
        "200 /api/{tenant}/v1/shops/{shop}/orders/{order}",
    ),
    "prefix root": ("GET", "/api/alice/v1/shops/alice2", {}, "200 /api/{tenant}/v1/shops/{shop}"),
    "two paths": ("GET", "/things/7", {}, "400 /things/{item}"),
    "wrong type": ("GET", "/things/alice", {}, "404 other"),
    "mount": ("GET", "/raw/alice/x", {}, "200 /raw/{path}"),
    "mount root": ("GET", "/raw", {}, "200 /raw/{path}"),
    "exact application": ("GET", "/exact", {}, "200 /exact"),
    "below exact application": ("GET", "/exact/alice", {}, "404 other"),
    "static": ("GET", "/static/alice.txt", {}, "200 /static/{path}"),
    "static missing": ("GET", "/static/alice.none", {}, "404 /static/{path}"),
    "schema": ("GET", "/schema/openapi.json", {}, "200 /schema/openapi.json"),
    "websocket": ("WS", "/chat/alice", {}, "101 /chat/{room}"),
    "head": ("HEAD", "/head/alice", {}, "200 /head/{item}"),
    "head of a get": ("HEAD", "/items/alice", {}, "405 /items/{item}"),
    "options": ("OPTIONS", "/items/alice", {}, "204 /items/{item}"),
    "405": ("DELETE", "/items/alice", {}, "405 /items/{item}"),
    "preflight": ("OPTIONS", "/items/alice", PREFLIGHT, "204 /items/{item}"),
    "preflight no route": ("OPTIONS", "/alice", PREFLIGHT, "204 other | 404 other"),
    "no route": ("GET", "/alice", {}, "404 other"),
}
PREFIXES = ("/raw", "/items", "/static", "/api")
