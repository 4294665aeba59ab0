"""Instrument an ASGI application. Importing this module loads neither the middleware nor the metrics."""

from __future__ import annotations

from typing import Any

from tallow.monitoring.asgi_types import ASGIApp


def instrument(app: ASGIApp, **options: Any) -> ASGIApp:
    """Add metrics, correlation ids, error capture, ``/metrics`` and health endpoints to an ASGI application.

    An application of Starlette, FastAPI, Litestar, Quart, Falcon or BlackSheep is changed in place, outside
    its own middleware, and returned. Any other application, such as Django's handler, is wrapped: give the
    wrapper to the server. A second call does nothing.

    Args:
        app: the application; it must not have served a request yet.
        options: the keyword arguments of :class:`tallow.monitoring.http.middleware.Instrumentation`.

    Returns:
        The application to serve.

    Raises:
        RuntimeError: a Starlette application has already built its middleware.

    Example:
        >>> async def app(scope, receive, send):
        ...     await send({"type": "http.response.start", "status": 204, "headers": []})
        ...     await send({"type": "http.response.body", "body": b""})
        >>> app = instrument(app, metrics_token="a-long-random-bearer-token")
    """
    from tallow.monitoring.http import middleware  # loads metrics, health and asyncio

    return middleware.instrument(app, **options)
