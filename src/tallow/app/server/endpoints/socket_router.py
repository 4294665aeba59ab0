"""Routes WebSockets without the layers that Starlette has for HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

SocketEndpoint = Callable[[WebSocket], Awaitable[None]]


class SocketRouter:
    """Calls the endpoint of a WebSocket, and the application for everything else.

    Starlette puts eight calls between a server and an endpoint: error pages, exception handlers, the router
    and its routes. They end with an HTTP request, but wait as long as a WebSocket is open, with 4 kB
    of memory.

    Args:
        app: gets HTTP requests, the lifespan, and WebSockets of other paths.
        endpoints: by path.
    """

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, SocketEndpoint]) -> None:
        self._app = app
        self._routes = {path: WebSocketRoute(path, endpoint) for path, endpoint in endpoints.items()}

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Returns what the caller awaits: a coroutine of its own would be one more layer."""
        route = self._routes.get(scope["path"]) if scope["type"] == "websocket" else None
        if route is None:
            return self._app(scope, receive, send)
        scope["route"] = route  # where Sentry reads the name of a transaction
        served: Awaitable[None] = route.endpoint(WebSocket(scope, receive, send))
        return served


class SocketApplication(Starlette):
    """A Starlette application whose WebSocket endpoints are called by a :class:`SocketRouter`.

    Args:
        sockets: endpoints by path. The routes contain them, too: they name the path in metrics, and serve
            it below another application's mount.
        options: of Starlette.
    """

    def __init__(self, *, sockets: Mapping[str, SocketEndpoint], **options: object) -> None:
        self._sockets = sockets
        super().__init__(**options)  # type: ignore[arg-type] # passed on as they are

    def build_middleware_stack(self) -> ASGIApp:
        """Starlette's layers, behind the router of sockets."""
        return SocketRouter(super().build_middleware_stack(), self._sockets)
