"""The way out: a bounded queue, what it gives up counted, and what no hook has seen kept back."""

from __future__ import annotations

import threading
from typing import Any, Final

import sentry_sdk
from sentry_sdk.envelope import Envelope, Item
from sentry_sdk.transport import HttpTransport

from tallow.monitoring.lifecycle.warn_once import warn_once
from tallow.monitoring.metrics import Metrics

HOOKED: Final = frozenset({"event", "transaction", "check_in", "log", "trace_metric"})
"""Item types that a hook has scrubbed."""

COUNTS: Final = frozenset({"sessions", "client_report"})
"""Item types that hold numbers only."""

_REASONS: Final = {
    "full_queue": "queue_full",
    "self_rate_limits": "rate_limited",
    "status_429": "rate_limited",
}
_BY_PROXY: Final = frozenset({"network", "status_407"})
_TRACE: Final = frozenset({"trace_id", "public_key", "sample_rate", "sampled", "sample_rand", "environment"})


class Transport(HttpTransport):
    """The SDK's transport over HTTP, counting."""

    metrics: Metrics
    proxy: str | None

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(options)
        self._pending = 0
        self._counting = threading.Lock()

    def capture_envelope(self, envelope: Envelope) -> None:
        """Queue an envelope, without what no hook has seen: attachments, profiles, user feedback."""
        items = [item for item in envelope.items if _known(item)]
        if len(items) < len(envelope.items):
            self.metrics.record_dropped("sentry", "rejected", len(envelope.items) - len(items))
        if items:
            self._count(1)
            super().capture_envelope(Envelope(headers=_headers(envelope.headers), items=items))

    def on_dropped_event(self, reason: str) -> None:
        """Count an envelope given up."""
        if self.proxy is not None and reason in _BY_PROXY:
            warn_once("reports do not reach Sentry through the proxy", self.proxy)
        status = reason.removeprefix("status_")
        ours = "rejected" if status != reason and status.startswith("4") else "failed"
        self.metrics.record_dropped("sentry", _REASONS.get(reason, ours))
        if reason == "full_queue":
            self._count(-1)

    def kill(self) -> None:
        """Give up what is still queued, and count it."""
        super().kill()
        with self._counting:
            left, self._pending = self._pending, 0
        if left:
            self.metrics.record_dropped("sentry", "failed", left)
        self._count(0)

    def _send_envelope(self, envelope: Envelope) -> None:
        # The SDK's worker begins in the middle of somebody's request and, where a DSN names a port, takes its
        # own requests for parts of that.
        try:
            with sentry_sdk.isolation_scope():
                sentry_sdk.get_current_scope().span = None
                super()._send_envelope(envelope)
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._counting:
            self._pending = max(0, self._pending + change)  # the last may come back after it was given up
            self.metrics.set_telemetry_queue_depth("sentry", self._pending)


def make_transport(into: Metrics, through: str | None = None) -> type[Transport]:
    """A transport that counts into ``into``; the SDK creates one when it is initialised.

    Args:
        through: the address of the proxy, without its password: named once when reports do not get through.
    """

    class Counting(Transport):
        metrics = into
        proxy = through

    return Counting


def _known(item: Item) -> bool:
    if item.type == "session":  # a person's; aggregates are "sessions"
        return False
    return item.type in HOOKED or item.type in COUNTS


def _headers(headers: dict[str, Any]) -> dict[str, Any]:
    """An envelope's headers; of the trace it belongs to no name that may have come with a request."""
    trace = headers.get("trace")
    if not isinstance(trace, dict):
        return headers
    return headers | {"trace": {name: value for name, value in trace.items() if name in _TRACE}}
