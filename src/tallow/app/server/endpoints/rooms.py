"""HTTP endpoints that create rooms and describe the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from tallow import __version__
from tallow.app.server.context import ServerContext
from tallow.app.server.endpoints.openapi import DESCRIPTION
from tallow.app.server.limits.room_places import RoomLimitError
from tallow.app.server.storage.database import StoreError
from tallow.app.server.transport.ice_servers import stun_servers
from tallow.app.server.transport.origin import require_same_origin
from tallow.app.server.transport.responses import ApiError, json_response, read_json
from tallow.app.wire import (
    MAX_RECEIVERS,
    MAX_RELAY_MESSAGE_BYTES,
    MAX_REPORT_BYTES,
    MAX_SIGNALING_BYTES,
    PROTOCOL_VERSION,
    ROOMS_PATH,
    TOKEN_HASH,
)
from tallow.monitoring import correlation, request_context
from tallow.monitoring.errors import report_error
from tallow.monitoring.logging import api_logger
from tallow.monitoring.sentry import performance_monitoring

MAX_ROOM_REQUEST_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class _RoomRequest:
    token_hash: str
    receivers: int

    @classmethod
    def parse(cls, body: object) -> _RoomRequest:
        """The body of a request.

        Raises:
            ApiError: it is not one.
        """
        known = body if isinstance(body, dict) and body.keys() <= {"token_hash", "receivers"} else {}
        token_hash, receivers = known.get("token_hash"), known.get("receivers", 1)
        if not isinstance(token_hash, str) or not TOKEN_HASH.fullmatch(token_hash):
            raise ApiError(400, "bad_body", 'the body must be {"token_hash": "<64 lower-case hex digits>"}')
        # 4.0 is an integer of JSON Schema, too.
        if isinstance(receivers, bool) or receivers not in range(1, MAX_RECEIVERS + 1):
            raise ApiError(400, "bad_body", f"receivers must be a whole number from 1 to {MAX_RECEIVERS}")
        return cls(token_hash, int(receivers))


class RoomEndpoints:
    """Request handlers."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context

    @performance_monitoring.monitor_api_call("POST", ROOMS_PATH, incoming=True)
    async def create_room(self, request: Request) -> Response:
        """``POST /api/rooms``: create the rooms of a link, which a join token of the given hash opens."""
        require_same_origin(request)
        networks = self._context.address_hasher.networks(request.scope)
        self._take_tokens(networks, 1)
        body = _RoomRequest.parse(await read_json(request, MAX_ROOM_REQUEST_BYTES))
        if body.receivers > 1:
            self._take_tokens(networks, body.receivers - 1)
        correlation_id = correlation.current() or correlation.new_id()
        try:
            record = await self._context.rooms.create(
                body.token_hash, correlation_id, networks, body.receivers
            )
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

    def _take_tokens(self, networks: Sequence[bytes], rooms: int) -> None:
        """Count rooms that a client creates.

        Raises:
            ApiError: it creates too many in a short time.
        """
        wait = self._context.creation_limiter.take_from_networks(networks, rooms)
        if wait:
            problem = "too many rooms from this address; try again later"
            raise ApiError(429, "rate_limited", problem, wait, "rooms_per_minute")

    async def info(self, _request: Request) -> Response:
        """``GET /api/info``: version, protocol, STUN servers and limits.

        ``do_not_track`` tells a page whether its requests have the headers ``DNT: 1`` or ``Sec-GPC: 1``. An
        extension or a proxy may add them unseen by scripts. Such a page reports nothing.
        """
        settings = self._context.settings
        return json_response(
            {
                "version": __version__,
                "protocol": PROTOCOL_VERSION,
                "relay": True,
                "do_not_track": request_context.opts_out(),
                "ice_servers": stun_servers(settings),
                "limits": {
                    "room_lifetime_seconds": settings.room_lifetime,
                    "receivers": MAX_RECEIVERS,
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
