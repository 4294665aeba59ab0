"""Included routers, mounted applications and routes by host in FastAPI."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.middleware.cors import CORSMiddleware

from tallow.monitoring import instrument

app = FastAPI()
sub, hosted = FastAPI(), FastAPI()
api, users, deep = APIRouter(prefix="/api"), APIRouter(), APIRouter(prefix="/deep/{level}")


@deep.get("/end/{x}")
async def end(level: str, x: str):
    return x


@users.get("/users/{user}")
@users.post("/users/{user}")
async def user(user: str):
    return user


@users.api_route("/both/{x}", methods=["GET", "PUT"])
async def both(x: str):
    return x


@users.websocket("/chat/{room}")
async def chat(websocket: WebSocket, room: str):
    await websocket.accept()
    await websocket.close()


@app.get("/direct/{x}")
async def direct(x: str):
    return x


users.include_router(deep)
api.include_router(users, prefix="/v1/{tenant}")
app.include_router(api)
app.include_router(users, prefix="/again")
sub.include_router(users, prefix="/inner")
hosted.include_router(api)
app.mount("/mounted", sub)
app.host("{tenant}.example.org", hosted)
app.add_middleware(CORSMiddleware, allow_origins=["*"])
instrument(app)

PREFLIGHT = {"origin": "http://alice.example", "access-control-request-method": "GET"}
HOST = {"host": "alice.example.org"}
REQUESTS = {
    "direct": ("GET", "/direct/alice", {}, "200 /direct/{x}"),
    "included": ("GET", "/api/v1/alice/users/alice2", {}, "200 /api/v1/{tenant}/users/{user}"),
    "included same value": ("GET", "/api/v1/alice/users/alice", {}, "200 /api/v1/{tenant}/users/{user}"),
    "included again": ("GET", "/again/users/alice", {}, "200 /again/users/{user}"),
    "included deep": (
        "GET",
        "/api/v1/alice/deep/alice2/end/alice3",
        {},
        "200 /api/v1/{tenant}/deep/{level}/end/{x}",
    ),
    "two methods": ("PUT", "/again/both/alice", {}, "200 /again/both/{x}"),
    "websocket": ("WS", "/api/v1/alice/chat/alice2", {}, "101 /api/v1/{tenant}/chat/{room}"),
    "mounted": ("GET", "/mounted/inner/users/alice", {}, "200 /mounted/inner/users/{user}"),
    "mounted deep": (
        "GET",
        "/mounted/inner/deep/alice/end/alice2",
        {},
        "200 /mounted/inner/deep/{level}/end/{x}",
    ),
    "mounted websocket": ("WS", "/mounted/inner/chat/alice2", {}, "101 /mounted/inner/chat/{room}"),
    "404 in mount": ("GET", "/mounted/alice", {}, "404 other"),
    "405 in mount": ("DELETE", "/mounted/inner/users/alice", {}, "405 /mounted/inner/users/{user}"),
    "openapi": ("GET", "/openapi.json", {}, "200 /openapi.json"),
    "openapi in mount": ("GET", "/mounted/openapi.json", {}, "200 /mounted/openapi.json"),
    "included in other host": (
        "GET",
        "/api/v1/alice/users/alice2",
        HOST,
        "200 /api/v1/{tenant}/users/{user}",
    ),
    "head": ("HEAD", "/direct/alice", {}, "405 /direct/{x}"),
    "405": ("DELETE", "/api/v1/alice/users/alice2", {}, "405 /api/v1/{tenant}/users/{user}"),
    "preflight": ("OPTIONS", "/api/v1/alice/users/alice2", PREFLIGHT, "200 /api/v1/{tenant}/users/{user}"),
    "preflight in mount": (
        "OPTIONS",
        "/mounted/inner/users/alice",
        PREFLIGHT,
        "200 /mounted/inner/users/{user}",
    ),
    "slash redirect": ("GET", "/direct/alice/", {}, "307 other"),
    "no route": ("GET", "/alice", {}, "404 other"),
}
PREFIXES = ("/mounted", "/again/users", "/direct")
