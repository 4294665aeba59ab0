"""Send log lines to a remote endpoint in batches, at least once, and spool them while it fails."""

from __future__ import annotations

import functools
import math
import random
import threading
import time
from collections.abc import Sequence
from typing import Final

from tallow.monitoring.lifecycle.background_sender import BackgroundSender
from tallow.monitoring.metrics import METRICS, Metrics
from tallow.monitoring.settings.monitoring_settings import MonitoringSettings
from tallow.monitoring.shipping.batch import MAX_BATCH_BYTES, Batch
from tallow.monitoring.shipping.endpoint import Endpoint
from tallow.monitoring.shipping.line_numbers import LineNumbers
from tallow.monitoring.shipping.spool import Spool

LINGER_S: Final = 1.0
"""Seconds that a line waits for others to fill a batch."""
MAX_QUEUE_BYTES: Final = 16 * 1024 * 1024
BACKOFF_S: Final = 0.5
MAX_BACKOFF_S: Final = 60.0
MAX_DOUBLINGS: Final = 30


class Shipper:
    """A log sink that sends its lines to ``LOG_ENDPOINT``. No method but :meth:`close` waits for the network.

    While the endpoint fails, batches wait in memory and, with ``LOG_SPOOL_DIR``, on disk. Dropped lines are
    counted.

    Args:
        settings: ``LOG_ENDPOINT`` (required) and the settings that begin with ``LOG_``.
        metrics: counts dropped lines and reports the queue's depth.
        backoff_s: upper limit in seconds of the first wait after a failure. It doubles up to
            :data:`MAX_BACKOFF_S`; the wait is a random part of it.
        linger_s: seconds that a line waits for others.

    Example::

        >>> import time
        >>> from tallow.monitoring.settings.monitoring_settings import MonitoringSettings
        >>> from tallow.monitoring.testing import log_endpoint
        >>> line = b'{"timestamp": "2026-01-02T03:04:05.678Z", "level": "info", "message": "Ready"}\\n'
        >>> with log_endpoint() as endpoint:
        ...     shipper = Shipper(MonitoringSettings.load(log_endpoint=endpoint.url))
        ...     shipper.write([line])
        ...     shipper.close(deadline=time.monotonic() + 5)
        ...     endpoint.messages
        ['Ready']
    """

    def __init__(
        self,
        settings: MonitoringSettings,
        metrics: Metrics = METRICS,
        *,
        backoff_s: float = BACKOFF_S,
        linger_s: float = LINGER_S,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._backoff_s, self._linger_s = backoff_s, linger_s
        self._count_dropped = functools.partial(metrics.record_dropped, "logs")
        self._spool = (
            Spool(
                settings.log_spool_dir,
                settings.log_spool_max_bytes,
                functools.partial(self._count_dropped, "queue_full"),
            )
            if settings.log_spool_dir
            else None
        )
        self._sender: BackgroundSender[bytes] = BackgroundSender(
            "tallow-shipping",
            self._work,
            on_drop=self._count_dropped,
            max_items=settings.log_queue_size,
            size=len,
            gather_s=linger_s,
            on_no_thread=self._without_thread,
            on_fork=self._reset,
        )
        self._finished = False  # whether close() has taken what was queued
        self._reset()

    def _reset(self) -> None:
        """Start with no batch and with new connections: a forked child must not share its parent's."""
        self._endpoint = Endpoint(self._settings)
        self._numbers = LineNumbers()
        self._lock = threading.RLock()  # guards the current batch
        self._current: Batch | None = None
        self._failures = 0
        self._not_before = 0.0
        self._deadline = math.inf

    def write(self, lines: Sequence[bytes]) -> None:
        """Queue lines, each with its newline. If the queue is full, the oldest are spooled, or dropped."""
        sender = self._sender
        for line in lines:
            if sender.queued >= self._settings.log_queue_size or sender.size > MAX_QUEUE_BYTES:
                self._make_room()
            sender.put(line)
        if sender.queued >= self._settings.log_batch_size:
            sender.hurry()

    def drain(self, deadline: float) -> None:
        """Send what is queued now, until ``deadline`` on the monotonic clock or until the endpoint fails."""
        self._sender.flush(max(0.0, deadline - time.monotonic()), give_up=lambda: bool(self._not_before))

    def close(self, deadline: float) -> None:
        """Send what is queued until ``deadline`` on the monotonic clock; spool or count the rest."""
        self._deadline = deadline
        self._sender.close(max(0.0, deadline - time.monotonic()))
        with self._lock:
            while (batch := self._take()) is not None:
                if not self._spooled(batch):
                    self._count_dropped("failed", len(batch.lines))
                self._current = None
            self._finished = True
        self._endpoint.close()

    def _without_thread(self) -> None:
        """The interpreter is ending and starts no threads: :meth:`close` sends. Nothing is sent after it."""
        with self._lock:
            if self._finished:
                self._sender.discard()

    def _work(self) -> float | None:
        """Send what can be sent now, oldest first, and spool the rest if the endpoint fails."""
        if self._sender.closed:  # the last attempt: the endpoint may work again
            self._not_before = 0.0
        if time.monotonic() >= self._not_before:
            self._not_before = 0.0
            while self._send_spooled() and self._send_queued():
                if not self._sender.queued and self._current is None:
                    break
        if self._not_before:
            self._spool_queue()
        self._report_depth()
        return self._seconds_to_next_attempt()

    def _spool_queue(self) -> None:
        """Store queued batches on disk, until the disk does not accept one."""
        with self._lock:
            while (batch := self._take()) is not None and self._spooled(batch):
                self._current = None

    def _seconds_to_next_attempt(self) -> float | None:
        if self._not_before:
            return max(0.01, self._not_before - time.monotonic())
        # Another process may have left batches in the spool.
        return self._linger_s if self._spool is not None else None

    def _send_spooled(self) -> bool:
        """Send every spooled batch. False if the endpoint fails."""
        while self._spool is not None:
            with self._spool.oldest() as batch:
                if batch is None:
                    return True
                if not self._send(batch):
                    return False
                self._spool.remove(batch)
        return True

    def _send_queued(self) -> bool:
        """Send one batch from memory, if there is one. False if the endpoint fails."""
        with self._lock:
            batch = self._take()
        if batch is None:
            return True
        if not self._send(batch):
            return False
        with self._lock:
            if self._current is batch:  # otherwise close() has spooled it meanwhile, and it arrives twice
                self._current = None
        return True

    def _send(self, batch: Batch) -> bool:
        """Try once. False if the batch must be sent again."""
        seconds_left = self._deadline - time.monotonic()
        if seconds_left <= 0:
            return False
        result = self._endpoint.send(batch, seconds_left)
        if result.outcome == "retry":
            ceiling = min(MAX_BACKOFF_S, self._backoff_s * 2.0 ** min(self._failures, MAX_DOUBLINGS))
            self._failures += 1
            wait = max(result.after_s, random.uniform(0, ceiling))  # noqa: S311 - jitter is no secret
            self._not_before = time.monotonic() + wait
            return False
        self._failures = 0
        if result.outcome == "rejected":
            self._count_dropped("rejected", result.rejected_lines)
        return True

    def _take(self) -> Batch | None:
        """The current batch, or a new one from the queue. The caller holds the lock."""
        if self._current is None:
            self._current = self._next_batch()
        return self._current

    def _next_batch(self) -> Batch | None:
        with self._lock:  # lines are numbered in the order in which they are taken
            lines = self._sender.take(self._settings.log_batch_size, MAX_BATCH_BYTES)
            return Batch(lines, first_number=self._numbers.take(lines)) if lines else None

    def _make_room(self) -> None:
        """Spool the oldest lines of the queue, or drop and count them."""
        batch = self._next_batch()
        if batch is not None and not self._spooled(batch):
            self._count_dropped("queue_full", len(batch.lines))

    def _spooled(self, batch: Batch) -> bool:
        return self._spool is not None and self._spool.put(batch)

    def _report_depth(self) -> None:
        with self._lock:
            depth = self._sender.queued + (len(self._current.lines) if self._current else 0)
        if self._spool is not None:
            depth += self._spool.line_count()
        self._metrics.set_telemetry_queue_depth("logs", depth)
