"""A queue that is closed with an error."""

from __future__ import annotations

import asyncio

import pytest

from tallow.app.peer.connection.closable_queue import ClosableQueue


async def test_items_are_read_in_order_and_then_the_error() -> None:
    queue: ClosableQueue[int] = ClosableQueue()
    queue.put(1)
    queue.put(2)
    queue.fail(EOFError("first"))
    queue.fail(EOFError("second"))
    queue.put(3)
    assert [await queue.get(), await queue.get()] == [1, 2]
    for _ in range(2):
        with pytest.raises(EOFError, match="first"):
            await queue.get()


async def test_a_reader_waits_for_an_item() -> None:
    queue: ClosableQueue[int] = ClosableQueue()
    reading = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    assert not reading.done()
    queue.put(1)
    assert await reading == 1


async def test_every_waiting_reader_gets_the_error() -> None:
    queue: ClosableQueue[int] = ClosableQueue()
    readers = [asyncio.create_task(queue.get()) for _ in range(3)]
    await asyncio.sleep(0)
    queue.fail(EOFError())
    results = await asyncio.gather(*readers, return_exceptions=True)
    assert [type(result) for result in results] == [EOFError] * 3
