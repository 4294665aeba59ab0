"""``POST /api/telemetry``: peers report metrics that only they can measure.

A report needs the one-time token that a peer gets when it joins a room. It is validated as a whole before any
metric changes; a refused report changes only ``client_reports_total``.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tallow.app.bounded_json import BadJsonError
from tallow.app.server.cluster.forwarding import is_forwarded
from tallow.app.server.context import ServerContext
from tallow.app.server.endpoints.report_log import error_type_of, log_report
from tallow.app.server.limits.client_address import client_host
from tallow.app.server.limits.report_quota import MAX_REJECTED_REPORTS
from tallow.app.server.limits.report_validation import BadReportError, TelemetryReport, validate_report
from tallow.app.server.rooms.client_outcomes import outcomes_of
from tallow.app.server.rooms.room import Room
from tallow.app.server.transport.json_input import parse_json
from tallow.app.server.transport.origin import require_same_origin
from tallow.app.server.transport.responses import ApiError, json_response, read_body
from tallow.app.wire import MAX_REPORT_BYTES, MAX_REPORT_DEPTH, MAX_REPORT_VALUES, TELEMETRY_PATH, Role
from tallow.monitoring import correlation
from tallow.monitoring.logging import security_logger
from tallow.monitoring.logging.repeats import REPEATS
from tallow.monitoring.metrics.sample import Sample
from tallow.monitoring.sentry import performance_monitoring


class TelemetryEndpoint:
    """Validates reports and adds them to the metrics."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._metrics = context.metrics
        self._rooms = context.rooms

    @performance_monitoring.monitor_api_call("POST", TELEMETRY_PATH, incoming=True)
    async def receive(self, request: Request) -> Response:
        """Accept a report. The response holds the token of the next one."""
        require_same_origin(request)
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        token = credentials.strip() if scheme.lower() == "bearer" else ""
        found = self._rooms.report_tokens.find(token)
        if found is None and not is_forwarded(request.scope):
            node = await self._context.directory.locate_token(token)
            if node is not None:
                body = await read_body(request, MAX_REPORT_BYTES)
                return await self._context.forwarder.forward_request(request, body, node)
        self._limit_rate(request, found)
        if found is None:
            raise ApiError(401, "bad_token", "a report needs the room's current telemetry token")
        room, role = found
        try:
            body = await read_body(request, MAX_REPORT_BYTES)
        except ApiError:
            self._reject(room, role)
            raise
        # Another request may have used the token while this one's body arrived.
        if self._rooms.report_tokens.find(token) != found:
            raise ApiError(401, "bad_token", "this telemetry token was used")
        cell = self._context.outcomes.cell(client_host(request.scope))
        return json_response({"next": await self.accept(room, role, body, cell)})

    def _limit_rate(self, request: Request, found: tuple[Room, Role] | None) -> None:
        """Without a valid token no metric of peers changes, however often a client tries."""
        wait = self._context.report_limiter.take_from_networks(
            self._context.address_hasher.networks(request.scope)
        )
        if found is None:
            if wait:
                raise _too_many_reports("this address", wait)
            return
        room, role = found
        wait = wait or room.quotas[role].bucket.take()
        if wait:
            self._metrics.record_client_report("rate_limited")
            raise _too_many_reports("this room or address", wait)

    async def accept(self, room: Room, role: Role, body: bytes, cell: int) -> str:
        """Record a report and return the peer's next token.

        Args:
            cell: the address of the peer, see :class:`ClientOutcomes`.

        Raises:
            ApiError: 400, the report is invalid. Nothing was recorded.
        """
        try:
            report = self._validate(room, role, body)
        except BadReportError as error:
            self._reject(room, role)
            raise ApiError(400, "bad_report", str(error)) from None
        admitted = self._record(room, role, report, cell)
        next_token = self._rooms.issue_report_token(room, role)
        with correlation.bind(room.record.correlation_id):
            log_report(role, report.samples)
            self._rooms.analytics.reported(room, report.samples)
        if report.outcome is not None:
            error_type = error_type_of(report.samples)
            await self._rooms.conclude(room, report.outcome, error_type, report.samples)
        await self._context.outcomes.record(cell, outcomes_of(admitted))
        return next_token

    def _validate(self, room: Room, role: Role, body: bytes) -> TelemetryReport:
        try:
            value = parse_json(body, MAX_REPORT_DEPTH, MAX_REPORT_VALUES)
        except BadJsonError as error:
            raise BadReportError(f"the report is {error}") from None
        report = validate_report(value, role, self._age(room, role))
        if report.outcome is not None and room.outcome is not None:
            raise BadReportError("the outcome of this transfer was reported already")
        if report.outcome == "success" and not (room.started and room.was_paired):
            raise BadReportError("a transfer that has not started cannot have succeeded")
        return report

    def _record(self, room: Room, role: Role, report: TelemetryReport, cell: int) -> list[Sample]:
        """Add a report to the metrics, as far as the quotas of its peer and its address go.

        Returns:
            What was added.
        """
        quota, age = room.quotas[role], self._age(room, role)
        address_quota = self._context.address_quota
        admitted = [
            sample
            for sample in report.samples
            if quota.admit(sample, age) and address_quota.admit(sample, cell)
        ]
        self._metrics.registry.merge(admitted)
        dropped = len(report.samples) - len(admitted)
        if dropped:
            self._metrics.record_dropped("client", "rate_limited", dropped)
        self._metrics.record_client_report("accepted")
        return admitted

    def _reject(self, room: Room, role: Role) -> None:
        self._metrics.record_client_report("rejected")
        with correlation.bind(room.record.correlation_id):
            REPEATS.log(security_logger, "warning", "Report rejected", role=role)
        quota = room.quotas[role]
        quota.rejected += 1
        if quota.rejected >= MAX_REJECTED_REPORTS:
            self._rooms.report_tokens.revoke(room.report_tokens[role])

    def _age(self, room: Room, role: Role) -> float:
        return self._rooms.clock() - room.joined_at[role]


def _too_many_reports(source: str, wait: float) -> ApiError:
    return ApiError(429, "rate_limited", f"too many reports from {source}", wait, "reports_per_minute")
