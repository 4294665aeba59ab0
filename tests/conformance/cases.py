"""The table of the suite: requests, and the route and status that each framework's metrics must have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """One request of the table. ``alice`` in a path stands for what must not be in the exposition."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)


REQUESTS: Mapping[str, Request] = {
    "item": Request("/api/v1/items/alice-1"),
    "nested": Request("/api/v1/shops/alice-2/orders/7"),
    "mount": Request("/mounted/alice-3/pages/alice-4"),
    "path": Request("/files/alice-5/deep.txt"),
    "regex": Request("/archive/2024/alice-6"),
    "no route": Request("/missing/alice-7"),
    "other method": Request("/api/v1/items/alice-8", "DELETE"),
    "handler fails": Request("/broken/alice-9"),
    "framework refuses": Request("/unavailable"),
    "middleware answers": Request("/api/v1/items/alice-10", headers={"x-block": "1"}),
    "stream breaks": Request("/halfway"),
}
"""By name of the case."""

STATUSES: Mapping[str, str] = {
    "no route": "4xx",
    "other method": "4xx",
    "handler fails": "5xx",
    "framework refuses": "5xx",
    "middleware answers": "4xx",
    "stream breaks": "5xx",
}
"""Status classes that are not 2xx."""

SAME = {"no route": "other", "framework refuses": "/unavailable", "stream breaks": "/halfway"}


def _routes(item: str, nested: str, path: str, broken: str, **more: str) -> Mapping[str, str]:
    items = dict.fromkeys(("item", "other method", "middleware answers"), item)
    return {**items, "nested": nested, "path": path, "handler fails": broken, **SAME, **more}


ROUTES: Mapping[str, Mapping[str, str]] = {
    "starlette": _routes(
        "/api/v1/items/{item}",
        "/api/v1/shops/{shop}/orders/{order:int}",
        "/files/{path:path}",
        "/broken/{item}",
        mount="/mounted/{tenant}/pages/{page}",
    ),
    "fastapi": _routes(
        "/api/v1/items/{item}",
        "/api/v1/shops/{shop}/orders/{order}",
        "/files/{path:path}",
        "/broken/{item}",
        mount="/mounted/{tenant}/pages/{page}",
    ),
    "litestar": _routes(
        "/api/v1/items/{item}", "/api/v1/shops/{shop}/orders/{order}", "/files/{path}", "/broken/{item}"
    ),
    "quart": _routes(
        "/api/v1/items/<item>",
        "/api/v1/shops/<shop>/orders/<int:order>",
        "/files/<path:path>",
        "/broken/<item>",
    ),
    "django": _routes(
        "/api/v1/items/<str:item>",
        "/api/v1/shops/<slug:shop>/orders/<int:order>",
        "/files/<path:path>",
        "/broken/<str:item>",
        regex="/archive/<year>/<var>",
    ),
    "falcon": _routes(
        "/api/v1/items/{item}",
        "/api/v1/shops/{shop}/orders/{order:int}",
        "/files/{path}",
        "/broken/{item}",
    ),
    "blacksheep": {
        **_routes(
            "/api/v1/items/{item}",
            "/api/v1/shops/:shop/orders/{int:order}",
            "/files/*",
            "/broken/{item}",
        ),
        "other method": "other",  # BlackSheep's router answers 404
    },
}
"""Maps each framework to the route of each case that it has."""

CHAT: Mapping[str, str] = {
    "starlette": "/chat/{room}",
    "fastapi": "/chat/{room}",
    "litestar": "/chat/{room}",
    "quart": "/chat/<room>",
    "falcon": "/chat/{room}",
    "blacksheep": "/chat/{room}",
}
"""The WebSocket's route; Django's own handler has none. The refused one is ``/refused``."""

REFUSAL_FAILS: Mapping[tuple[str, str], str] = {
    ("quart", "daphne"): "daphne's scope of a WebSocket has no scheme, which Quart requires",
    ("quart", "granian"): "granian does not know websocket.http.response, with which newer Quart refuses",
}
"""By framework and server: why a WebSocket may fail, in some versions and without our library, too."""

UNSUPPORTED: Mapping[tuple[str, str, str], str] = {
    (
        "blacksheep",
        "daphne",
        "frameworks-oldest",
    ): "BlackSheep 2.0 needs a lifespan, which daphne does not have",
}
"""By framework, server and environment: why the framework does not work there, without our library, too."""

BACKGROUND = ("starlette", "fastapi", "litestar", "quart", "falcon")
"""Frameworks with tasks that run after the response."""

BACKGROUND_FAILS = ("starlette", "fastapi")
"""Frameworks whose application has a background task that fails."""
