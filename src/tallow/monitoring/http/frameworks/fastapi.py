"""Routes of FastAPI's routers."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any


def expanded(routes: Iterable[Any]) -> Iterable[Any]:
    """Return routes with those of included routers, each with its whole path.

    From FastAPI 0.138 on, ``iter_route_contexts`` yields them; before 0.137 a list has no included routers.
    0.137 has neither: its routes are found by what it says about a request.
    """
    routing = sys.modules.get("fastapi.routing")
    iterate = getattr(routing, "iter_route_contexts", None)
    return routes if iterate is None else iterate(routes)
