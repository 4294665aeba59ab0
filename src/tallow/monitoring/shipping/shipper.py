"""The sender: takes lines, makes batches, sends them at least once, and spools while it cannot."""

from __future__ import annotations

import math
import os
import random
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from tallow.monitoring.logging.writer import telemetry
from tallow.monitoring.metrics import METRICS, Metrics
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.shipping.batch import MAX_BATCH_BYTES, Batch
from tallow.monitoring.shipping.endpoint import Endpoint
from tallow.monitoring.shipping.spool import Spool

LINGER_S: Final = 1.0
"""How long a line waits for others to fill a batch."""
MAX_QUEUE_BYTES: Final = 16 * 1024 * 1024
DRAIN_S: Final = 0.01
BACKOFF_S: Final = 0.5
MAX_BACKOFF_S: Final = 60.0


class Shipper:
    """A sink that sends. ``write`` is called on the writer's thread and never waits for the network.

    Args:
        settings: ``LOG_ENDPOINT`` (which must be set) and what goes with it.
        metrics: where to count what is dropped and what waits.
        backoff_s: ceiling of the first wait after a failure; it doubles up to :data:`MAX_BACKOFF_S`, and the
            wait is a random part of it.
        linger_s: how long a line waits for others.
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
        folder = settings.log_spool_dir
        self._spool = (
            Spool(folder, settings.log_spool_max_bytes, lambda lines: self._drop("queue_full", lines))
            if folder
            else None
        )
        self._reset()
        _shippers.add(self)

    def _reset(self) -> None:
        """Begin with nothing: at the start, and in a forked child (its parent sends what waited)."""
        settings = self._settings
        token = settings.log_endpoint_token
        self._endpoint = Endpoint(
            settings.log_endpoint or "",
            settings.log_endpoint_kind,
            token.get_secret_value() if token else None,
            settings.log_endpoint_timeout,
        )
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._current: Batch | None = None
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._failures = 0
        self._not_before = 0.0
        self._deadline = math.inf

    def write(self, lines: Sequence[bytes]) -> None:
        """Queue lines. What memory has no room for goes to the spool, or is dropped and counted."""
        with self._lock:
            for line in lines:
                if len(self._queue) >= self._settings.log_queue_size or self._bytes > MAX_QUEUE_BYTES:
                    self._overflow()
                self._queue.append(line)
                self._bytes += len(line)
            if self._thread is None and not self._closing:
                self._start()
            if len(self._queue) >= self._settings.log_batch_size:
                self._wake.set()

    def _start(self) -> None:
        """Start the thread. An interpreter that is ending may start none (Python 3.12.0 and 3.12.1): then
        :meth:`close` sends."""
        thread = threading.Thread(target=self._run, name="tallow-shipping", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return
        self._thread = thread

    def drain(self, deadline: float) -> None:
        """Send what waits now, until ``deadline`` on the monotonic clock or until the endpoint fails."""
        self._wake.set()
        while (
            self._thread is not None
            and self._waits()
            and not self._not_before
            and time.monotonic() < deadline
        ):
            time.sleep(DRAIN_S)

    def _waits(self) -> bool:
        with self._lock:
            return bool(self._queue) or self._current is not None

    def close(self, deadline: float) -> None:
        """Send what waits until ``deadline`` on the monotonic clock; spool or count the rest."""
        self._closing = True
        self._wake.set()
        thread = self._thread
        if thread is None:
            self._deadline = deadline
            self._work()
        elif thread is not threading.current_thread():
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            while (batch := self._take()) is not None:
                if self._spool is None or not self._spool.put(batch):
                    self._drop("failed", len(batch.lines))
                self._current = None
        self._endpoint.close()
        _shippers.discard(self)

    def _run(self) -> None:
        telemetry.mine = True
        while not self._closing:
            wait = max(self._linger_s, 0.0)
            if self._not_before:
                wait = min(wait, max(0.01, self._not_before - time.monotonic()))
            self._wake.wait(wait)
            self._wake.clear()
            self._work()
        self._not_before = 0.0  # the last chance: the endpoint may be back
        self._work()

    def _work(self) -> None:
        """Send what can be sent now, oldest first; spool the rest if the endpoint is down."""
        if time.monotonic() >= self._not_before:
            self._not_before = 0.0
            while self._send_spooled() and self._send_queued():
                if not self._queue and self._current is None:
                    break
        if self._not_before and self._spool is not None:
            with self._lock:
                while (batch := self._take()) is not None and self._spool.put(batch):
                    self._current = None
        self._report_depth()

    def _send_spooled(self) -> bool:
        """Empty the spool; False once the endpoint fails."""
        while self._spool is not None:
            with self._spool.oldest() as batch:
                if batch is None:
                    return True
                if not self._sent(batch):
                    return False
                self._spool.remove(batch)
        return True

    def _send_queued(self) -> bool:
        """Send one batch from memory, if there is one; False once the endpoint fails."""
        with self._lock:
            batch = self._take()
        if batch is None:
            return True
        if not self._sent(batch):
            return False
        with self._lock:
            if self._current is batch:  # else closing has spooled it meanwhile: it will arrive twice
                self._current = None
        return True

    def _sent(self, batch: Batch) -> bool:
        """Try once; whether the batch is done with."""
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            return False
        answer = self._endpoint.send(batch, left_s)
        if answer.outcome == "again":
            ceiling = min(MAX_BACKOFF_S, self._backoff_s * 2.0 ** min(self._failures, 30))
            self._failures += 1
            wait = max(answer.after_s, random.uniform(0, ceiling))  # noqa: S311 - jitter is no secret
            self._not_before = time.monotonic() + wait
            return False
        self._failures = 0
        if answer.outcome == "refused":
            self._drop("rejected", len(batch.lines))
        return True

    def _take(self) -> Batch | None:
        """The batch at hand, or the next from the queue. The lock is held."""
        if self._current is None and self._queue:
            lines: list[bytes] = []
            size = 0
            while self._queue and len(lines) < self._settings.log_batch_size:
                if lines and size + len(self._queue[0]) > MAX_BATCH_BYTES:
                    break
                lines.append(self._queue.popleft())
                size += len(lines[-1])
            self._bytes -= size
            self._current = Batch(lines)
        return self._current

    def _overflow(self) -> None:
        """Make room in the queue for a line, the oldest giving way. The lock is held."""
        held, self._current = self._current, None
        batch = self._take()
        self._current = held
        if batch is not None and (self._spool is None or not self._spool.put(batch)):
            self._drop("queue_full", len(batch.lines))

    def _drop(self, reason: str, lines: int) -> None:
        self._metrics.record_dropped("logs", reason, lines)

    def _report_depth(self) -> None:
        with self._lock:
            depth = len(self._queue) + (len(self._current.lines) if self._current else 0)
        if self._spool is not None:
            depth += self._spool.waiting()
        self._metrics.set_telemetry_queue_depth("logs", depth)


_shippers: Final[weakref.WeakSet[Shipper]] = weakref.WeakSet()


def _after_fork() -> None:
    for shipper in list(_shippers):
        shipper._reset()


_register: Callable[..., None] | None = getattr(os, "register_at_fork", None)
if _register is not None:
    _register(after_in_child=_after_fork)
