"""Fault switches of the server: ``/api/faults``, for requests from this machine with a token."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallow.app.faults.load import BurnCpu, HoldMemory
from tallow.app.faults.storage import EmptyCache, SlowDatabase
from tallow.app.server.rooms.cache import Cache
from tallow.app.server.storage.room_store import SqlStore
from tallow.app.server.transport.responses import ApiError, json_response, read_json
from tallow.monitoring.http import auth

PATH: Final = "/api/faults"
MAX_BODY: Final = 1024

LIMITS: Final[Mapping[str, float]] = MappingProxyType(
    {"burn_cpu": 8, "hold_memory": 4e9, "slow_database": 30, "empty_cache": 1}
)
"""Upper limits: cores, bytes, seconds per statement, on or off."""


class FaultSwitch(Protocol):
    """One fault."""

    def set(self, amount: float) -> None:
        """Set its amount; 0 switches it off."""


class FaultSwitches:
    """The fault switches of one server.

    Args:
        token: bearer token of the endpoint.
    """

    def __init__(self, token: str, engine: AsyncEngine, cache: Cache[Any]) -> None:
        self._token = token
        self._on = dict.fromkeys(LIMITS, 0.0)
        self._switches: dict[str, FaultSwitch] = {
            "burn_cpu": BurnCpu(),
            "hold_memory": HoldMemory(),
            "slow_database": SlowDatabase(engine),
            "empty_cache": EmptyCache(cache),
        }

    @property
    def route(self) -> Route:
        """The route of the endpoint."""
        return Route(PATH, self.handle, methods=["GET", "PUT", "DELETE"])

    async def handle(self, request: Request) -> Response:
        """``GET``: what is on. ``PUT {"burn_cpu": 1.5}``: set switches. ``DELETE``: switch everything off."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        client = request.scope.get("client")
        if not auth.is_allowed(None, headers, client) or not auth.is_allowed(self._token, headers, client):
            raise ApiError(
                401, "bad_token", "fault switches need their token and a direct request from this machine"
            )
        if request.method == "PUT":
            self._move(_checked(await read_json(request, MAX_BODY)))
        elif request.method == "DELETE":
            self._move(dict.fromkeys(LIMITS, 0.0))
        return json_response(self._on)

    def _move(self, wanted: dict[str, float]) -> None:
        for name, amount in wanted.items():
            self._switches[name].set(amount)
            self._on[name] = amount


def fault_routes(token: str) -> Callable[[SqlStore, Cache[Any]], list[Route]]:
    """Makes the route of the switches, given a server's store and cache.

    Args:
        token: see :class:`FaultSwitches`.
    """
    return lambda store, cache: [FaultSwitches(token, store.engine, cache).route]


def _checked(body: Any) -> dict[str, float]:
    accepted = ", ".join(f"{name} (0 to {most:g})" for name, most in LIMITS.items())
    if isinstance(body, dict) and body.keys() <= LIMITS.keys():
        numbers = {name: float(amount) for name, amount in body.items() if type(amount) in {int, float}}
        if len(numbers) == len(body) and all(
            math.isfinite(amount) and 0 <= amount <= LIMITS[name] for name, amount in numbers.items()
        ):
            return numbers
    raise ApiError(400, "bad_fault", f"accepted: {accepted}")
