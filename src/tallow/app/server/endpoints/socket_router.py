"""Routes WebSockets without the layers that Starlette has for HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket


class SocketRouter:
    """Calls the endpoint of a WebSocket, and the application for everything else.

    Starlette puts eight calls between a server and an endpoint: error pages, exception handlers, the router
    and its routes. They end with an HTTP request, but wait as long as a WebSocket is open, with 4 kB
    of memory.

    Args:
        app: gets HTTP requests, the lifespan, and WebSockets of other paths, such as those below a mount.
        routes: of WebSockets, without parameters in their paths.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[WebSocketRoute]) -> None:
        self._app = app
        self._routes = {route.path: route for route in routes}

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Returns what the caller awaits: a coroutine of its own would be one more layer."""
        route = self._routes.get(scope["path"]) if scope["type"] == "websocket" else None
        if route is None:
            return self._app(scope, receive, send)
        scope["route"] = route  # where Sentry reads the name of a transaction
        served: Awaitable[None] = route.endpoint(WebSocket(scope, receive, send))
        return served


class SocketApplication(Starlette):
    """A Starlette application whose WebSocket routes are called by a :class:`SocketRouter`."""

    def build_middleware_stack(self) -> ASGIApp:
        """Starlette's layers, behind the router of sockets."""
        routes = (route for route in self.routes if isinstance(route, WebSocketRoute))
        return SocketRouter(super().build_middleware_stack(), routes)
