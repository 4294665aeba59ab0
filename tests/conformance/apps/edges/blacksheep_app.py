"""Mounts in mounts, static files, preflights, HEAD and 405 in BlackSheep."""

from __future__ import annotations

import tempfile
from pathlib import Path

from blacksheep import Application, Response, Router, WebSocket

from tallow.monitoring import instrument

folder = Path(tempfile.mkdtemp())
(folder / "alice.txt").write_text("x")
app, inner, innermost = (Application(router=Router()) for _ in range(3))


async def ok(request):
    return Response(200)


async def chat(websocket: WebSocket):
    await websocket.accept()
    await websocket.close()


app.router.add_get("/items/{item}", ok)
app.router.add_head("/items/{item}", ok)
app.router.add_get("/files/*", ok)
app.router.add_ws("/chat/{room}", chat)
inner.router.add_get("/users/{user}", ok)
innermost.router.add_get("/pages/{page}", ok)


async def raw(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@app.on_start
async def start_inner(_app):
    for one in (inner, innermost):
        if not one.started:
            await one.start()


app.serve_files(folder, root_path="static")
app.use_cors(allow_methods="*", allow_origins="*", allow_headers="*")
inner.mount("/innermost", innermost)
app.mount("/mounted", inner)
app.mount("/raw", raw)
instrument(app)

PREFLIGHT = {"origin": "http://alice.example", "access-control-request-method": "GET"}
REQUESTS = {
    "direct": ("GET", "/items/alice", {}, "200 /items/{item}"),
    "mount": ("GET", "/mounted/users/alice", {}, "200 /mounted/users/{user}"),
    "mount in mount": (
        "GET",
        "/mounted/innermost/pages/alice",
        {},
        "404 other | 200 /mounted/innermost/pages/{page}",
    ),
    "404 in mount": ("GET", "/mounted/alice", {}, "404 other"),
    "405 in mount": ("DELETE", "/mounted/users/alice", {}, "404 other"),
    "raw application": ("GET", "/raw/alice", {}, "200 /raw/*"),
    "catch-all": ("GET", "/files/alice/x", {}, "200 /files/*"),
    "static": ("GET", "/static/alice.txt", {}, "200 /static/*"),
    "static missing": ("GET", "/static/alice.none", {}, "404 /static/*"),
    "websocket": ("WS", "/chat/alice", {}, "101 /chat/{room}"),
    "websocket no route": ("WS", "/alice", {}, "403 other"),
    "head": ("HEAD", "/items/alice", {}, "200 /items/{item}"),
    "405": ("DELETE", "/items/alice", {}, "404 other"),
    "preflight": ("OPTIONS", "/items/alice", PREFLIGHT, "200 /* | 200 other"),
    "preflight no route": ("OPTIONS", "/alice", PREFLIGHT, "404 /* | 404 other"),
    "no route": ("GET", "/alice", {}, "404 other"),
}
PREFIXES = ("/mounted", "/raw", "/items", "/static")
