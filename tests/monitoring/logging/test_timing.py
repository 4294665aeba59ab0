"""``logger.time``: context manager and decorator, sync and async."""

from __future__ import annotations

import asyncio

import pytest

from tallow.monitoring.testing import CapturedLogs


@pytest.fixture
def logs() -> CapturedLogs:
    return CapturedLogs()


def test_a_block_is_logged_with_its_duration(logs: CapturedLogs) -> None:
    with logs.logger.time("transfer", method="p2p") as timer:
        pass
    record = logs.last
    assert (record["message"], record["level"], record["method"]) == ("transfer", "info", "p2p")
    assert record["outcome"] == "success"
    assert record["duration_ms"] == timer.duration_ms >= 0


def test_a_failed_block_is_logged_and_its_exception_propagates(logs: CapturedLogs) -> None:
    with pytest.raises(KeyError), logs.logger.time("transfer"):
        raise KeyError("x")
    record = logs.last
    assert (record["level"], record["outcome"], record["error_class"]) == ("warning", "failed", "KeyError")


async def test_a_block_may_be_async(logs: CapturedLogs) -> None:
    async with logs.logger.time("transfer"):
        await asyncio.sleep(0.01)
    assert logs.last["duration_ms"] >= 9


async def test_a_cancelled_block_is_logged_as_cancelled(logs: CapturedLogs) -> None:
    async def work() -> None:
        async with logs.logger.time("transfer"):
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (logs.last["level"], logs.last["outcome"]) == ("info", "cancelled")


def test_every_call_of_a_decorated_function_is_measured(logs: CapturedLogs) -> None:
    @logs.logger.time("add")
    def add(one: int, two: int) -> int:
        """Adds."""
        return one + two

    assert [add(1, 2), add(3, two=4)] == [3, 7]
    assert add.__doc__ == "Adds."
    assert len(logs.records) == 2


async def test_a_decorated_coroutine_function_is_measured_to_its_end(logs: CapturedLogs) -> None:
    @logs.logger.time("wait")
    async def wait(seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "done"

    assert set(await asyncio.gather(wait(0.02), wait(0.01))) == {"done"}
    assert all(record["duration_ms"] >= 9 for record in logs.records)
    assert len(logs.records) == 2


def test_a_bound_logger_s_timer_has_its_context(logs: CapturedLogs) -> None:
    with logs.logger.bind(attempt=3).time("retry"):
        pass
    assert logs.last["attempt"] == 3
