"""An exception that nobody handled is one event, marked as unhandled; a captured or logged one is handled."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import sentry_sdk
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallow.monitoring import instrument
from tallow.monitoring import sentry as ours
from tallow.monitoring.testing import FakeSentry

Start = Callable[..., None]


class BrokenError(RuntimeError):
    """Raised by the application."""


async def fail(_request: Request) -> Response:
    raise BrokenError("nobody handles this")


async def bare(_scope: Any, _receive: Any, _send: Any) -> None:
    raise BrokenError("nobody handles this")


async def passing(request: Request, following: Any) -> Response:
    response: Response = await following(request)
    return response


def with_middleware() -> Starlette:
    return Starlette(
        routes=[Route("/", fail)], middleware=[Middleware(BaseHTTPMiddleware, dispatch=passing)] * 2
    )


async def get(app: Any) -> None:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://tallow") as client:
        await client.get("/")


def mechanisms(server: FakeSentry) -> list[tuple[str, bool]]:
    ours.flush(10)
    errors = [event["exception"]["values"][-1] for event in server.payloads("event") if "exception" in event]
    return [(error["mechanism"]["type"], error["mechanism"]["handled"]) for error in errors]


@pytest.mark.parametrize(
    ("app", "mechanism"),
    [
        (lambda: Starlette(routes=[Route("/", fail)]), "starlette"),
        (with_middleware, "starlette"),
        (lambda: bare, "asgi"),
    ],
    ids=["starlette", "middleware", "no framework"],
)
async def test_an_exception_of_an_application_is_one_unhandled_event(
    start: Start, server: FakeSentry, app: Callable[[], Any], mechanism: str
) -> None:
    start()
    await get(instrument(app()))
    assert mechanisms(server) == [(mechanism, False)]
    assert server.rejections == []


async def test_a_server_that_logs_the_exception_too_does_not_double_it(
    start: Start, server: FakeSentry
) -> None:
    app = instrument(Starlette(routes=[Route("/", fail)]))

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except BrokenError:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
            raise

    start()
    await get(serve)
    assert mechanisms(server) == [("starlette", False)]


def test_captured_and_logged_exceptions_are_handled(start: Start, server: FakeSentry) -> None:
    start()
    for report in (sentry_sdk.capture_exception, logging.getLogger("app").exception):
        try:
            raise BrokenError("somebody handles this")
        except BrokenError as error:
            report(error)
    assert mechanisms(server) == [("generic", True), ("logging", True)]


async def test_a_request_with_an_unhandled_exception_is_a_crashed_session(
    start: Start, server: FakeSentry
) -> None:
    async def fine(_request: Request) -> Response:
        return Response("fine")

    start()
    await get(instrument(Starlette(routes=[Route("/", fail)])))
    await get(instrument(Starlette(routes=[Route("/", fine)])))
    ours.close(10)
    counts: dict[str, int] = {}
    for sessions in server.payloads("sessions"):
        assert sessions["attrs"] == {"release": "tallow@1.2.3", "environment": "production"}
        for bucket in sessions["aggregates"]:
            for status in ("exited", "errored", "crashed"):
                counts[status] = counts.get(status, 0) + bucket.get(status, 0)
    assert counts == {"exited": 1, "errored": 0, "crashed": 1}


ENDS = {
    "excepthook": "raise RuntimeError('nobody handles this')",
    "threading": "thread = threading.Thread(target=fail); thread.start(); thread.join()",
}


@pytest.mark.parametrize("mechanism", ENDS)
def test_an_exception_that_ends_a_program_or_a_thread_is_one_unhandled_event(
    server: FakeSentry, mechanism: str
) -> None:
    program = f"""if True:
        import threading
        from tallow.monitoring.logging import logger
        from tallow.monitoring.sentry import init_monitoring
        def fail():
            raise RuntimeError('nobody handles this')
        init_monitoring()
        logger.info('ready')
        {ENDS[mechanism]}
    """
    environment = os.environ | {"SENTRY_DSN": server.dsn}
    subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=False, timeout=60
    )
    assert mechanisms(server) == [(mechanism, False)]
