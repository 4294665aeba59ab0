"""What a peer reports: counts and timings of this transfer, never who, what or where.

A peer records into a registry of its own with the library's helpers. Reports carry what was added since the
last accepted one; each has a token that is good once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

import httpx

from tallow.app.features import FEATURES
from tallow.app.peer.server_client import ServerClient
from tallow.monitoring import correlation
from tallow.monitoring.catalog import METRICS
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry

VERSION: Final = 1
REPORT_INTERVAL_S: Final = 15
"""Between two reports of a long transfer."""
FINAL_REPORT_TIMEOUT_S: Final = 5
"""How long the end of a transfer waits for its last report."""
OUTCOME_METRICS: Final = frozenset(
    {"transfers_total", "transfer_duration_seconds", "transfer_speed_mbps", "file_size_bytes"}
)

REPORTED: Final = tuple(
    name
    for name, metric in METRICS.items()
    if metric.source in {"peer", "both"} and metric.kind in {"counter", "histogram"}
)

Snapshot = dict[str, list[dict[str, Any]]]


def new_metrics(features: Iterable[str] = FEATURES) -> Metrics:
    """A registry of a peer's own, with its helpers."""
    metrics = Metrics(Registry())
    for feature in features:
        metrics.register_feature(feature)
    return metrics


class TelemetryReporter:
    """Reports what one side records.

    Args:
        enabled: False: nothing is ever sent.
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
        """A seat was taken, and brought a token."""
        self._token = token
        self._correlation_id = correlation_id

    async def report_periodically(self) -> None:
        """Report while a long transfer runs, until cancelled."""
        while self._enabled:
            await asyncio.sleep(REPORT_INTERVAL_S)
            await self.report()

    async def report_final(self) -> bool:
        """The report at the end; whether it was booked. Waits a little, never long, and never raises."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FINAL_REPORT_TIMEOUT_S):
                return await self.report()
        return False

    async def report(self) -> bool:
        """Report what was added since the last time; whether there was nothing to say or it was booked."""
        if not self._enabled or self._token is None:
            return False
        async with self._lock:
            snapshot = self._metrics.registry.snapshot(REPORTED)
            added = difference(snapshot, self._reported)
            if not added:
                return True
            answer = await self._post(added)
            if answer is None:
                return False
            if answer.status_code == 400 and "transfers_total" in added:
                # The server has booked this transfer's outcome already: the rest still counts.
                rest = {name: rows for name, rows in added.items() if name not in OUTCOME_METRICS}
                answer = await self._post(rest) if rest else answer
            if answer is None:
                return False
            return self._process_response(answer, snapshot)

    async def _post(self, added: Snapshot) -> httpx.Response | None:
        assert self._token is not None
        body: dict[str, Any] = {"version": VERSION, "metrics": added}
        if "transfers_total" in added:
            body["outcome"] = added["transfers_total"][0]["labels"]["status"]
        with suppress(httpx.HTTPError), correlation.bind(self._correlation_id):
            return await self._server.post_report(self._token, body)
        return None

    def _process_response(self, answer: httpx.Response, snapshot: Snapshot) -> bool:
        """Note what an answer means. What was refused is not sent again: it would be refused again."""
        if answer.status_code == 429 or answer.status_code >= 500:
            return False
        self._reported = snapshot
        if answer.status_code != 200:
            self._token = None if answer.status_code == 401 else self._token
            return False
        self.accepted_reports += 1
        with suppress(ValueError, KeyError, TypeError):
            self._token = str(answer.json()["next"])
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
