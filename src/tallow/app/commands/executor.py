"""A thread pool that does not outlive the event loop."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, ParamSpec, TypeVar

THREADS: Final = 32

P = ParamSpec("P")
T = TypeVar("T")


class DaemonExecutor(ThreadPoolExecutor):
    """Runs calls in daemon threads, for an event loop's default executor.

    The standard pool waits for its threads at shutdown and again when the process ends. A cancelled command
    must not wait for a disk that does not answer.
    """

    def __init__(self) -> None:
        super().__init__(THREADS)
        self._waiting: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._free = threading.Semaphore(0)
        self._started = 0

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run ``fn`` in a thread. Only the event loop's thread may call this."""
        future: Future[T] = Future()
        self._waiting.put((future, lambda: fn(*args, **kwargs)))
        if not self._free.acquire(blocking=False) and self._started < THREADS:
            self._started += 1
            threading.Thread(target=self._work, name="tallow-executor", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Return at once; running calls end with the process."""

    def _work(self) -> None:
        while True:
            future, call = self._waiting.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:  # noqa: BLE001 - the caller gets it
                    future.set_exception(error)
            del future, call  # do not keep references while waiting
            self._free.release()
