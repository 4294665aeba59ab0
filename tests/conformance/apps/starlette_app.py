"""The application in Starlette."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute

from conformance.apps import common
from tallow.monitoring import instrument


class Guard:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if any(name == b"x-block" for name, _ in scope.get("headers", ())):
            await PlainTextResponse("no", 401)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


async def ok(request):
    return PlainTextResponse("ok")


async def broken(request):
    raise RuntimeError("the handler failed")


async def unavailable(request):
    raise HTTPException(503)


async def halfway(request):
    return StreamingResponse(common.broken_stream())


async def background(request):
    return PlainTextResponse("ok", background=BackgroundTask(common.wait_for_release))


async def background_fails(request):
    return PlainTextResponse("ok", background=BackgroundTask(common.fail_after_response))


async def release(request):
    common.release.set()
    return PlainTextResponse("ok")


async def events(request):
    return StreamingResponse(common.endless_events(), media_type="text/event-stream")


async def chat(websocket):
    await websocket.accept()
    while True:
        await websocket.send_text(await websocket.receive_text())


async def refused(websocket):
    await websocket.close()


ROUTES = [
    Mount("/mounted/{tenant}", routes=[Route("/pages/{page}", ok)]),
    Route("/files/{path:path}", ok),
    Route("/broken/{item}", broken),
    Route("/unavailable", unavailable),
    Route("/halfway", halfway),
    Route("/background", background),
    Route("/background-fails", background_fails),
    Route("/release", release),
    Route("/events", events),
    WebSocketRoute("/chat/{room}", chat),
    WebSocketRoute("/refused/{room}", refused),
]

app = Starlette(
    routes=[
        Mount(
            "/api/v1",
            routes=[
                Route("/items/{item}", ok),
                Mount("/shops/{shop}", routes=[Route("/orders/{order:int}", ok)]),
            ],
        ),
        *ROUTES,
    ],
    middleware=[Middleware(Guard)],
)
instrument(app)
