"""The application in Quart: blueprints in blueprints."""

from __future__ import annotations

from quart import Blueprint, Quart, abort, current_app, request, websocket

from conformance.apps import common
from tallow.monitoring import instrument

app = Quart(__name__)
api, shops = Blueprint("api", __name__), Blueprint("shops", __name__, url_prefix="/shops/<shop>")


@app.before_request
async def guard():
    return ("no", 401) if "x-block" in request.headers else None


@api.get("/items/<item>")
async def item(item):
    return "ok"


@shops.get("/orders/<int:order>")
async def order(shop, order):
    return "ok"


@app.get("/files/<path:path>")
async def files(path):
    return "ok"


@app.get("/broken/<item>")
async def broken(item):
    raise RuntimeError("the handler failed")


@app.get("/unavailable")
async def unavailable():
    abort(503)


@app.get("/halfway")
async def halfway():
    return common.broken_stream(), 200


@app.get("/background")
async def background():
    current_app.add_background_task(common.wait_for_release)
    return "ok"


@app.get("/release")
async def release():
    common.release.set()
    return "ok"


@app.get("/events")
async def events():
    return common.endless_events(), 200, {"Content-Type": "text/event-stream"}


@app.websocket("/chat/<room>")
async def chat(room):
    while True:
        await websocket.send(await websocket.receive())


@app.websocket("/refused/<room>")
async def refused(room):
    return "no", 403


api.register_blueprint(shops)
app.register_blueprint(api, url_prefix="/api/v1")
instrument(app)
