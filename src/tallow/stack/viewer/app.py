"""The viewer as one ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from tallow.stack.viewer import allowlist, proxy
from tallow.stack.viewer.allowlist import RequestRefusedError
from tallow.stack.viewer.assets import STATIC, Assets
from tallow.stack.viewer.credentials import Credentials
from tallow.stack.viewer.dashboards import Dashboard, UnavailableDashboard, unavailable_dashboards
from tallow.stack.viewer.guard import HEALTH_PATH, RequestGuard
from tallow.stack.viewer.login import LoginPage, require_session
from tallow.stack.viewer.login_failures import LoginFailures
from tallow.stack.viewer.metrics import METRICS_PATH, metrics_endpoint, viewer_registry
from tallow.stack.viewer.sessions import PasswordCheck, Sessions
from tallow.stack.viewer.upstream import TIMEOUT_S, Upstream

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, kw_only=True)
class ViewerSettings:
    """Addresses and limits of the viewer.

    Attributes:
        prometheus: address of Prometheus.
        alertmanager: address of Alertmanager; without one, silences are not shown.
        hosts: accepted host names besides ``localhost`` and its addresses.
        timeout: seconds that a request to a server may take.
        metrics_token: bearer token of ``/metrics``; without one it answers only this machine.
    """

    prometheus: str
    alertmanager: str | None = None
    hosts: Iterable[str] = ()
    timeout: float = TIMEOUT_S
    static: Path = field(default=STATIC)
    metrics_token: str | None = field(default=None, repr=False)


def create_app(
    settings: ViewerSettings,
    credentials: Credentials,
    boards: Mapping[str, Dashboard],
    unavailable: Iterable[UnavailableDashboard] | None = None,
) -> Starlette:
    """The viewer. The login page and the scripts are public; dashboards and data need a session.

    Its metrics are in ``app.state.registry``.

    Args:
        settings: addresses and limits.
        credentials: the logins of the viewer and of the servers.
        boards: the dashboards, by uid.
        unavailable: dashboards that cannot be drawn; by default those that Tallow ships.
    """
    servers: dict[str, Upstream] = {}
    registry = viewer_registry()
    failures = LoginFailures(registry)
    page = LoginPage(
        PasswordCheck(credentials.viewer.password), Sessions(), credentials.viewer.user, failures
    )
    missing = {
        board.uid: board for board in (unavailable_dashboards() if unavailable is None else unavailable)
    }
    assets = Assets(settings.static)

    private = [
        *proxy.routes("/api/prometheus", "api/v1/", allowlist.PROMETHEUS, lambda: servers.get("Prometheus")),
        *proxy.routes(
            "/api/alertmanager", "api/v2/", allowlist.ALERTMANAGER, lambda: servers.get("Alertmanager")
        ),
        Route("/api/dashboards", _listing(boards)),
        Route("/api/dashboards/{uid}", _board(boards, missing)),
        Route("/api/unavailable-dashboards", _unavailable(missing.values())),
    ]
    app = Starlette(
        routes=[
            *(_with_session(route, page) for route in private),
            Route("/login", page.show),
            Route("/login", page.log_in, methods=["POST"]),
            Route("/login.css", page.style),
            Route("/logout", page.log_out, methods=["POST"]),
            Route(HEALTH_PATH, _healthy),
            Route(METRICS_PATH, metrics_endpoint(registry, settings.metrics_token)),
            *(Route(path, _page(assets, page)) for path in ("/", "/d/{uid}", "/d/{uid}/{slug}")),
            Route("/{path:path}", assets.file),
        ],
        middleware=[
            Middleware(RequestGuard, hosts=settings.hosts, on_refusal=_count_refused_logins(failures))
        ],
        exception_handlers={RequestRefusedError: _on_refusal, ClientDisconnect: _on_disconnect},
        lifespan=_upstreams(settings, credentials, servers),
    )
    app.state.registry = registry
    return app


def _upstreams(
    settings: ViewerSettings, credentials: Credentials, servers: dict[str, Upstream]
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """A lifespan that keeps the clients of Prometheus and Alertmanager in ``servers``."""
    wanted = {
        "Prometheus": (settings.prometheus, credentials.prometheus),
        "Alertmanager": (settings.alertmanager, credentials.alertmanager),
    }

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        for name, (url, login) in wanted.items():
            if url:
                servers[name] = Upstream(name, url, login, timeout=settings.timeout)
        yield
        for server in servers.values():
            await server.close()

    return lifespan


def _with_session(route: Route, page: LoginPage) -> Route:
    endpoint: Endpoint = route.endpoint

    async def guarded(request: Request) -> Response:
        require_session(page, request)
        return await endpoint(request)

    return Route(route.path, guarded, methods=list(route.methods or ["GET"]))


def _page(assets: Assets, page: LoginPage) -> Endpoint:
    async def show(request: Request) -> Response:
        return await assets.page(request) if page.is_logged_in(request) else page.redirect_to_login(request)

    return show


def _listing(boards: Mapping[str, Dashboard]) -> Endpoint:
    listed = [{"uid": uid, "title": board["title"]} for uid, board in boards.items()]

    async def listing(_request: Request) -> Response:
        return JSONResponse(listed, headers={"cache-control": "no-store"})

    return listing


def _board(boards: Mapping[str, Dashboard], missing: Mapping[str, UnavailableDashboard]) -> Endpoint:
    async def board(request: Request) -> Response:
        uid = request.path_params["uid"]
        found = boards.get(uid)
        if found is None:
            raise RequestRefusedError(
                404, missing[uid].reason if uid in missing else "there is no such dashboard"
            )
        return JSONResponse(found, headers={"cache-control": "no-store"})

    return board


def _unavailable(missing: Iterable[UnavailableDashboard]) -> Endpoint:
    listed = [{"uid": board.uid, "title": board.title, "reason": board.reason} for board in missing]

    async def unavailable(_request: Request) -> Response:
        return JSONResponse(listed, headers={"cache-control": "no-store"})

    return unavailable


def _count_refused_logins(failures: LoginFailures) -> Callable[[Scope], None]:
    def count(scope: Scope) -> None:
        if scope["path"] == "/login" and scope["method"] == "POST":
            failures.record("untrusted_origin")

    return count


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok\n", headers={"cache-control": "no-store"})


async def _on_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestRefusedError)
    return proxy.error_response(error.status, error.message)


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    """The client has gone before the end of its body. Nobody gets the response."""
    return proxy.error_response(400, "the body is incomplete")
