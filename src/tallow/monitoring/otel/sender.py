"""Send the items of one signal with an official exporter, from a background thread."""

from __future__ import annotations

import functools
import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from opentelemetry import context

from tallow.monitoring.lifecycle.background_sender import BackgroundSender, is_sender_thread
from tallow.monitoring.lifecycle.warn_once import warn_once
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.otel.session import OtlpSession, Outcome

BATCH_ITEMS: Final = 512
"""The specification's size of a batch of spans and of log records."""
MAX_BYTES: Final = 16 * 1024 * 1024
GATHER_S: Final = 1.0
BACKOFF_S: Final = 0.5
MAX_BACKOFF_S: Final = 30.0
_SUPPRESS: Final = ("suppress_instrumentation", "suppress_http_instrumentation")
_NOISY: Final = ("opentelemetry.exporter.", "opentelemetry.util.", "opentelemetry.attributes", "urllib3")

Item = TypeVar("Item")


class Exporter(Protocol):
    """The part of an official exporter that is used."""

    def export(self, batch: Any, /) -> Any:
        """Send a batch."""

    def shutdown(self) -> None:
        """Close the connections."""


class SignalSender(Generic[Item]):
    """Queues the items of a signal and sends them in batches, each until it is accepted or refused.

    Args:
        signal: ``metrics``, ``logs`` or ``traces``.
        make_exporter: creates the official exporter on a session; called on the thread, and again in a
            forked child.
        convert: makes what the exporter takes of queued items; what is private is removed here.
        metrics: counts drops.
        max_items: how many items may wait.
        size: measures an item in bytes.
        on_depth: called with the signal and the number of items that wait.
    """

    def __init__(
        self,
        signal: str,
        make_exporter: Callable[[OtlpSession], Exporter],
        convert: Callable[[Sequence[Item]], Any],
        *,
        metrics: Metrics,
        max_items: int,
        size: Callable[[Item], int] = lambda _item: 1,
        on_depth: Callable[[str, int], object] = lambda _signal, _depth: None,
    ) -> None:
        self._signal = signal
        self._make_exporter, self._convert = make_exporter, convert
        self._count_dropped = functools.partial(metrics.record_dropped, "otel")
        self._sender: BackgroundSender[Item] = BackgroundSender(
            f"tallow-otel-{signal}",
            self._work,
            on_drop=self._count_dropped,
            max_items=max_items,
            max_size=MAX_BYTES,
            size=size,
            gather_s=GATHER_S,
            on_fork=self._reset,
            on_depth=functools.partial(on_depth, signal),
        )
        self.put = self._sender.put
        self.hurry = self._sender.hurry
        self._reset()

    def _reset(self) -> None:
        """Start with no batch and new connections: a forked child must not share its parent's."""
        self._lock = threading.RLock()  # guards the current batch
        self._current: Sequence[Item] = ()
        self._session = OtlpSession(self._signal)
        self._exporter: Exporter | None = None
        self._failures = 0
        self._not_before = 0.0

    @property
    def queued(self) -> int:
        """Items that wait in the queue."""
        return self._sender.queued

    def flush(self, timeout_s: float) -> None:
        """Send what is queued for at most ``timeout_s`` seconds, or until the endpoint fails."""
        self._sender.flush(timeout_s, give_up=lambda: bool(self._not_before))

    def close(self, timeout_s: float) -> None:
        """Send what is queued for at most ``timeout_s`` seconds, and count the rest as dropped."""
        self._session.deadline = time.monotonic() + timeout_s
        self._sender.close(timeout_s)
        with self._lock:
            if self._current:
                self._count_dropped("failed", len(self._current))
            self._current = ()
        self._sender.discard()
        exporter, self._exporter = self._exporter, None
        if exporter is not None:
            exporter.shutdown()

    def _work(self) -> float | None:
        if self._sender.closed:  # the last attempt: the endpoint may work again
            self._not_before = 0.0
        if time.monotonic() >= self._not_before:
            self._not_before = 0.0
            with _suppressed_instrumentation():
                while not self._not_before and self._send_next():
                    pass
        return max(0.01, self._not_before - time.monotonic()) if self._not_before else None

    def _send_next(self) -> bool:
        """Send the current or the next batch: whether there was one."""
        with self._lock:
            if not self._current:
                self._current = self._sender.take(BATCH_ITEMS)
            batch = self._current
        if not batch:
            return False
        outcome = self._attempt(batch)
        if outcome.kind == "retry" and not self._sender.closed:
            self._wait(outcome)
            return True
        with self._lock:
            if self._current is not batch:  # close() has counted it
                return False
            self._current = ()
        self._count(outcome, len(batch))
        return True

    def _attempt(self, batch: Sequence[Item]) -> Outcome:
        try:
            if self._exporter is None:
                self._exporter = self._make_exporter(self._session)
                _silence_exporters()
            self._session.outcome = Outcome("refused", "the data could not be encoded")
            self._exporter.export(self._convert(batch))
            return self._session.outcome
        except Exception as error:  # noqa: BLE001 - one bad batch must not end the delivery of later ones
            return Outcome("refused", type(error).__name__)

    def _count(self, outcome: Outcome, items: int) -> None:
        self._failures = 0
        if outcome.kind == "sent":
            if outcome.rejected:
                self._count_dropped("rejected", outcome.rejected)
            return
        self._count_dropped("rejected" if outcome.kind == "refused" else "failed", items)
        warn_once(f"{self._signal} are not accepted over OTLP", outcome.why)

    def _wait(self, outcome: Outcome) -> None:
        ceiling = min(MAX_BACKOFF_S, BACKOFF_S * 2.0 ** min(self._failures, 10))
        self._failures += 1
        jittered = random.uniform(ceiling / 2, ceiling)  # noqa: S311 - jitter is no secret
        self._not_before = time.monotonic() + max(outcome.after_s, jittered)
        if self._failures > 1:
            warn_once(f"{self._signal} cannot be sent over OTLP; they wait", outcome.why)


class _suppressed_instrumentation:  # noqa: N801 - used as a function
    """Keep OpenTelemetry's instrumentation from making spans of the exporters' own requests."""

    def __enter__(self) -> None:
        suppressed = context.get_current()
        for key in (context._SUPPRESS_INSTRUMENTATION_KEY, *_SUPPRESS):
            suppressed = context.set_value(key, True, suppressed)
        self._before = context.get_current()  # no token: see correlation.bind
        context.attach(suppressed)

    def __exit__(self, *error: object) -> None:
        context.attach(self._before)


def _drop_own_records(_record: logging.LogRecord) -> bool:
    return not is_sender_thread()


def _silence_exporters() -> None:
    """Drop what the exporters log on a sender's thread: texts of exceptions, with addresses, unscrubbed."""
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(_NOISY):
            logging.getLogger(name).addFilter(_drop_own_records)
