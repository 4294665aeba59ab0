"""Telemetry of a peer: counts and timings of its transfer, no names, addresses or content.

A peer records into its own registry with the library's helpers. A report holds what was added since the last
accepted report. Each token is valid for one report.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

import httpx

from tallow.app.peer.server_client import ServerClient
from tallow.app.wire import FEATURES, REPORT_VERSION, REPORTED_METRICS
from tallow.monitoring import correlation
from tallow.monitoring.catalog import CATALOGS, NAMESPACE
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.metrics.snapshot import Snapshot

REPORT_INTERVAL_S: Final = 15
"""Seconds between reports during a long transfer."""
FINAL_REPORT_TIMEOUT_S: Final = 5
"""Seconds that the end of a transfer waits for the final report."""
OUTCOME_METRICS: Final = frozenset(
    {"transfers_total", "transfer_duration_seconds", "transfer_speed_mbps", "file_size_bytes"}
)
"""Metrics that the server accepts once per transfer."""


def new_metrics(features: Iterable[str] = FEATURES) -> Metrics:
    """A new registry with its helpers, for one peer."""
    metrics = Metrics(Registry(namespace=NAMESPACE, catalogs=CATALOGS))
    for feature in features:
        metrics.register_feature(feature)
    return metrics


class TelemetryReporter:
    """Reports what one side records.

    Args:
        enabled: False: nothing is sent.

    Attributes:
        accepted_reports: reports that the server accepted.
    """

    def __init__(self, server: ServerClient, metrics: Metrics, *, enabled: bool) -> None:
        self._server = server
        self._metrics = metrics
        self._enabled = enabled
        self._token: str | None = None
        self._correlation_id = ""
        self._reported: Snapshot = {}
        self._lock = asyncio.Lock()
        self.accepted_reports = 0

    def set_token(self, token: str, correlation_id: str) -> None:
        """Set the token and correlation id that came with a join."""
        self._token = token
        self._correlation_id = correlation_id

    async def report_periodically(self) -> None:
        """Report during a transfer, until cancelled."""
        while self._enabled:
            await asyncio.sleep(REPORT_INTERVAL_S)
            await self.report()

    async def report_final(self) -> bool:
        """Send the final report; whether it was accepted. Waits for a limited time and never raises."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FINAL_REPORT_TIMEOUT_S):
                return await self.report()
        return False

    async def report(self) -> bool:
        """Report what was added since the last accepted report; whether it was accepted or empty."""
        if not self._enabled or self._token is None:
            return False
        async with self._lock:
            snapshot = self._metrics.registry.snapshot(tuple(REPORTED_METRICS))
            added = difference(snapshot, self._reported)
            if not added:
                return True
            response = await self._post_accepted_part(added)
            return response is not None and self._process_response(response, snapshot)

    async def _post_accepted_part(self, added: Snapshot) -> httpx.Response | None:
        response = await self._post(added)
        if response is not None and response.status_code == 400 and "transfers_total" in added:
            # The server has counted this transfer's outcome already: report the rest.
            rest = {name: rows for name, rows in added.items() if name not in OUTCOME_METRICS}
            return await self._post(rest) if rest else response
        return response

    async def _post(self, added: Snapshot) -> httpx.Response | None:
        assert self._token is not None
        body: dict[str, Any] = {"version": REPORT_VERSION, "metrics": added}
        if "transfers_total" in added:
            body["outcome"] = added["transfers_total"][0]["labels"]["status"]
        with suppress(httpx.HTTPError), correlation.bind(self._correlation_id):
            return await self._server.post_report(self._token, body)
        return None

    def _process_response(self, response: httpx.Response, snapshot: Snapshot) -> bool:
        """Update token and baseline. A refused report is not sent again: it would be refused again."""
        if response.status_code == 429 or response.status_code >= 500:
            return False
        self._reported = snapshot
        if response.status_code != 200:
            self._token = None if response.status_code == 401 else self._token
            return False
        self.accepted_reports += 1
        with suppress(ValueError, KeyError, TypeError):
            self._token = str(response.json()["next"])
        return True


def difference(now: Snapshot, before: Snapshot) -> Snapshot:
    """What was added between two snapshots of one registry."""
    earlier = {(name, *sorted(row["labels"].items())): row for name, rows in before.items() for row in rows}
    added: Snapshot = {}
    for name, rows in now.items():
        for row in rows:
            old = earlier.get((name, *sorted(row["labels"].items())))
            entry = row if old is None else _subtract(row, old)
            if entry.get("value") or any(entry.get("buckets", ())):
                added.setdefault(name, []).append(entry)
    return added


def _subtract(row: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    if "value" in row:
        return {"labels": row["labels"], "value": row["value"] - old["value"]}
    buckets = [new - known for new, known in zip(row["buckets"], old["buckets"], strict=True)]
    return {"labels": row["labels"], "buckets": buckets, "sum": max(0.0, row["sum"] - old["sum"])}
