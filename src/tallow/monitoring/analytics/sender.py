"""Send events in the background, in order, and count those that are given up."""

from __future__ import annotations

import functools
import threading
import time
from typing import TYPE_CHECKING, Final

from tallow.monitoring.analytics.event import Event
from tallow.monitoring.lifecycle import fork
from tallow.monitoring.lifecycle.background_sender import BackgroundSender
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.settings.monitoring_settings import MonitoringSettings

if TYPE_CHECKING:
    from tallow.monitoring.analytics.delivery import PlausibleClient

EXIT_S: Final = 2.0
PIPELINE: Final = "analytics"


class EventSender:
    """A bounded queue of events and the thread that delivers them.

    Args:
        settings: the settings that begin with ``PLAUSIBLE_``.
        metrics: counts dropped events and reports the queue's depth.

    Attributes:
        put: queues an event, or drops and counts it. Never blocks.
        flush: waits until all events are delivered or dropped: whether they were, within so many seconds.
    """

    def __init__(self, settings: MonitoringSettings, metrics: Metrics) -> None:
        self.settings = settings
        self._client: PlausibleClient | None = None
        self._stopping = threading.Event()
        self._count_dropped = functools.partial(metrics.record_dropped, PIPELINE)
        self._sender: BackgroundSender[Event] = BackgroundSender(
            "tallow-analytics",
            self._work,
            on_drop=self._count_dropped,
            max_items=settings.plausible_queue_size,
            on_fork=self._after_fork,
            on_depth=functools.partial(metrics.set_telemetry_queue_depth, PIPELINE),
        )
        self.put = self._sender.put
        self.flush = self._sender.flush

    def close(self, timeout_s: float) -> None:
        """Send what is queued for at most ``timeout_s`` seconds, count the rest, and end the thread."""
        deadline = time.monotonic() + timeout_s
        self._sender.flush(timeout_s)
        self._stopping.set()
        self._sender.discard()
        ended = self._sender.close(max(0.0, deadline - time.monotonic()))
        self._sender.discard(in_flight=not ended)

    def close_at_exit(self, timeout_s: float) -> None:
        """Close when the process exits, for at most :data:`EXIT_S` seconds."""
        self.close(min(timeout_s, EXIT_S))

    def _after_fork(self) -> None:
        self._client = None  # its connections are the parent's

    def _work(self) -> None:
        while taken := self._sender.take(max_items=1):
            try:
                reason = self._connected().deliver(taken[0])
            except Exception:  # noqa: BLE001 - one bad event must not end the delivery of later ones
                reason = "failed"
            if reason is not None:
                self._count_dropped(reason, 1)
        if self._sender.closed and self._client is not None:
            self._client.close()
            self._client = None

    def _connected(self) -> PlausibleClient:
        """The client. It is loaded on this thread: importing httpx would delay the caller's first event."""
        with fork.lock:  # a child forked during the import would wait for it for ever
            from tallow.monitoring.analytics.delivery import PlausibleClient

        if self._client is None:
            self._client = PlausibleClient(self.settings, self._stopping)
        return self._client
