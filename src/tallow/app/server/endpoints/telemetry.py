"""Client telemetry: peers report what only they see, and can do no harm with it.

A report needs a one-time token that only a seat in a room brings. It is checked in full, then booked at one
stroke; one that is not accepted moves nothing but ``client_reports_total``.
"""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from tallow.app.server.cluster.forwarding import is_forwarded
from tallow.app.server.context import ServerContext
from tallow.app.server.endpoints.rooms import require_same_origin
from tallow.app.server.limits.report_quota import MAX_REJECTED_REPORTS
from tallow.app.server.limits.report_validation import BadReportError, TelemetryReport, validate_report
from tallow.app.server.rooms.room import Room
from tallow.app.server.transport.messages import too_deep
from tallow.app.server.transport.responses import ApiError, json_response, read_body
from tallow.app.wire import MAX_REPORT_BYTES, MAX_REPORT_DEPTH, Role
from tallow.monitoring import correlation
from tallow.monitoring.logging import api_logger


class TelemetryEndpoint:
    """The endpoint ``POST /api/telemetry``."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._metrics = context.metrics
        self._lobby = context.rooms

    async def receive(self, request: Request) -> Response:
        """Check and book a report; the answer brings the token for the next."""
        require_same_origin(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        found = self._lobby.report_tokens.find(token.strip()) if scheme.lower() == "bearer" else None
        if found is None and not is_forwarded(request.scope):
            home = await self._context.directory.locate_token(token.strip())
            if home is not None:
                body = await read_body(request, MAX_REPORT_BYTES)
                return await self._context.forwarder.forward_request(request, body, home)
        wait = self._context.report_limiter.take(self._context.address_hasher.key(request.scope))
        if found is None:
            # Whoever has no seat moves no metric of peers, however often they try.
            if wait:
                raise ApiError(429, "rate_limited", "too many reports from this address", wait)
            raise ApiError(401, "bad_token", "a report needs the room's current telemetry token")
        room, role = found
        wait = wait or room.quotas[role].bucket.take()
        if wait:
            self._metrics.record_client_report("rate_limited")
            raise ApiError(429, "rate_limited", "too many reports from this room or address", wait)
        try:
            body = await read_body(request, MAX_REPORT_BYTES)
        except ApiError:
            self._reject(room, role)
            raise
        if self._lobby.report_tokens.find(token.strip()) != found:  # spent by another request meanwhile
            raise ApiError(401, "bad_token", "this telemetry token was used")
        return json_response({"next": await self.accept(room, role, body)})

    async def accept(self, room: Room, role: Role, body: bytes) -> str:
        """Book a report: the next token of this side.

        Raises:
            ApiError: 400 with what is wrong; then nothing was booked.
        """
        try:
            report = self._validate(room, role, body)
        except BadReportError as error:
            self._reject(room, role)
            raise ApiError(400, "bad_report", str(error)) from None
        self._record(room, role, report)
        following = self._lobby.issue_report_token(room, role)
        if report.outcome is not None:
            await self._lobby.conclude(room, report.outcome)
        return following

    def _validate(self, room: Room, role: Role, body: bytes) -> TelemetryReport:
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise BadReportError("a report is JSON") from None
        if too_deep(value, MAX_REPORT_DEPTH):
            raise BadReportError(f"nested deeper than {MAX_REPORT_DEPTH} levels")
        report = validate_report(value, role, self._age(room, role))
        if report.outcome is not None and room.outcome is not None:
            raise BadReportError("the outcome of this transfer is booked already")
        if report.outcome == "success" and not (room.started and room.was_paired):
            raise BadReportError("a transfer that has not started cannot have succeeded")
        return report

    def _record(self, room: Room, role: Role, report: TelemetryReport) -> None:
        kept: dict[str, list[dict[str, Any]]] = {}
        budget, age = room.quotas[role], self._age(room, role)
        for name, entries in report.metrics.items():
            for row, count in entries.rows:
                if budget.admit(name, row["labels"], count, age):
                    kept.setdefault(name, []).append(row)
                else:
                    self._metrics.record_dropped("client", "rate_limited")
        self._metrics.registry.merge(kept)
        self._metrics.record_client_report("accepted")

    def _reject(self, room: Room, role: Role) -> None:
        self._metrics.record_client_report("rejected")
        with correlation.bind(room.record.correlation_id):
            api_logger.warning("Report rejected", role=role)
        budget = room.quotas[role]
        budget.rejected += 1
        if budget.rejected >= MAX_REJECTED_REPORTS:
            self._lobby.report_tokens.revoke(room.report_tokens[role])

    def _age(self, room: Room, role: Role) -> float:
        return self._lobby.clock() - room.joined_at[role]
