"""The responses of the health endpoints. They contain no text of exceptions, requests or files."""

from __future__ import annotations

import platform
import time
from datetime import UTC, datetime
from typing import Any, Final

import psutil

from tallow import __version__
from tallow.monitoring.catalog.label_values import PIPELINES
from tallow.monitoring.health.draining import DRAINING
from tallow.monitoring.health.report import Health, HealthReport
from tallow.monitoring.health.result import CheckResult, Status
from tallow.monitoring.metrics import Metrics

SUMMARY: Final = "/api/health"
LIVENESS: Final = "/api/health/liveness"
READINESS: Final = "/api/health/readiness"
DETAILED: Final = "/api/health/detailed"
PATHS: Final = (SUMMARY, LIVENESS, READINESS, DETAILED)

_RESOURCE_METRICS: Final = (
    "process_resident_memory_bytes",
    "process_heap_bytes",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
    "workers",
)
_QUEUE_METRIC: Final = "telemetry_queue_depth"
_DROPPED_METRIC: Final = "telemetry_dropped_total"

HealthResponse = tuple[int, dict[str, Any]]


class HealthResponses:
    """Creates the status codes and JSON bodies of one application's health endpoints.

    Args:
        health: the application's checks.
        metrics: the application's metrics; the detailed response shows some of them.
    """

    def __init__(self, health: Health, metrics: Metrics) -> None:
        self._health = health
        self._metrics = metrics
        self._detailed_cache: tuple[HealthReport, HealthResponse] | None = None

    async def respond(self, path: str) -> HealthResponse:
        """Return the response of one of :data:`PATHS`."""
        if path == LIVENESS:
            return 200, {"status": "alive"}
        if path == READINESS and DRAINING.draining():
            return 503, {"status": "draining", "failing": [], "degraded": []}
        report = await self._health.report()
        if path == READINESS:
            return _readiness(report)
        if path == SUMMARY:
            return _status_code(report), {"status": report.status, "timestamp": _timestamp(report)}
        if self._detailed_cache is None or self._detailed_cache[0] is not report:
            self._detailed_cache = report, (_status_code(report), self._detailed(report))
        status, body = self._detailed_cache[1]
        return status, {**body, "draining": DRAINING.draining()}

    def _detailed(self, report: HealthReport) -> dict[str, Any]:
        from tallow.monitoring.settings import BadSettingError, current_settings, process_options

        service: dict[str, Any] = {}
        try:
            settings = current_settings()
            service = {
                "service": process_options.service_name(settings.service_name),
                "environment": settings.environment,
                "release": process_options.service_version(settings.release),
            }
        except BadSettingError:  # the check "environment" reports it
            pass
        snapshot = self._metrics.registry.snapshot((*_RESOURCE_METRICS, _QUEUE_METRIC, _DROPPED_METRIC))
        return {
            "status": report.status,
            "timestamp": _timestamp(report),
            "uptime_seconds": round(time.time() - psutil.Process().create_time(), 1),
            **service,
            "versions": {"tallow": __version__, "python": platform.python_version()},
            "components": {name: _component(found) for name, found in report.results.items()},
            "resources": {name: snapshot[name][0]["value"] for name in _RESOURCE_METRICS if name in snapshot},
            "telemetry": {
                "queued": _by_pipeline(snapshot.get(_QUEUE_METRIC, [])),
                "dropped": _by_pipeline(snapshot.get(_DROPPED_METRIC, [])),
            },
        }


def _readiness(report: HealthReport) -> HealthResponse:
    body: dict[str, Any] = {"failing": report.failing, "degraded": report.degraded}
    if report.late:
        body["last_result_age_seconds"] = {name: round(age, 1) for name, age in report.late.items()}
    return (503, {"status": "not_ready", **body}) if report.failing else (200, {"status": "ready", **body})


def _component(found: CheckResult) -> dict[str, Any]:
    component: dict[str, Any] = {
        "status": found.status,
        "critical": found.critical,
        "duration_ms": round(found.duration_s * 1000, 3),
        "reason": found.reason,
    }
    if found.age_s is not None:
        component["age_seconds"] = round(found.age_s, 1)
    if found.blocks_event_loop:
        component["blocks_event_loop"] = True
    return component


def _by_pipeline(entries: list[dict[str, Any]]) -> dict[str, int]:
    totals = dict.fromkeys(PIPELINES, 0)
    for entry in entries:
        totals[entry["labels"]["pipeline"]] += int(entry["value"])
    return totals


def _status_code(report: HealthReport) -> int:
    return 503 if report.status is Status.UNHEALTHY else 200


def _timestamp(report: HealthReport) -> str:
    """The time of the checks in RFC 3339."""
    return (
        datetime.fromtimestamp(report.taken_at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
