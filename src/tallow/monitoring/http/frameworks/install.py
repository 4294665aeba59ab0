"""Put the middleware into an application object, so that the object itself stays the one to serve."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from tallow.monitoring.asgi_types import ASGIApp, Receive, Scope, Send

Wrap = Callable[[ASGIApp], ASGIApp]

INSTALLED = "__tallow_instrumented__"
"""Attribute of an application, or of its class, that has been instrumented."""


def install_in_starlette(app: Any, wrap: Wrap) -> ASGIApp:
    """Install outside Starlette's own middleware.

    Raises:
        RuntimeError: the application has already built its middleware.
    """
    build = app.build_middleware_stack
    if getattr(app, "middleware_stack", None) is not None:
        raise RuntimeError("instrument(app) must be called before the application serves its first request")

    def build_instrumented() -> ASGIApp:
        outermost: ASGIApp = _outermost_class()(wrap(build()))
        return outermost

    app.build_middleware_stack = build_instrumented
    return _installed(app)


@cache
def _outermost_class() -> type[Any]:
    """Return a class that only passes on calls, for the outside of the middleware.

    OpenTelemetry's instrumentation of FastAPI refuses a stack that does not begin with Starlette's
    ``ServerErrorMiddleware``. One that handles errors is inside already.
    """
    from starlette.middleware.errors import ServerErrorMiddleware  # not every application has Starlette

    class Outermost(ServerErrorMiddleware):
        def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
            return self.app(scope, receive, send)  # the coroutine itself: awaited by the caller

    return Outermost


def install_in_quart(app: Any, wrap: Wrap) -> ASGIApp:
    """Install as Quart documents it: the application object stays the one that is served."""
    app.asgi_app = wrap(app.asgi_app)
    return _installed(app)


def install_in_class(app: Any, wrap: Wrap) -> ASGIApp:
    """Install in a subclass that only this application has.

    Python looks up ``__call__`` in the class, so it cannot be set on the object. Where the class cannot be
    changed, the middleware is returned.
    """
    cls = type(app)
    middleware = wrap(cls.__call__.__get__(app))

    async def call(_app: object, scope: Scope, receive: Receive, send: Send) -> None:
        await middleware(scope, receive, send)

    members = {
        "__call__": call,
        "__doc__": cls.__doc__,
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__slots__": (),
        INSTALLED: True,
    }
    try:
        app.__class__ = type(cls.__name__, (cls,), members)
    except TypeError:
        return middleware
    return app  # type: ignore[no-any-return]


def _installed(app: Any) -> ASGIApp:
    setattr(app, INSTALLED, True)
    return app  # type: ignore[no-any-return]
