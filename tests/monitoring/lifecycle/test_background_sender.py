"""The background sender: bounds, flush, close, failures, and forks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tallow.monitoring.lifecycle.background_sender import BackgroundSender, is_sender_thread

pytestmark = pytest.mark.slow

Make = Callable[..., "Recorder"]


class Recorder:
    """A sender whose worker function keeps what it takes."""

    def __init__(self, **options: Any) -> None:
        self.sent: list[bytes] = []
        self.drops: list[tuple[str, int]] = []
        self.entered, self.release = threading.Event(), threading.Event()
        self.release.set()
        options = {"max_items": 10} | options
        self.sender: BackgroundSender[bytes] = BackgroundSender(
            "test", self.work, on_drop=lambda *drop: self.drops.append(drop), **options
        )

    def work(self) -> float | None:
        taken = self.sender.take()
        self.entered.set()
        self.release.wait(60)
        self.sent += taken
        return None


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Recorder] = []

    def begin(**options: Any) -> Recorder:
        made.append(Recorder(**options))
        return made[-1]

    yield begin
    for recorder in made:
        recorder.release.set()
        assert recorder.sender.close(60)


def test_a_flush_waits_until_everything_is_sent(make: Make) -> None:
    recorder = make()
    assert all(recorder.sender.put(item) for item in (b"one", b"two"))
    assert recorder.sender.flush(60)
    assert recorder.sent == [b"one", b"two"]


def test_a_flush_ends_at_its_timeout(make: Make) -> None:
    recorder = make()
    recorder.release.clear()
    recorder.sender.put(b"one")
    assert not recorder.sender.flush(0.01)


def test_a_flush_ends_when_the_caller_gives_up(make: Make) -> None:
    recorder = make()
    recorder.release.clear()
    recorder.sender.put(b"one")
    assert not recorder.sender.flush(60, give_up=lambda: True)


@pytest.mark.parametrize("bound", [{"max_items": 2}, {"max_items": 10, "max_size": 6, "size": len}])
def test_what_exceeds_a_bound_is_dropped_and_counted(make: Make, bound: dict[str, Any]) -> None:
    recorder = make(**bound)
    recorder.release.clear()
    recorder.sender.put(b"one")
    assert recorder.entered.wait(60)
    assert [recorder.sender.put(item) for item in (b"two", b"six", b"ten")] == [True, True, False]
    assert recorder.drops == [("queue_full", 1)]


def test_take_respects_both_limits_and_returns_at_least_one_item(make: Make) -> None:
    recorder = make(size=len, gather_s=60)
    for item in (b"long item", b"a", b"b", b"c"):
        recorder.sender.put(item)
    assert recorder.sender.take(max_size=3) == [b"long item"]
    assert recorder.sender.take(max_items=2) == [b"a", b"b"]
    assert (recorder.sender.queued, recorder.sender.size) == (1, 1)


def test_hurry_ends_the_wait_for_more_items(make: Make) -> None:
    recorder = make(gather_s=600)
    recorder.sender.put(b"one")
    recorder.sender.hurry()
    assert recorder.entered.wait(60)


def test_close_sends_what_is_queued_and_ends_the_thread(make: Make) -> None:
    recorder = make(gather_s=60)
    recorder.sender.put(b"one")
    assert recorder.sender.close(60)
    assert recorder.sent == [b"one"]
    assert "test" not in {thread.name for thread in threading.enumerate()}


def test_items_after_close_are_dropped_and_counted(make: Make) -> None:
    recorder = make()
    recorder.sender.close(60)
    recorder.sender.put(b"late")
    assert (recorder.sent, recorder.drops) == ([], [("failed", 1)])


def test_an_item_that_comes_during_the_last_delivery_drops_nothing(make: Make) -> None:
    recorder = make()
    recorder.release.clear()
    recorder.sender.put(b"in flight")
    assert recorder.entered.wait(60)
    closing = threading.Thread(target=recorder.sender.close, args=(60,))
    closing.start()
    while not recorder.sender.closed:
        time.sleep(0.01)
    recorder.sender.put(b"late")
    recorder.release.set()
    closing.join(60)
    assert (recorder.sent, recorder.drops) == ([b"in flight", b"late"], [])


def test_discarded_items_are_counted(make: Make) -> None:
    recorder = make()
    recorder.release.clear()
    recorder.sender.put(b"in flight")
    assert recorder.entered.wait(60)
    recorder.sender.put(b"queued")
    recorder.sender.discard(in_flight=True)
    assert recorder.drops == [("failed", 2)]
    assert recorder.sender.depth == 0


def test_the_depth_is_reported_whenever_it_changes(make: Make) -> None:
    depths: list[int] = []
    recorder = make(on_depth=depths.append, gather_s=60)
    recorder.sender.put(b"one")
    recorder.sender.put(b"two")
    assert depths == [1, 2]
    recorder.sender.take()
    recorder.sender.take()
    assert depths[-1] == 0


def test_a_reentrant_put_does_not_deadlock(make: Make) -> None:
    recorder = make()

    class Finalized:
        def __del__(self) -> None:
            recorder.sender.put(b"from a finalizer")

    with recorder.sender.lock:
        Finalized()
    assert recorder.sender.flush(60)
    assert recorder.sent == [b"from a finalizer"]


def test_an_exception_does_not_end_the_thread(make: Make) -> None:
    failures = iter([ValueError()])

    def work() -> None:
        for error in failures:
            raise error
        recorder.work()

    recorder = make()
    sender: BackgroundSender[bytes] = BackgroundSender("test", work, on_drop=print, max_items=1)
    recorder.sender = sender
    sender.put(b"one")
    assert sender.flush(60) or sender.flush(10)
    assert recorder.sent == [b"one"]


def test_the_worker_function_is_called_again_after_the_seconds_it_returns() -> None:
    calls = threading.Semaphore(0)

    def work() -> float:
        sender.take()
        calls.release()
        return 0.001

    sender: BackgroundSender[bytes] = BackgroundSender("test", work, on_drop=print, max_items=1)
    sender.put(b"one")
    assert all(calls.acquire(timeout=60) for _ in range(3))
    assert sender.close(60)


def test_only_a_sender_s_thread_is_one() -> None:
    found: list[bool] = []

    def work() -> None:
        sender.take()
        found.append(is_sender_thread())

    sender: BackgroundSender[bytes] = BackgroundSender("test", work, on_drop=print, max_items=1)
    sender.put(b"one")
    assert sender.flush(60)
    sender.close(60)
    assert found[0]
    assert not is_sender_thread()


FORK = """
import os, threading
from tallow.monitoring.lifecycle.background_sender import BackgroundSender

sent = []
release = threading.Event()
def work():
    for item in sender.take():
        release.wait()
        sent.append(item)
sender = BackgroundSender("test", work, on_drop=print, max_items=10, on_fork=lambda: sent.append("forked"))
sender.put("the parent's")
child = os.fork()
release.set()
if child == 0:
    sender.put("the child's")
assert sender.flush(60)
assert sender.close(60)
if child == 0:
    os._exit(0 if sent == ["forked", "the child's"] else 1)
assert os.waitpid(child, 0)[1] == 0
print(*sent)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_a_forked_child_starts_empty_and_sends_its_own_items() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("the parent's\n", "", 0)
