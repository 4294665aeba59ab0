"""The application in Litestar."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, MediaType, Request, Response, Router, WebSocket, get, websocket
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import HTTPException
from litestar.response import Stream

from conformance.apps import common
from tallow.monitoring import instrument


def guard(request: Request[Any, Any, Any]) -> Response[str] | None:
    return Response("no", status_code=401) if "x-block" in request.headers else None


@get("/items/{item:str}")
async def item(item: str) -> str:
    return item


@get("/orders/{order:int}")
async def order(shop: str, order: int) -> str:
    return "ok"


@get("/files/{path:path}")
async def files(path: str) -> str:
    return "ok"


@get("/broken/{item:str}")
async def broken(item: str) -> str:
    raise RuntimeError("the handler failed")


@get("/unavailable")
async def unavailable() -> str:
    raise HTTPException(status_code=503)


@get("/halfway")
async def halfway() -> Stream:
    return Stream(common.broken_stream())


@get("/background")
async def background() -> Response[str]:
    task = BackgroundTask(common.wait_for_release)
    return Response("ok", media_type=MediaType.TEXT, background=task)


@get("/release")
async def release() -> str:
    common.release.set()
    return "ok"


@get("/events")
async def events() -> Stream:
    return Stream(common.endless_events(), media_type="text/event-stream")


@websocket("/chat/{room:str}")
async def chat(socket: WebSocket[Any, Any, Any], room: str) -> None:
    await socket.accept()
    while True:
        await socket.send_text(await socket.receive_text())


@websocket("/refused/{room:str}")
async def refused(socket: WebSocket[Any, Any, Any], room: str) -> None:
    await socket.close()


shops = Router("/shops/{shop:str}", route_handlers=[order])
version = Router("/v1", route_handlers=[item, shops])
app = Litestar(
    [
        Router("/api", route_handlers=[version]),
        files,
        broken,
        unavailable,
        halfway,
        background,
        release,
        events,
        chat,
        refused,
    ],
    before_request=guard,
    openapi_config=None,
)
instrument(app)
