"""Routes of web frameworks, and how each is instrumented.

A framework is recognized by the classes of the application object and never imported for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from tallow.monitoring.asgi_types import ASGIApp
from tallow.monitoring.http.frameworks.blacksheep import BlackSheepRoutes
from tallow.monitoring.http.frameworks.channels import ROUTER, ChannelsRoutes
from tallow.monitoring.http.frameworks.django import DjangoRoutes
from tallow.monitoring.http.frameworks.falcon import FalconRoutes
from tallow.monitoring.http.frameworks.install import install_in_class, install_in_quart, install_in_starlette
from tallow.monitoring.http.frameworks.litestar import LitestarRoutes
from tallow.monitoring.http.frameworks.quart import QuartRoutes
from tallow.monitoring.http.frameworks.starlette import StarletteRoutes
from tallow.monitoring.http.frameworks.unknown import ScopeRoutes
from tallow.monitoring.http.frameworks.unwrap import class_names, unwrapped
from tallow.monitoring.http.route_templates import RouteSource

_SOURCES: Final[Mapping[str, Callable[[Any], RouteSource]]] = MappingProxyType(
    {
        "starlette.applications.Starlette": StarletteRoutes,
        "starlette.routing.Router": StarletteRoutes,
        "litestar.app.Litestar": LitestarRoutes,
        "quart.app.Quart": QuartRoutes,
        "django.core.handlers.asgi.ASGIHandler": DjangoRoutes,
        "falcon.asgi.app.App": FalconRoutes,
        "blacksheep.server.application.Application": BlackSheepRoutes,
        "channels.routing.ProtocolTypeRouter": lambda app: ChannelsRoutes(app, route_source),
        ROUTER: lambda app: ChannelsRoutes(app, route_source),
    }
)
"""Maps each class to what reads its routes. FastAPI's application is Starlette's."""

_INSTALLERS: Final = MappingProxyType(
    {
        "starlette.applications.Starlette": install_in_starlette,
        "quart.app.Quart": install_in_quart,
        "litestar.app.Litestar": install_in_class,
        "falcon.asgi.app.App": install_in_class,
        "blacksheep.server.application.Application": install_in_class,
    }
)
"""Maps each class that can be changed in place to how; any other application is wrapped."""


def route_source(app: object) -> RouteSource:
    """Return what reads the routes of an application or of the one that it wraps.

    Args:
        app: the application, with or without middleware around it.
    """
    for inner in unwrapped(app):
        for name in class_names(inner):
            if name in _SOURCES:
                return _SOURCES[name](inner)
        if isinstance(getattr(inner, "routes", None), (list, tuple)):
            return StarletteRoutes(inner)
    return ScopeRoutes()


def install(app: ASGIApp, wrap: Callable[[ASGIApp], ASGIApp]) -> ASGIApp:
    """Put a middleware around an application, in place where its framework allows it.

    Args:
        app: the application.
        wrap: makes the middleware around an ASGI callable.

    Returns:
        The application to serve: ``app`` itself if it was changed in place, otherwise the middleware.
    """
    for name in class_names(app):
        if name in _INSTALLERS:
            return _INSTALLERS[name](app, wrap)
    return wrap(app)
