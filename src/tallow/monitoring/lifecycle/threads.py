"""Run a blocking call in a thread of its own, without the event loop's thread pool.

The application may have filled that pool, and then monitoring is needed most.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def run_in_thread(work: Callable[[], T]) -> T:
    """Return or raise what ``work`` returns or raises.

    Cancellation ends the wait, not the work. The thread is a daemon: it does not delay the end of the
    process.
    """
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - raised in the coroutine
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, name="tallow-call", daemon=True).start()
    return await asyncio.wrap_future(future)
