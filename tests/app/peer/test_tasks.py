"""Cancellable work in threads (pictures are stripped that way), and groups of tasks."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.transfers.pictures import segment
from tallow.app.channels.channel import ChannelClosedError
from tallow.app.crypto.errors import MalformedError
from tallow.app.files.source_file import SourceFile
from tallow.app.files.source_tree import collect
from tallow.app.peer.tasks import end_task, run_all_or_fail, run_interruptible, start_task
from tallow.app.peer.telemetry_reporter import new_metrics
from tallow.app.peer.transfer.prepare import prepare


async def test_the_result_or_the_error_is_returned() -> None:
    assert await run_interruptible(lambda stopped: (stopped(), 7)) == (False, 7)
    with pytest.raises(ZeroDivisionError):
        await run_interruptible(lambda stopped: 1 / 0)


@pytest.mark.parametrize("fails", [False, True])
async def test_cancelling_stops_the_work_and_waits_for_its_end(fails: bool) -> None:
    started, ended = threading.Event(), threading.Event()

    def work(stopped: Callable[[], bool]) -> None:
        started.set()
        while not stopped():
            time.sleep(0.001)
        ended.set()
        if fails:
            raise OSError("not retrieved")

    task = asyncio.create_task(run_interruptible(work))
    await asyncio.to_thread(started.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_a_result_that_nobody_gets_is_released() -> None:
    started, go_on, released = threading.Event(), threading.Event(), list[int]()

    def work(_stopped: Callable[[], bool]) -> int:
        started.set()
        go_on.wait()
        return 7

    task = asyncio.create_task(run_interruptible(work, release=released.append))
    await asyncio.to_thread(started.wait)
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert released == [7]


async def test_stripping_a_picture_does_not_block_and_cancelling_leaves_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = b"\xff\xd8" + segment(0xDA, b"ab") + bytes(8 << 20) + b"\xff\xd9" + b"what follows"
    (tmp_path / "x.jpg").write_bytes(scan)
    copying, go_on = threading.Event(), threading.Event()
    read = SourceFile.read

    def slow(self: SourceFile, offset: int, length: int) -> bytes:
        # Like a disk that stalls in the middle of the copy, until the test continues.
        if list((tmp_path / "scratch").iterdir()):
            copying.set()
            go_on.wait()
        return read(self, offset, length)

    monkeypatch.setattr(SourceFile, "read", slow)
    (tmp_path / "scratch").mkdir()
    task = asyncio.create_task(
        prepare(collect([tmp_path / "x.jpg"]), tmp_path / "scratch", new_metrics(), keep_metadata=False)
    )
    await asyncio.to_thread(copying.wait)  # the loop is free, or this would not return
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_the_error_of_a_started_task_is_not_logged_if_its_waiter_is_cancelled_twice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failing = asyncio.Event()

    async def fail() -> None:
        await failing.wait()
        raise OSError("not retrieved")

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.shield(start_task(fail()))

    waiter = asyncio.create_task(wait())
    for _ in range(2):
        await asyncio.sleep(0)
        waiter.cancel()
    await asyncio.wait({waiter})
    failing.set()
    await asyncio.sleep(0.01)
    gc.collect()
    assert caplog.messages == []


async def test_the_first_failure_ends_the_others_and_leaves_no_cancellation_request() -> None:
    """A request that stays makes the next timeout of Python 3.11.2 look like a cancelled transfer."""
    ended = asyncio.Event()

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def fail() -> None:
        await asyncio.sleep(0)
        raise OSError("first")

    with pytest.raises(OSError, match="first"):
        await run_all_or_fail(wait(), fail())
    assert ended.is_set()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()


async def test_the_error_that_closed_the_channel_is_raised() -> None:
    """Not the closed channel, which the other task notices first."""
    closed = asyncio.Event()

    async def send() -> None:
        await closed.wait()
        raise ChannelClosedError

    async def receive() -> None:
        closed.set()
        raise MalformedError("a receipt is not final")

    with pytest.raises(MalformedError):
        await run_all_or_fail(send(), receive())


async def test_work_that_cancels_itself_is_no_success() -> None:
    async def cancel() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await run_all_or_fail(asyncio.sleep(60), cancel())


async def test_cancelling_ends_all_work() -> None:
    started, ended = list[int](), list[int]()

    async def work(number: int) -> None:
        started.append(number)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended.append(number)

    task = asyncio.create_task(run_all_or_fail(work(1), work(2)))
    while len(started) < 2:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [1, 2]


async def test_a_caller_that_is_cancelled_while_it_ends_a_task_is_cancelled() -> None:
    """It would go on otherwise: a transfer would ignore that the user stopped it."""
    ending, go_on = asyncio.Event(), asyncio.Event()

    async def end_slowly() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ending.set()
            await go_on.wait()

    slow = asyncio.create_task(end_slowly())
    await asyncio.sleep(0)
    caller = asyncio.create_task(end_task(slow))
    await ending.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go_on.set()
    await asyncio.wait({slow})


async def test_the_error_of_an_ended_task_is_not_raised() -> None:
    async def fail() -> None:
        raise OSError

    failed = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await end_task(failed)
