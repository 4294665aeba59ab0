"""The background thread and bounded queue that every telemetry pipeline uses.

Log writer, log shipper, analytics and Sentry's transport differ in what they do with an item. Queueing,
waking the thread, flushing, closing and surviving a fork are the same and are here.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from tallow.monitoring.lifecycle import fork

RETRY_S: Final = 1.0
"""Seconds before a worker function that raised is called again."""

Item = TypeVar("Item")


class _ThreadState(threading.local):
    is_sender = False


_thread_state: Final = _ThreadState()


def is_sender_thread() -> bool:
    """Whether this thread belongs to a sender: what its HTTP client logs must not be sent in turn."""
    return _thread_state.is_sender


class _Signal:
    """An event that a signal handler may set while its thread sets it: :class:`threading.Event` deadlocks."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._is_set = False

    def set(self) -> None:
        with self._changed:
            self._is_set = True
            self._changed.notify_all()

    def clear(self) -> None:
        self._is_set = False

    def wait(self, timeout_s: float | None = None) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._is_set, timeout_s)


class BackgroundSender(Generic[Item]):
    """A bounded queue and a daemon thread that starts with the first item.

    Args:
        name: of the thread.
        work: called on the thread when there are items. It calls :meth:`take`, delivers, and counts what it
            cannot deliver. It returns the seconds after which it must be called again although nothing new
            came, or None.
        on_drop: called with a reason (``queue_full`` or ``failed``) and the number of items dropped.
        max_items: how many items may wait.
        max_size: how much they may measure together.
        size: measures an item; every item measures 1 by default.
        gather_s: seconds to wait for more items before ``work`` is called. :meth:`hurry` ends the wait.
        on_no_thread: called by :attr:`put` if no thread runs: after :meth:`close`, or when the interpreter
            ends and starts no more threads. By default the items are dropped.
        on_fork: called in a forked child, whose queue is empty: the parent sends what was queued.
        on_depth: called with :attr:`depth` whenever it changes.

    Attributes:
        put: queues an item, or drops and counts it if the queue is full: whether it was queued. Does no I/O.
        closed: whether :meth:`close` has been called.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], float | None],
        *,
        on_drop: Callable[[str, int], object],
        max_items: int,
        max_size: int = sys.maxsize,
        size: Callable[[Item], int] = lambda _item: 1,
        gather_s: float = 0.0,
        on_no_thread: Callable[[], object] | None = None,
        on_fork: Callable[[], object] | None = None,
        on_depth: Callable[[int], object] | None = None,
    ) -> None:
        self._name = name
        self._work = work
        self._on_drop = on_drop
        self._max_items, self._max_size = max_items, max_size
        self._size_of = size
        self._gather_s = gather_s
        self._on_no_thread = on_no_thread or self.discard
        self._on_fork = on_fork
        self._on_depth = on_depth
        # The log writer's callers pay for every nanosecond: without a listener nothing is asked about it.
        self.put: Callable[[Item], bool] = self._put if on_depth is None else self._put_and_report
        self.closed = False
        self._closing = False
        # A signal handler or a finaliser may call put() on the thread that holds the lock. No other lock is
        # taken while it is held, because fork() takes the locks of all senders and registries in any order.
        self.lock = threading.RLock()
        self._reset()
        fork.register(self, hold=self.lock)

    def _reset(self) -> None:
        self._items: deque[Item] = deque()
        self._size = 0
        self._in_flight = 0
        self._working = False
        self._changed = threading.Condition(self.lock)
        self._arrived = _Signal()
        self._urgent = _Signal()
        self._awake = False  # whether the thread will look at the queue again
        self._thread: threading.Thread | None = None

    def after_fork(self) -> None:
        """Start empty in a forked child."""
        self._reset()
        if self._on_fork is not None:
            self._on_fork()

    @property
    def queued(self) -> int:
        """Items that wait in the queue."""
        return len(self._items)

    @property
    def size(self) -> int:
        """What the queued items measure together."""
        return self._size

    @property
    def depth(self) -> int:
        """Items that wait or were taken last: those are on their way."""
        return len(self._items) + self._in_flight

    def _put(self, item: Item) -> bool:
        size = self._size_of(item)
        with self.lock:
            items, total = self._items, self._size + size
            if fits := total <= self._max_size and len(items) < self._max_items:
                items.append(item)
                self._size = total
        if not fits:
            self._on_drop("queue_full", 1)
        elif not self._awake:
            self._wake()
        return fits

    def _put_and_report(self, item: Item) -> bool:
        fits = self._put(item)
        self._report_depth()
        return fits

    def take(self, max_items: int = sys.maxsize, max_size: int = sys.maxsize) -> list[Item]:
        """Remove and return the oldest items within the limits: at least one, if there is any."""
        with self.lock:
            if len(self._items) <= max_items and self._size <= max_size:
                taken, self._items, self._size = list(self._items), deque(), 0
            else:
                taken = self._take_some(max_items, max_size)
            self._in_flight = len(taken)
        self._report_depth()
        return taken

    def _take_some(self, max_items: int, max_size: int) -> list[Item]:
        taken: list[Item] = []
        total = 0
        while self._items and len(taken) < max_items:
            size = self._size_of(self._items[0])
            if taken and total + size > max_size:
                break
            taken.append(self._items.popleft())
            total += size
        self._size -= total
        return taken

    def hurry(self) -> None:
        """Call ``work`` now, without waiting for more items."""
        self._urgent.set()
        self._arrived.set()

    def flush(self, timeout_s: float, give_up: Callable[[], bool] = lambda: False) -> bool:
        """Wait until everything queued is sent or dropped: whether it was, within ``timeout_s`` seconds.

        Args:
            give_up: ends the wait early, for example because the endpoint fails.
        """
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            self.hurry()
            with self._changed:
                self._changed.wait_for(lambda: self._is_idle() or give_up(), timeout_s)
        return self._is_idle()

    def discard(self, *, in_flight: bool = False) -> None:
        """Drop what is queued and count it as ``failed``; with ``in_flight`` what was taken last, too."""
        with self.lock:
            dropped = self.depth if in_flight else self.queued
            self._items.clear()
            self._size = 0
            if in_flight:
                self._in_flight = 0
        if dropped:
            self._on_drop("failed", dropped)
        self._report_depth()

    def close(self, timeout_s: float) -> bool:
        """Call ``work`` once more and end the thread: whether it ended within ``timeout_s`` seconds.

        Where no thread runs, ``work`` is called on the caller's thread. What is put meanwhile waits for it,
        too. What is still queued afterwards is the caller's to :meth:`take` or to :meth:`discard`.
        """
        self.closed = self._closing = True
        self.hurry()
        thread = self._thread
        if thread is None:
            self._run_once()
        elif thread is not threading.current_thread():
            thread.join(timeout_s)
        self._awake = self._closing = False
        return thread is None or not thread.is_alive()

    def _report_depth(self) -> None:
        """Report until the depth has not changed meanwhile: the last report of two threads is right."""
        reported = -1
        while self._on_depth is not None and reported != self.depth:
            reported = self.depth
            self._on_depth(reported)

    def _is_idle(self) -> bool:
        return not self._items and not self._working

    def _wake(self) -> None:
        self._awake = True
        if not self.closed and self._ensure_thread():
            self._arrived.set()
            return
        self._awake = False
        if not self._closing:  # the last call of work may log: a line of it must not drop those before it
            self._on_no_thread()

    def _ensure_thread(self) -> bool:
        """Start the thread unless it runs. False if the interpreter is ending and starts none."""
        with self.lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    return False
                self._thread = thread
        return True

    def _run(self) -> None:
        _thread_state.is_sender = True
        delay: float | None = None
        while not self.closed:
            if self._arrived.wait(delay) and self._gather_s:
                self._urgent.wait(self._gather_s)
            delay = self._run_once()
        self._run_once()

    def _run_once(self) -> float | None:
        with self.lock:
            self._working = True
        self._arrived.clear()
        self._urgent.clear()
        self._awake = False
        try:
            return self._work()
        except Exception:  # noqa: BLE001 - one bad item must not end the thread for all later ones
            return RETRY_S
        finally:
            with self._changed:
                self._working = False
                self._in_flight = 0
                self._changed.notify_all()
