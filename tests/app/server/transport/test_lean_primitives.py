"""The queue and the event behave as asyncio's where uvicorn uses them."""

from __future__ import annotations

import asyncio

import pytest

from tallow.app.server.transport.lean_primitives import LeanEvent, LeanQueue


async def test_items_come_out_in_order() -> None:
    queue = LeanQueue()
    queue.put_nowait(1)
    queue.put_nowait(2)
    assert [await queue.get(), await queue.get()] == [1, 2]
    assert queue.empty()


async def test_a_task_waits_for_an_item() -> None:
    queue = LeanQueue()
    task = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.put_nowait(1)
    queue.put_nowait(2)
    assert await task == 1
    assert await queue.get() == 2


async def test_a_cancelled_wait_loses_no_item() -> None:
    queue = LeanQueue()
    task = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.put_nowait(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await queue.get() == 1


async def test_a_task_may_wait_before_a_cancelled_one_has_ended() -> None:
    queue = LeanQueue()
    cancelled = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    cancelled.cancel()
    asyncio.get_running_loop().call_later(0.05, queue.put_nowait, 1)
    async with asyncio.timeout(10):
        assert await queue.get() == 1  # this task waits before the cancelled one runs


async def test_an_event_wakes_everybody_who_waits() -> None:
    event = LeanEvent()
    assert await event.wait()
    event.clear()
    assert not event.is_set()
    tasks = [asyncio.create_task(event.wait()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    event.set()
    assert await asyncio.gather(*tasks) == [True, True]
    event.clear()
    event.set()
    assert event.is_set()
