"""Subdomains, static files, automatic OPTIONS and HEAD, and 405 in Quart."""

from __future__ import annotations

import tempfile
from pathlib import Path

from quart import Blueprint, Quart, Response, request, websocket

from tallow.monitoring import instrument

folder = Path(tempfile.mkdtemp())
(folder / "alice.txt").write_text("x")
app = Quart(__name__, static_folder=str(folder), static_url_path="/static")
outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__, url_prefix="/<tenant>")


@app.before_request
async def preflight():
    if request.method == "OPTIONS" and "origin" in request.headers:
        return Response(status=200)
    return None


@app.get("/items/<item>")
async def item(item):
    return "ok"


@app.get("/slash/")
async def slash():
    return "ok"


@inner.route("/users/<user>", methods=["GET", "POST"])
async def user(tenant, user):
    return "ok"


@app.route("/any/<any(ann, bob):name>/<uuid:number>")
async def anything(name, number):
    return "ok"


@app.websocket("/chat/<room>")
async def chat(room):
    await websocket.accept()
    await websocket.close(1000)


outer.register_blueprint(inner)
app.register_blueprint(outer, url_prefix="/api")
instrument(app)

PREFLIGHT = {"origin": "http://alice.example", "access-control-request-method": "GET"}
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
REQUESTS = {
    "direct": ("GET", "/items/alice", {}, "200 /items/<item>"),
    "blueprints": ("GET", "/api/alice/users/alice2", {}, "200 /api/<tenant>/users/<user>"),
    "converters": ("GET", f"/any/ann/{UUID}", {}, "200 /any/<any(ann, bob):name>/<uuid:number>"),
    "wrong converter": ("GET", "/any/alice/alice", {}, "404 other"),
    "static": ("GET", "/static/alice.txt", {}, "200 /static/<path:filename>"),
    "static missing": ("GET", "/static/alice.none", {}, "404 /static/<path:filename>"),
    "slash redirect": ("GET", "/slash", {}, "308 other"),
    "websocket": ("WS", "/chat/alice", {}, "101 /chat/<room>"),
    "websocket no route": ("WS", "/alice", {}, "403 other"),
    "head": ("HEAD", "/items/alice", {}, "200 /items/<item>"),
    "405": ("DELETE", "/items/alice", {}, "405 /items/<item>"),
    "options": ("OPTIONS", "/items/alice", {}, "200 /items/<item>"),
    "preflight": ("OPTIONS", "/items/alice", PREFLIGHT, "200 /items/<item>"),
    "preflight no route": ("OPTIONS", "/alice", PREFLIGHT, "200 other"),
    "no route": ("GET", "/alice", {}, "404 other"),
}
PREFIXES = ("/items", "/static", "/any", "/api")
