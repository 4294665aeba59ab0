"""An instrumented application with a request that lasts until it is released."""

from __future__ import annotations

import asyncio
import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tallow.monitoring import instrument
from tallow.monitoring.health import HEALTH

HEALTH.unregister_check("memory")  # the memory of the machine must not decide a test
_release = asyncio.Event()
_waiting: list[Request] = []


async def wait(request: Request) -> PlainTextResponse:
    _waiting.append(request)
    await _release.wait()
    return PlainTextResponse("finished")


async def release(_request: Request) -> PlainTextResponse:
    _release.set()
    return PlainTextResponse("released")


async def waiting(_request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(_waiting)))


async def pid(_request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(os.getpid()))


ROUTES = {"/waiting": waiting, "/wait": wait, "/release": release, "/pid": pid}
app = instrument(Starlette(routes=[Route(path, handler) for path, handler in ROUTES.items()]))
