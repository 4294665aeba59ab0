"""The search for other workers of the same server."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tallow.monitoring.lifecycle import sibling_workers


@pytest.mark.parametrize("fails", [False, True])
def test_a_check_that_fails_or_is_cancelled_with_the_event_loop_reports_nothing(
    fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, end = threading.Event(), threading.Event()
    reported: list[dict[str, Any]] = []

    def check() -> None:  # a mock: a check of /proc does not fail, and is over too soon to be cancelled
        begun.set()
        if fails:
            raise OSError("no /proc")
        end.wait(10)

    monkeypatch.setattr(sibling_workers, "warn_of_siblings", check)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: reported.append(context))
        sibling_workers._check_in_thread(loop)
        while not begun.is_set():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05 if fails else 0)

    asyncio.run(run())
    end.set()
    assert begun.is_set()
    assert reported == []
