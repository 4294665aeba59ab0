"""Routes by host, mounts in them, static files, preflights, HEAD and 405 in Starlette."""

from __future__ import annotations

import tempfile
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles

from tallow.monitoring import instrument

folder = Path(tempfile.mkdtemp())
(folder / "alice.txt").write_text("x")


async def ok(request):
    return PlainTextResponse("ok")


async def raw(scope, receive, send):
    if scope["type"] == "http":
        await PlainTextResponse("ok")(scope, receive, send)


async def chat(websocket):
    await websocket.accept()
    await websocket.close()


inner = Starlette(routes=[Route("/users/{user}", ok), WebSocketRoute("/chat/{room}", chat)])
api = Router([Route("/things/{thing}", ok), Mount("/inner/{tenant}", app=inner), Route("/", ok)])
routes = [
    Host("api.example.org", app=api, name="api"),
    Host("{tenant}.example.org", app=Router([Mount("/mounted", routes=[Route("/{page}", ok)])])),
    Route("/items/{item}", ok, methods=["GET", "POST"]),
    Route("/slash/", ok),
    Mount("/static", app=StaticFiles(directory=folder)),
    Mount("/raw", app=raw),
    Mount("/sub/{tenant}", app=inner),
    WebSocketRoute("/chat/{room}", chat),
    Mount("/", app=Router([Route("/catch/{all:path}", ok)])),
]
app = Starlette(routes=routes, middleware=[Middleware(CORSMiddleware, allow_origins=["*"])])
instrument(app)

PREFLIGHT = {"origin": "http://alice.example", "access-control-request-method": "GET"}
REQUESTS = {
    "host": ("GET", "/things/alice", {"host": "api.example.org"}, "200 /things/{thing}"),
    "host root": ("GET", "/", {"host": "api.example.org"}, "200 /"),
    "host with port": ("GET", "/things/alice", {"host": "api.example.org:8000"}, "200 /things/{thing}"),
    "mount in host": (
        "GET",
        "/inner/alice/users/alice2",
        {"host": "api.example.org"},
        "200 /inner/{tenant}/users/{user}",
    ),
    "websocket in host": (
        "WS",
        "/inner/alice/chat/alice2",
        {"host": "api.example.org"},
        "101 /inner/{tenant}/chat/{room}",
    ),
    "host with parameter": ("GET", "/mounted/alice", {"host": "alice.example.org"}, "200 /mounted/{page}"),
    "404 in host": ("GET", "/alice", {"host": "api.example.org"}, "404 other"),
    "405 in host": ("DELETE", "/things/alice", {"host": "api.example.org"}, "405 /things/{thing}"),
    "mount": ("GET", "/sub/alice/users/alice2", {}, "200 /sub/{tenant}/users/{user}"),
    "mount same value": ("GET", "/sub/alice/users/alice", {}, "200 /sub/{tenant}/users/{user}"),
    "404 in mount": ("GET", "/sub/alice/none", {}, "404 other"),
    "405 in mount": ("DELETE", "/sub/alice/users/alice2", {}, "405 /sub/{tenant}/users/{user}"),
    "websocket in mount": ("WS", "/sub/alice/chat/alice2", {}, "101 /sub/{tenant}/chat/{room}"),
    "websocket": ("WS", "/chat/alice", {}, "101 /chat/{room}"),
    "root mount": ("GET", "/catch/alice/x", {}, "200 /catch/{all:path}"),
    "static": ("GET", "/static/alice.txt", {}, "200 /static/{path}"),
    "static missing": ("GET", "/static/alice.none", {}, "404 /static/{path}"),
    "static other method": ("POST", "/static/alice.txt", {}, "405 /static/{path}"),
    "raw application": ("GET", "/raw/alice", {}, "200 /raw/{path}"),
    "head": ("HEAD", "/items/alice", {}, "200 /items/{item}"),
    "405": ("DELETE", "/items/alice", {}, "404 /items/{item}"),
    "options": ("OPTIONS", "/items/alice", {}, "404 /items/{item}"),
    "preflight": ("OPTIONS", "/items/alice", PREFLIGHT, "200 /items/{item}"),
    "preflight no route": ("OPTIONS", "/alice", PREFLIGHT, "200 other"),
    "preflight in mount": ("OPTIONS", "/sub/alice/users/alice2", PREFLIGHT, "200 /sub/{tenant}/users/{user}"),
    "preflight in host": (
        "OPTIONS",
        "/things/alice",
        {**PREFLIGHT, "host": "api.example.org"},
        "200 /things/{thing}",
    ),
    "slash redirect": ("GET", "/slash", {}, "404 other"),
    "slash redirect in mount": ("GET", "/sub/alice/users/alice2/", {}, "307 other"),
    "no route": ("GET", "/alice", {}, "404 other"),
}
PREFIXES = ("/sub", "/static", "/raw", "/items")
