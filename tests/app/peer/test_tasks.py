"""Cancellable work in threads; pictures are stripped that way."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.transfers.pictures import segment
from tallow.app.files.source_file import SourceFile
from tallow.app.files.source_tree import collect
from tallow.app.peer.tasks import run_interruptible, start_task
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
