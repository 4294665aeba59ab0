"""Queue log lines and write them to the sinks from background threads.

A caller appends to bounded queues and never waits for a disk, a terminal or a pipe. Each sink has a queue and
a thread of its own: standard output that nobody reads does not keep lines from the log endpoint. Lines that
arrive within :data:`GATHER_S` are written together, so that a burst costs few system calls.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from tallow.monitoring.lifecycle.background_sender import BackgroundSender
from tallow.monitoring.metrics import METRICS, Metrics

GATHER_S: Final = 0.02
MAX_LINES: Final = 200_000
MAX_BYTES: Final = 32 * 1024 * 1024
CLOSE_S: Final = 4.0
"""Seconds that closing waits for slow sinks."""

SINK_MARGIN_S: Final = 0.1
"""Seconds between a sink's own deadline and the end of the wait for it: it counts what it gives up."""


class Sink(Protocol):
    """Receives scrubbed lines. It may also have these methods, each with a time of the monotonic clock:

    - ``give_up_at(deadline)``: :meth:`write` waits no longer than that from now on, in any thread.
    - ``drain(deadline)``: send what is held until then.
    """

    def write(self, lines: Sequence[bytes]) -> None:
        """Write lines, each with its newline. Lines that cannot be kept are counted; nothing is raised."""

    def close(self, deadline: float) -> None:
        """Send what is held and free resources, by ``deadline`` on the monotonic clock."""


class SinkQueue:
    """A bounded queue in front of one sink, and the thread that writes.

    Args:
        sink: receives the lines.
        count_dropped: called with a reason and a number of lines.
        max_lines, max_bytes: how much may be queued.
    """

    def __init__(
        self, sink: Sink, count_dropped: Callable[[str, int], object], max_lines: int, max_bytes: int
    ) -> None:
        self.sink = sink
        self._count_dropped = count_dropped
        self._writing = threading.RLock()
        self._sender: BackgroundSender[bytes] = BackgroundSender(
            "tallow-logs",
            self._write_queued,
            on_drop=count_dropped,
            max_items=max_lines,
            max_size=max_bytes,
            size=len,
            gather_s=GATHER_S,
            on_no_thread=self._write_queued,
            on_fork=self._after_fork,
        )
        self.put = self._sender.put
        self.hurry = self._sender.hurry

    def flush(self, deadline: float) -> None:
        """Wait until what was queued is written, at most until ``deadline`` on the monotonic clock."""
        self._sender.flush(max(0.0, deadline - time.monotonic()))

    def close(self, deadline: float) -> None:
        """Write what is queued, count what cannot be written until ``deadline``, and close the sink."""
        self.give_up_at(deadline - SINK_MARGIN_S)
        if not self._sender.close(max(SINK_MARGIN_S, deadline - time.monotonic())):
            self._sender.discard(in_flight=True)  # the sink does not return
        elif self._sender.queued:
            self._write_queued()
        self.sink.close(deadline)

    def give_up_at(self, deadline: float) -> None:
        """Have the sink's writes end by ``deadline``, if it supports that."""
        give_up_at = getattr(self.sink, "give_up_at", None)
        if give_up_at is not None:
            give_up_at(deadline)

    def _after_fork(self) -> None:
        self._writing = threading.RLock()  # another thread of the parent may have held it

    def _write_queued(self) -> None:
        with self._writing:
            lines = self._sender.take()
            if lines:
                try:
                    self.sink.write(lines)
                except Exception:  # noqa: BLE001 - a failing sink must not affect the host
                    self._count_dropped("failed", len(lines))


class Writer:
    """The queues of all sinks.

    Args:
        sinks: receive the lines.
        metrics: counts dropped lines.
        max_lines, max_bytes: how much may be queued for a sink; further lines are dropped and counted as
            ``queue_full``.

    Attributes:
        put: queues one line with its newline. After :meth:`close`, and when the interpreter ends and starts
            no more threads, the line is written at once on the caller's thread, if the sink takes it at once.
    """

    put: Callable[[bytes], object]

    def __init__(
        self,
        sinks: Sequence[Sink],
        *,
        metrics: Metrics = METRICS,
        max_lines: int = MAX_LINES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.sinks = tuple(sinks)
        count_dropped = functools.partial(metrics.record_dropped, "logs")
        self._make_queue = functools.partial(
            SinkQueue, count_dropped=count_dropped, max_lines=max_lines, max_bytes=max_bytes
        )
        self._use([self._make_queue(sink) for sink in self.sinks])

    def _use(self, queues: list[SinkQueue]) -> None:
        self._queues = queues
        self.sinks = tuple(queue.sink for queue in queues)
        # The callers pay for every nanosecond: with one sink, they call its queue.
        self.put = queues[0].put if len(queues) == 1 else self._put_to_all

    def add(self, sink: Sink) -> None:
        """Write later lines to one more sink."""
        self._use([*self._queues, self._make_queue(sink)])

    def remove(self, sink: Sink, deadline: float) -> None:
        """Write what is queued for a sink and close it, by ``deadline`` on the monotonic clock."""
        removed = [queue for queue in self._queues if queue.sink is sink]
        self._use([queue for queue in self._queues if queue.sink is not sink])
        for queue in removed:
            queue.close(deadline)

    def _put_to_all(self, line: bytes) -> None:
        for queue in self._queues:
            queue.put(line)

    def hurry(self) -> None:
        """Write what is queued soon. Does not wait."""
        for queue in self._queues:
            queue.hurry()

    def flush(self, timeout_s: float = CLOSE_S) -> None:
        """Wait until what was queued before this call is written, for at most ``timeout_s`` seconds."""
        deadline = time.monotonic() + timeout_s
        self.hurry()
        for queue in self._queues:
            queue.flush(deadline)

    def drain(self, timeout_s: float) -> None:
        """Write what is queued and have remote sinks send it, for at most ``timeout_s`` seconds."""
        deadline = time.monotonic() + timeout_s
        self.hurry()
        for queue in self._quick_first():
            queue.flush(deadline)
            drain = getattr(queue.sink, "drain", None)
            if drain is not None:
                drain(deadline)

    def close(self, timeout_s: float = CLOSE_S) -> None:
        """Write what is queued, close the sinks and end the threads, within ``timeout_s`` seconds."""
        deadline = time.monotonic() + timeout_s
        for queue in self._queues:
            queue.give_up_at(deadline - SINK_MARGIN_S)
        self.hurry()
        for queue in self._quick_first():
            queue.close(deadline)

    def _quick_first(self) -> list[SinkQueue]:
        """Return the queues, those of remote sinks first: their threads hand over without waiting."""
        return sorted(self._queues, key=lambda queue: not hasattr(queue.sink, "drain"))
