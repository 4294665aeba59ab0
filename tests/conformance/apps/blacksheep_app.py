"""The application in BlackSheep, with a mounted application."""

from __future__ import annotations

from blacksheep import Application, Content, Response, Router, StreamedContent, WebSocket
from blacksheep.exceptions import HTTPException

from conformance.apps import common
from tallow.monitoring import instrument

app = Application(router=Router())
inner = Application(router=Router())


async def guard(request, handler):
    if request.get_first_header(b"x-block"):
        return Response(401)
    return await handler(request)


app.middlewares.append(guard)


@app.router.get("/api/v1/items/{item}")
async def item(item: str):
    return Response(200, content=Content(b"text/plain", b"ok"))


@app.router.get("/api/v1/shops/:shop/orders/{int:order}")
async def order(shop: str, order: int):
    return Response(200)


@inner.router.get("/pages/{page}")
async def page(page: str):
    return Response(200)


@app.router.get("/files/*")
async def files():
    return Response(200)


@app.router.get("/broken/{item}")
async def broken(item: str):
    raise RuntimeError("the handler failed")


@app.router.get("/unavailable")
async def unavailable():
    raise HTTPException(503)


@app.router.get("/halfway")
async def halfway():
    return Response(200, content=StreamedContent(b"text/plain", common.broken_stream))


@app.router.get("/events")
async def events():
    return Response(200, content=StreamedContent(b"text/event-stream", common.endless_events))


@app.router.get("/release")
async def release():
    common.release.set()
    return Response(200)


@app.router.ws("/chat/{room}")
async def chat(websocket: WebSocket, room: str):
    await websocket.accept()
    while True:
        await websocket.send_text(await websocket.receive_text())


@app.router.ws("/refused/{room}")
async def refused(websocket: WebSocket, room: str):
    await websocket.close()


@app.on_start
async def start_inner(_app):
    if not inner.started:
        await inner.start()


app.mount("/mounted", inner)
instrument(app)
