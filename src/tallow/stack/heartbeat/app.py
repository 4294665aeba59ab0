"""The checker's address: where Alertmanager sends Watchdog, and where people look and read runbooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tallow.monitoring.integrations.proxy import ProxySettings
from tallow.stack.heartbeat import pages
from tallow.stack.heartbeat.basic_auth import BasicAuth
from tallow.stack.heartbeat.external_switch import NAME, ExternalSwitch
from tallow.stack.heartbeat.pager import Pager
from tallow.stack.heartbeat.runbook_pages import RunbookPages
from tallow.stack.viewer.guard import HEALTH_PATH, RequestGuard

MAX_BODY: Final = 64 * 1024
ALERT: Final = "Watchdog"


def create_app(
    pager: Pager,
    password_file: Path,
    outside: ExternalSwitch | None = None,
    hosts: tuple[str, ...] = (),
    runbooks: RunbookPages | None = None,
) -> Starlette:
    """The checker; it watches as long as the application lives.

    Args:
        password_file: the password that everything but the health endpoint asks for.
        outside: the dead man's switch elsewhere, if one is set.
        hosts: names it is reached by, besides ``localhost`` and its addresses.
        runbooks: serves the runbooks; by default as they are committed.
    """

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        running = asyncio.create_task(pager.run(), name="pager")
        yield
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    async def beat(request: Request) -> Response:
        if _is_firing(await _payload(request)):
            pager.monitor.record_beat()
            if outside:
                outside.forward_beat()
        else:
            pager.monitor.record_resolved()
        pager.save()
        return PlainTextResponse("noted\n")

    async def status(_request: Request) -> Response:
        record = pager.monitor.current
        return JSONResponse(
            {
                "state": record.state,
                "since": record.since,
                "last_beat": record.last_beat,
                "undelivered": _undelivered(pager),
                "proxy_settings": ProxySettings.read().problems,
                "outside": outside.problem or "ok" if outside else "not set",
            },
            headers=_FRESH,
        )

    async def home(_request: Request) -> Response:
        said = outside.problem if outside else None
        proxies = ProxySettings.read().problems
        page = pages.home(pager.monitor.current, _undelivered(pager), said, proxies)
        return HTMLResponse(page, headers=_FRESH)

    return Starlette(
        routes=[
            Route("/heartbeat", beat, methods=["POST"]),
            Route("/status", status),
            Route(HEALTH_PATH, _healthy),
            Route("/", home),
            Route("/style.css", pages.style),
            Route("/runbooks/{name}", (runbooks or RunbookPages()).page),
        ],
        middleware=[
            Middleware(
                RequestGuard, hosts=hosts, stranger="the heartbeat checker is not reached by this host name"
            ),
            Middleware(BasicAuth, password_file=password_file),
        ],
        lifespan=lifespan,
    )


_FRESH: Final = {"cache-control": "no-store"}


def _undelivered(pager: Pager) -> dict[str, str]:
    """What keeps each channel from being told; the switch outside is shown by itself."""
    return {name: problem for name, problem in pager.faults.problems.items() if name != NAME}


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok\n", headers=_FRESH)


async def _payload(request: Request) -> Mapping[str, Any]:
    """Alertmanager's webhook, version 4; anything else is no heartbeat.

    JSON alone, which a foreign page's form cannot send: a page must not keep a dead heart beating.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "a heartbeat is application/json\n")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"a heartbeat has at most {MAX_BODY} bytes\n")
    try:
        found = json.loads(body)
    except ValueError:
        raise HTTPException(400, "a heartbeat is JSON\n") from None
    if not isinstance(found, dict) or found.get("status") not in {"firing", "resolved"} or not _names(found):
        raise HTTPException(400, f"a heartbeat is Alertmanager's webhook about {ALERT}\n")
    return found


def _names(found: Mapping[str, Any]) -> bool:
    alerts = found.get("alerts")
    return isinstance(alerts, list) and any(
        isinstance(alert, dict)
        and isinstance(alert.get("labels"), dict)
        and alert["labels"].get("alertname") == ALERT
        for alert in alerts
    )


def _is_firing(found: Mapping[str, Any]) -> bool:
    return bool(found["status"] == "firing")
