"""Work beside the event loop, in a thread of its own.

Not in the loop's pool: the application may have filled that, and it is then that one wants to see.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def run_in_thread(work: Callable[[], T]) -> T:
    """What ``work`` returns or raises. Cancelling stops the waiting, not the work; the process's end both."""
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - it is the waiting side's
            outcome.set_exception(error)
        else:
            outcome.set_result(result)

    threading.Thread(target=run, name="tallow-aside", daemon=True).start()
    return await asyncio.wrap_future(outcome)
