"""Raise the same exceptions with the plain SDK or the library: ``error_reports.py plain|library DSN``.

Each exception is raised twice, with other private data.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

import httpx
import sentry_sdk
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallow.monitoring import instrument
from tallow.monitoring import sentry as ours
from tallow.monitoring.settings import MonitoringSettings

OWNERS = ("alice@mail.example", "bob@mail.example")
CONTENT = "rosebud zanzibar"
"""Nothing that a scrubber could recognize: it must not leave wherever it stands."""
SESSION = "f00ba4f00ba4f00ba4"
ADDRESS = "203.0.113.9"
PRIVATE = (*OWNERS, CONTENT, SESSION, ADDRESS)


class QuotaError(RuntimeError):
    """Raised by the application."""


async def upload(request: Request) -> Response:
    body = await request.body()
    raise QuotaError(f"no room for {request.path_params['owner']}: {len(body)}")


async def lookup(request: Request) -> Response:
    try:
        return Response({}[request.path_params["owner"]])
    except KeyError as error:
        sentry_sdk.capture_exception(error)
        raise ValueError(f"unknown owner {request.path_params['owner']}") from error


async def handled(request: Request) -> Response:
    try:
        int(request.path_params["owner"])
    except ValueError:
        logging.getLogger("shop").exception("Not a number: %s", request.path_params["owner"])
    return Response("fine")


def application() -> Starlette:
    return Starlette(
        routes=[
            Route("/upload/{owner}", upload, methods=["POST"]),
            Route("/lookup/{owner}", lookup, methods=["POST"]),
            Route("/handled/{owner}", handled, methods=["POST"]),
        ]
    )


async def request_all(app: Any) -> None:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        for path in ("upload", "lookup", "handled"):
            for owner in OWNERS:
                headers = {"Cookie": f"id={SESSION}", "X-Forwarded-For": ADDRESS, "User-Agent": CONTENT}
                await client.post(f"/{path}/{owner}?by={CONTENT}", content=CONTENT, headers=headers)


def main(kind: str, dsn: str) -> None:
    if kind == "plain":
        sentry_sdk.init(dsn=dsn, release="shop@1", send_default_pii=True)
        asyncio.run(request_all(application()))
        sentry_sdk.flush(10)
    else:
        ours.init_monitoring(MonitoringSettings.load(sentry_dsn=dsn, release="shop@1"))
        asyncio.run(request_all(instrument(application())))
        for _attempt in range(10):  # a flush waits for two seconds at most, and the receiver is slow
            ours.flush(10)


if __name__ == "__main__":
    main(*sys.argv[1:])
