"""The SDK's transport: its queue counts what it drops, and items that no hook has scrubbed are left out."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any, Final

import sentry_sdk
from sentry_sdk.envelope import Envelope, Item
from sentry_sdk.transport import HttpTransport
from sentry_sdk.worker import Worker

from tallow.monitoring.lifecycle.background_sender import BackgroundSender
from tallow.monitoring.lifecycle.delivery_notice import DeliveryNotice
from tallow.monitoring.lifecycle.warn_once import warn_once
from tallow.monitoring.metrics import Metrics

HOOKED: Final = frozenset({"event", "transaction", "check_in", "log", "trace_metric"})
"""Item types that a hook has scrubbed."""

COUNTS: Final = frozenset({"sessions", "client_report"})
"""Item types that hold numbers only."""

SILENT_FLUSH_S: Final = 0.1
"""Seconds before the callback of a flush is called, as in the SDK's own worker."""

_REASONS: Final = {"self_rate_limits": "rate_limited", "status_429": "rate_limited"}
_QUEUE_FULL: Final = "full_queue"
_PROXY_REASONS: Final = frozenset({"network", "status_407"})
_TRACE: Final = frozenset({"trace_id", "public_key", "sample_rate", "sampled", "sample_rand", "environment"})

Job = Callable[[], Any]
FlushCallback = Callable[[int, float], Any]


class SenderWorker(Worker):
    """The SDK's worker interface over a :class:`BackgroundSender`.

    Args:
        queue_size: how many envelopes may wait.
        metrics: counts dropped envelopes and reports the queue's depth.
        on_fork: called in a forked child.
    """

    def __init__(self, queue_size: int, metrics: Metrics, on_fork: Callable[[], object]) -> None:
        self._queue_size = queue_size
        self._count_dropped = functools.partial(metrics.record_dropped, "sentry")
        self._sender: BackgroundSender[Job] = BackgroundSender(
            "tallow-sentry",
            self._work,
            on_drop=self._count_dropped,
            max_items=queue_size,
            on_fork=on_fork,
            on_depth=functools.partial(metrics.set_telemetry_queue_depth, "sentry"),
        )

    @property
    def is_alive(self) -> bool:
        """Whether envelopes are still sent."""
        return not self._sender.closed

    def submit(self, callback: Job) -> bool:
        """Queue a job, or drop and count it: whether it was queued."""
        return self._sender.put(callback)

    def full(self) -> bool:
        """Whether the queue is full. The SDK samples less then."""
        return self._sender.queued >= self._queue_size

    def flush(self, timeout: float, callback: FlushCallback | None = None) -> None:
        """Wait at most ``timeout`` seconds. Call ``callback`` with the number of jobs if it takes a while."""
        first = min(SILENT_FLUSH_S, timeout)
        if not self._sender.flush(first):
            if callback is not None:
                callback(self._sender.depth, timeout)
            self._sender.flush(timeout - first)

    def is_idle(self) -> bool:
        """Whether nothing is queued or on its way."""
        return self._sender.depth == 0

    def kill(self) -> None:
        """End the thread without waiting, and count what is queued or on its way as dropped."""
        self._sender.discard(in_flight=True)
        self._sender.close(0)
        self._sender.discard()  # what came meanwhile

    def _work(self) -> None:
        while taken := self._sender.take(max_items=1):
            try:
                taken[0]()
            except Exception:  # noqa: BLE001 - one bad envelope must not end the delivery of later ones
                self._count_dropped("failed", 1)


class Transport(HttpTransport):
    """The SDK's transport over HTTP.

    Attributes:
        metrics: counts dropped envelopes.
        proxy: the address of the proxy without its password, or None.
        notice: logs that reports do not arrive.
    """

    metrics: Metrics
    proxy: str | None
    notice: DeliveryNotice

    def _create_worker(self, options: dict[str, Any]) -> Worker:
        self._sender_worker = SenderWorker(options["transport_queue_size"], self.metrics, self._after_fork)
        return self._sender_worker

    def _after_fork(self) -> None:
        self._pool = self._make_pool()  # the connections in the old one are the parent's

    def capture_envelope(self, envelope: Envelope) -> None:
        """Queue an envelope without the items that no hook scrubs: attachments, profiles, user feedback."""
        items = [item for item in envelope.items if _is_allowed(item)]
        if len(items) < len(envelope.items):
            self.metrics.record_dropped("sentry", "rejected", len(envelope.items) - len(items))
        if items:
            super().capture_envelope(Envelope(headers=_scrubbed_headers(envelope.headers), items=items))

    def flush(self, timeout: float, callback: FlushCallback | None = None) -> None:
        """Wait at most ``timeout`` seconds until all is sent; then send the SDK's own report of drops."""
        deadline = time.monotonic() + timeout
        self._sender_worker.flush(timeout, callback)
        if self._sender_worker.is_idle() and time.monotonic() < deadline:
            self._flush_client_reports(force=True)
            self._sender_worker.flush(deadline - time.monotonic())

    def on_dropped_event(self, reason: str) -> None:
        """Count an envelope that the SDK gives up."""
        if reason == _QUEUE_FULL:  # the worker has counted it
            return
        if self.proxy is not None and reason in _PROXY_REASONS:
            warn_once("reports do not reach Sentry through the proxy", self.proxy)
        self.notice.failed(reason)
        status = reason.removeprefix("status_")
        by_status = "rejected" if status != reason and status.startswith("4") else "failed"
        self.metrics.record_dropped("sentry", _REASONS.get(reason, by_status))

    def _send_envelope(self, envelope: Envelope) -> None:
        # The SDK's worker starts in the middle of a request. Where a DSN names a port, the SDK would trace
        # its own requests as a part of that one.
        with sentry_sdk.isolation_scope():
            sentry_sdk.get_current_scope().span = None
            super()._send_envelope(envelope)


def make_transport(metrics: Metrics, proxy: str | None = None) -> type[Transport]:
    """A transport class for ``sentry_sdk.init``, which creates the instance.

    Args:
        metrics: counts dropped envelopes.
        proxy: the address of the proxy without its password. It is logged once if reports do not get through.
    """

    class CountingTransport(Transport):
        pass

    CountingTransport.metrics = metrics
    CountingTransport.proxy = proxy
    CountingTransport.notice = DeliveryNotice("error reports")
    return CountingTransport


def _is_allowed(item: Item) -> bool:
    # Items of the type "session" belong to one person; aggregates have the type "sessions".
    return item.type in HOOKED or item.type in COUNTS


def _scrubbed_headers(headers: dict[str, Any]) -> dict[str, Any]:
    """An envelope's headers; of its trace only fields that cannot have come with a request."""
    trace = headers.get("trace")
    if not isinstance(trace, dict):
        return headers
    return headers | {"trace": {name: value for name, value in trace.items() if name in _TRACE}}
