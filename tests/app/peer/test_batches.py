"""Batches: items that come during one are the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tallow.app.peer.batches import BatchQueue

LIMIT = 3


class Work:
    """Work that lasts until it is let go on."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go_on = asyncio.Semaphore(0)
        self.error: Exception | None = None

    async def __call__(self, batch: Sequence[int]) -> None:
        self.batches.append(list(batch))
        await self.go_on.acquire()
        if self.error is not None:
            raise self.error


async def test_items_that_come_during_a_batch_are_the_next_one() -> None:
    work = Work()
    queue = BatchQueue(work, LIMIT)
    await queue.add(1)
    await asyncio.sleep(0)
    assert work.batches == [[1]]  # the first does not wait for others
    await queue.add(2)
    await queue.add(3)
    work.go_on.release()
    work.go_on.release()
    await queue.finish()
    assert work.batches == [[1], [2, 3]]
    await queue.add(4)
    work.go_on.release()
    await queue.finish()
    assert work.batches[2:] == [[4]]


async def test_too_many_items_wait() -> None:
    work = Work()
    queue = BatchQueue(work, LIMIT)
    adding = asyncio.create_task(add_all(queue, 8))
    while not work.batches:
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not adding.done()  # one is worked on, three wait
    for _ in range(8):
        work.go_on.release()
    await adding
    await queue.finish()
    assert [item for batch in work.batches for item in batch] == list(range(8))
    assert max(map(len, work.batches)) <= LIMIT


async def test_an_error_reaches_who_adds_and_who_waits() -> None:
    work = Work()
    work.error = OSError("the disk failed")
    queue = BatchQueue(work, LIMIT)
    adding = asyncio.create_task(add_all(queue, 8))
    work.go_on.release()
    with pytest.raises(OSError, match="the disk failed"):
        await adding
    with pytest.raises(OSError, match="the disk failed"):
        await queue.finish()


async def test_closing_cancels_the_batch() -> None:
    work = Work()
    queue = BatchQueue(work, LIMIT)
    await add_all(queue, 3)
    await asyncio.sleep(0)
    await queue.close()
    await queue.finish()
    work.go_on.release()
    await asyncio.sleep(0)
    assert len(work.batches) <= 1
    assert work.go_on._value == 1  # nothing waits for it any more


async def add_all(queue: BatchQueue[int], count: int) -> None:
    for item in range(count):
        await queue.add(item)
