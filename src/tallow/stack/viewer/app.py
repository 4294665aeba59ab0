"""The viewer put together as one ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tallow.stack.viewer import proxy, queries
from tallow.stack.viewer.assets import STATIC, Assets
from tallow.stack.viewer.boards import Board
from tallow.stack.viewer.credentials import Credentials
from tallow.stack.viewer.guard import HEALTH, Guard
from tallow.stack.viewer.login import LoginPage, refuse_strangers
from tallow.stack.viewer.queries import RefusedError
from tallow.stack.viewer.sessions import Door, Sessions
from tallow.stack.viewer.upstream import TIMEOUT_S, Upstream

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, kw_only=True)
class ViewerSettings:
    """Where the viewer's parts are.

    Attributes:
        prometheus: address of Prometheus.
        alertmanager: address of Alertmanager; without one only Prometheus's view of alerts is shown.
        hosts: names the viewer is reached by, besides ``localhost`` and its addresses.
        timeout: seconds a question may take.
    """

    prometheus: str
    alertmanager: str | None = None
    hosts: Iterable[str] = ()
    timeout: float = TIMEOUT_S
    static: Path = field(default=STATIC)


def create_app(settings: ViewerSettings, credentials: Credentials, boards: Mapping[str, Board]) -> Starlette:
    """The viewer: the login page and the scripts to anybody, dashboards and data to who is logged in."""
    servers: dict[str, Upstream] = {}
    page = LoginPage(Door(credentials.viewer.password), Sessions(), credentials.viewer.user)
    assets = Assets(settings.static)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        wanted = {
            "Prometheus": (settings.prometheus, credentials.prometheus),
            "Alertmanager": (settings.alertmanager, credentials.alertmanager),
        }
        for name, (url, login) in wanted.items():
            if url:
                servers[name] = Upstream(name, url, login, timeout=settings.timeout)
        yield
        for server in servers.values():
            await server.close()

    private = [
        *proxy.routes("/api/prometheus", "api/v1/", queries.PROMETHEUS, lambda: servers.get("Prometheus")),
        *proxy.routes(
            "/api/alertmanager", "api/v2/", queries.ALERTMANAGER, lambda: servers.get("Alertmanager")
        ),
        Route("/api/dashboards", _listing(boards)),
        Route("/api/dashboards/{uid}", _board(boards)),
    ]
    return Starlette(
        routes=[
            *(_within_a_session(route, page) for route in private),
            Route("/login", page.show),
            Route("/login", page.enter, methods=["POST"]),
            Route("/login.css", page.style),
            Route("/logout", page.leave, methods=["POST"]),
            Route(HEALTH, _healthy),
            *(Route(path, _shown(assets, page)) for path in ("/", "/d/{uid}", "/d/{uid}/{slug}")),
            Route("/{path:path}", assets.file),
        ],
        middleware=[Middleware(Guard, hosts=settings.hosts)],
        exception_handlers={RefusedError: _on_refusal},
        lifespan=lifespan,
    )


def _within_a_session(route: Route, page: LoginPage) -> Route:
    endpoint: Endpoint = route.endpoint

    async def guarded(request: Request) -> Response:
        refuse_strangers(page, request)
        return await endpoint(request)

    return Route(route.path, guarded, methods=list(route.methods or ["GET"]))


def _shown(assets: Assets, page: LoginPage) -> Endpoint:
    async def shown(request: Request) -> Response:
        return await assets.page(request) if page.known(request) else page.ask(request)

    return shown


def _listing(boards: Mapping[str, Board]) -> Endpoint:
    listed = [{"uid": uid, "title": board["title"]} for uid, board in boards.items()]

    async def listing(_request: Request) -> Response:
        return JSONResponse(listed, headers={"cache-control": "no-store"})

    return listing


def _board(boards: Mapping[str, Board]) -> Endpoint:
    async def board(request: Request) -> Response:
        found = boards.get(request.path_params["uid"])
        if found is None:
            raise RefusedError(404, "there is no such dashboard")
        return JSONResponse(found, headers={"cache-control": "no-store"})

    return board


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok\n", headers={"cache-control": "no-store"})


async def _on_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return proxy.refusal(error.status, error.message)
