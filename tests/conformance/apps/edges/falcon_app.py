"""Static routes, sinks, preflights, HEAD and 405 in Falcon."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import falcon
import falcon.asgi

from tallow.monitoring import instrument

folder = Path(tempfile.mkdtemp())
(folder / "alice.txt").write_text("x")


class Item:
    async def on_get(self, req, resp, **parameters):
        resp.text = "ok"

    async def on_head(self, req, resp, **parameters):
        resp.text = ""

    async def on_websocket(self, req, ws, **parameters):
        await ws.accept()
        await ws.close()


async def sink(req, resp, **parameters):
    resp.text = "ok"


app = falcon.asgi.App(cors_enable=True)
app.add_route("/items/{item}", Item())
app.add_route("/a/{x}-{y}/b.{ext}", Item())
app.add_route("/suffix/{item}", Item())
app.add_static_route("/static", str(folder))
app.add_static_route("/fallback/", str(folder), fallback_filename="alice.txt")
app.add_sink(sink, "/sink")
app.add_sink(sink, re.compile(r"/users/(?P<user>[^/]+)/(?P<rest>.*)"))
app.add_sink(sink, r"/orders/\d{1,5}$")
instrument(app)

PREFLIGHT = {"origin": "http://alice.example", "access-control-request-method": "GET"}
REQUESTS = {
    "direct": ("GET", "/items/alice", {}, "200 /items/{item}"),
    "parts of segments": ("GET", "/a/alice-alice2/b.alice3", {}, "200 /a/{x}-{y}/b.{ext}"),
    "static": ("GET", "/static/alice.txt", {}, "200 /static/{path}"),
    "static missing": ("GET", "/static/alice.none", {}, "404 /static/{path}"),
    "static fallback": ("GET", "/fallback/alice.none", {}, "200 /fallback/{path}"),
    "sink": ("GET", "/sink/alice/x", {}, "200 /sink/{path}"),
    "sink root": ("GET", "/sink", {}, "200 /sink/{path}"),
    "sink without slash": ("GET", "/sinkalice", {}, "200 /sink/{path}"),
    "sink with groups": ("GET", "/users/alice/alice2/x", {}, "200 /users/<user>/<rest>/{path}"),
    "sink regex": ("GET", "/orders/123", {}, "200 /orders/<char>"),
    "sink post": ("POST", "/sink/alice", {}, "200 /sink/{path}"),
    "websocket": ("WS", "/items/alice", {}, "101 /items/{item}"),
    "websocket no route": ("WS", "/alice", {}, "403 other"),
    "head": ("HEAD", "/items/alice", {}, "200 /items/{item}"),
    "405": ("DELETE", "/items/alice", {}, "405 /items/{item}"),
    "options": ("OPTIONS", "/items/alice", {}, "200 /items/{item}"),
    "preflight": ("OPTIONS", "/items/alice", PREFLIGHT, "200 /items/{item}"),
    "preflight no route": ("OPTIONS", "/alice", PREFLIGHT, "404 other"),
    "preflight of a sink": ("OPTIONS", "/sink/alice", PREFLIGHT, "200 /sink/{path}"),
    "no route": ("GET", "/alice", {}, "404 other"),
}
PREFIXES = ("/items", "/static", "/sink", "/users", "/orders")
