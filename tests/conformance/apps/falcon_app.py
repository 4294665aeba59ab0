"""The application in Falcon."""

from __future__ import annotations

import falcon
import falcon.asgi

from conformance.apps import common
from tallow.monitoring import instrument


class Guard:
    async def process_request(self, req, resp):
        if req.get_header("x-block"):
            resp.status, resp.complete = falcon.HTTP_401, True


class Resource:
    def __init__(self, respond):
        self._respond = respond

    async def on_get(self, req, resp, **parameters):
        resp.text = "ok"
        await self._respond(resp)


class Chat:
    async def on_websocket(self, req, ws, room):
        await ws.accept()
        while True:
            await ws.send_text(await ws.receive_text())


class Refused:
    async def on_websocket(self, req, ws, room):
        await ws.close()


async def ok(resp):
    """Respond with what is set."""


async def broken(resp):
    raise RuntimeError("the handler failed")


async def unavailable(resp):
    raise falcon.HTTPServiceUnavailable


async def halfway(resp):
    resp.text, resp.stream = None, common.broken_stream()


async def background(resp):
    resp.schedule(common.wait_for_release)


async def release(resp):
    common.release.set()


async def events(resp):
    resp.content_type, resp.text, resp.stream = "text/event-stream", None, common.endless_events()


async def sink(req, resp, **parameters):
    resp.text = "ok"


app = falcon.asgi.App(middleware=[Guard()])
app.add_route("/api/v1/items/{item}", Resource(ok))
app.add_route("/api/v1/shops/{shop}/orders/{order:int}", Resource(ok))
app.add_sink(sink, "/files")
app.add_route("/broken/{item}", Resource(broken))
app.add_route("/unavailable", Resource(unavailable))
app.add_route("/halfway", Resource(halfway))
app.add_route("/background", Resource(background))
app.add_route("/release", Resource(release))
app.add_route("/events", Resource(events))
app.add_route("/chat/{room}", Chat())
app.add_route("/refused/{room}", Refused())
instrument(app)
