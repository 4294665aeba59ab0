"""The checker's web application: the webhook for Watchdog, the status page and the runbooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeGuard

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
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
    external_switch: ExternalSwitch | None = None,
    hosts: tuple[str, ...] = (),
    runbooks: RunbookPages | None = None,
) -> Starlette:
    """The checker; its pager runs during the application's lifespan.

    Args:
        password_file: the file with the password of every page except the health endpoint.
        external_switch: the external dead man's switch, if one is set.
        hosts: accepted host names besides ``localhost`` and its addresses.
        runbooks: serves the runbooks; by default the committed ones.
    """
    endpoints = _Endpoints(pager, external_switch)
    runbooks = runbooks or RunbookPages()
    return Starlette(
        routes=[
            Route("/heartbeat", endpoints.beat, methods=["POST"]),
            Route("/status", endpoints.status),
            Route(HEALTH_PATH, _healthy),
            Route("/", endpoints.home),
            Route("/style.css", pages.style),
            Route("/runbooks/", runbooks.index),
            Route("/runbooks/{name}", runbooks.page),
        ],
        middleware=[
            Middleware(
                RequestGuard,
                hosts=hosts,
                unknown_host_message="the heartbeat checker does not accept this host name",
            ),
            Middleware(BasicAuth, password_file=password_file),
        ],
        exception_handlers={ClientDisconnect: _on_disconnect},
        lifespan=endpoints.lifespan,
    )


_NO_STORE: Final = {"cache-control": "no-store"}


class _Endpoints:
    """The endpoints that read or change the state of a pager."""

    def __init__(self, pager: Pager, external_switch: ExternalSwitch | None) -> None:
        self._pager, self._switch = pager, external_switch

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        running = asyncio.create_task(self._pager.run(), name="pager")
        yield
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    async def beat(self, request: Request) -> Response:
        if _is_firing(await _payload(request)):
            self._pager.monitor.record_beat()
            if self._switch:
                self._switch.forward_beat()
        else:
            self._pager.monitor.record_resolved()
        self._pager.save()
        return PlainTextResponse("noted\n")

    async def status(self, _request: Request) -> Response:
        state = self._pager.monitor.current
        return JSONResponse(
            {
                "state": state.state,
                "since": state.since,
                "last_beat": state.last_beat,
                "undelivered": _undelivered(self._pager),
                "proxy_settings": ProxySettings.read().problems,
                "outside": self._switch.problem or "ok" if self._switch else "not set",
            },
            headers=_NO_STORE,
        )

    async def home(self, _request: Request) -> Response:
        switch_problem = self._switch.problem if self._switch else None
        proxies = ProxySettings.read().problems
        page = pages.home(self._pager.monitor.current, _undelivered(self._pager), switch_problem, proxies)
        return HTMLResponse(page, headers=_NO_STORE)


def _undelivered(pager: Pager) -> dict[str, str]:
    """Why the last delivery of each channel failed, without the external switch."""
    return {name: problem for name, problem in pager.faults.problems.items() if name != NAME}


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok\n", headers=_NO_STORE)


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    """The client has gone before the end of its body. Nobody gets the response."""
    return PlainTextResponse("the body is incomplete\n", 400)


async def _payload(request: Request) -> Mapping[str, Any]:
    """The body of Alertmanager's webhook, version 4.

    Only JSON is accepted: an HTML form of another site must not be able to reset the heartbeat timer.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "a heartbeat has the content type application/json\n")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"a heartbeat has at most {MAX_BODY} bytes\n")
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "a heartbeat is JSON\n") from None
    if not _is_webhook(payload):
        raise HTTPException(400, f"a heartbeat is Alertmanager's webhook about {ALERT}\n")
    return payload


def _is_webhook(payload: object) -> TypeGuard[Mapping[str, Any]]:
    return (
        isinstance(payload, dict)
        and payload.get("status") in ("firing", "resolved")  # not a set: a list or an object has no hash
        and _mentions_watchdog(payload)
    )


def _mentions_watchdog(payload: Mapping[str, Any]) -> bool:
    alerts = payload.get("alerts")
    return isinstance(alerts, list) and any(
        isinstance(alert, dict)
        and isinstance(alert.get("labels"), dict)
        and alert["labels"].get("alertname") == ALERT
        for alert in alerts
    )


def _is_firing(payload: Mapping[str, Any]) -> bool:
    return bool(payload["status"] == "firing")
