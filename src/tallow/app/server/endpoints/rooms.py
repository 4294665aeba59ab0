"""HTTP endpoints that create rooms and describe the server."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from tallow import __version__
from tallow.app.server.context import ServerContext
from tallow.app.server.endpoints.openapi import DESCRIPTION
from tallow.app.server.limits.room_places import RoomLimitError
from tallow.app.server.rooms.store import StoreError
from tallow.app.server.transport.ice_servers import stun_servers
from tallow.app.server.transport.origin import require_same_origin
from tallow.app.server.transport.responses import ApiError, json_response, read_json
from tallow.app.wire import (
    MAX_RELAY_MESSAGE_BYTES,
    MAX_REPORT_BYTES,
    MAX_SIGNALING_BYTES,
    PROTOCOL_VERSION,
    ROOMS_PATH,
    TOKEN_HASH,
)
from tallow.monitoring import correlation
from tallow.monitoring.errors import report_error
from tallow.monitoring.logging import api_logger
from tallow.monitoring.sentry import performance_monitoring

MAX_ROOM_REQUEST_BYTES: Final = 1024


class RoomEndpoints:
    """Request handlers."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context

    @performance_monitoring.monitor_api_call("POST", ROOMS_PATH, incoming=True)
    async def create_room(self, request: Request) -> Response:
        """``POST /api/rooms``: create a room that a join token of the given hash opens."""
        require_same_origin(request)
        networks = self._context.address_hasher.networks(request.scope)
        wait = self._context.creation_limiter.take_from_networks(networks)
        if wait:
            problem = "too many rooms from this address; try again later"
            raise ApiError(429, "rate_limited", problem, wait, "rooms_per_minute")
        body = await read_json(request, MAX_ROOM_REQUEST_BYTES)
        token_hash = body.get("token_hash") if isinstance(body, dict) and len(body) == 1 else None
        if not isinstance(token_hash, str) or not TOKEN_HASH.fullmatch(token_hash):
            raise ApiError(400, "bad_body", 'the body must be {"token_hash": "<64 lower-case hex digits>"}')
        correlation_id = correlation.current() or correlation.new_id()
        try:
            record = await self._context.rooms.create(token_hash, correlation_id, networks)
        except RoomLimitError as error:
            raise _limit_response(error) from None
        except StoreError as error:
            # Critical: without rooms no transfer can begin.
            report_error(
                "storage",
                "critical",
                "Rooms cannot be created",
                error=error,
                log=api_logger,
                metrics=self._context.metrics,
            )
            problem = "rooms cannot be created at this moment; try again"
            raise ApiError(503, "unavailable", problem, 5) from None
        expires_in = round(record.expires - record.created)
        return json_response({"room": record.id, "expires_in": expires_in}, 201)

    async def info(self, _request: Request) -> Response:
        """``GET /api/info``: version, protocol, STUN servers and limits."""
        settings = self._context.settings
        return json_response(
            {
                "version": __version__,
                "protocol": PROTOCOL_VERSION,
                "relay": True,
                "ice_servers": stun_servers(settings),
                "limits": {
                    "room_lifetime_seconds": settings.room_lifetime,
                    "signaling_message_bytes": MAX_SIGNALING_BYTES,
                    "relay_message_bytes": MAX_RELAY_MESSAGE_BYTES,
                    "relay_bytes_per_second": settings.relay_bandwidth or None,
                    "report_bytes": MAX_REPORT_BYTES,
                },
            }
        )

    async def openapi(self, _request: Request) -> Response:
        """``GET /api/openapi.json``: the OpenAPI description of the HTTP API."""
        return json_response(DESCRIPTION)


def _limit_response(error: RoomLimitError) -> ApiError:
    if error.limit == "max_rooms":
        return ApiError(503, "rate_limited", "the server has as many rooms as it may", 60, error.limit)
    holder = "address" if error.limit == "rooms_per_address" else "network"
    problem = f"this {holder} has as many rooms as it may at the moment"
    return ApiError(429, "rate_limited", problem, 60, error.limit)
