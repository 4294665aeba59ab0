"""Readiness answers within a probe's second, whatever a check does."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tallow.monitoring.health import Health, HealthReport, check, loop_watch
from tallow.monitoring.health.responses import READINESS, HealthResponses
from tallow.monitoring.testing import fresh_metrics


@pytest.fixture
def health() -> Health:
    made = Health(cache=0)
    made.unregister_check("memory")  # the memory of the machine must not decide a test
    made.unregister_check("environment")
    return made


@pytest.fixture
async def released() -> AsyncIterator[threading.Event]:
    """Ends the checks of a test that do not end by themselves, before its event loop is closed."""
    event = threading.Event()
    yield event
    event.set()


class Never:
    """A check that does not end, as a coroutine function and as a function that blocks."""

    def __init__(self, released: threading.Event) -> None:
        self.runs = 0
        self._released = released

    async def waits(self) -> None:
        self.runs += 1
        await asyncio.Event().wait()

    async def ignores_cancellation(self) -> None:
        self.runs += 1
        while not self._released.is_set():
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                continue

    def blocks_its_thread(self) -> None:
        self.runs += 1
        self._released.wait()


KINDS = ["waits", "ignores_cancellation", "blocks_its_thread"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_critical_check_without_an_answer_fails_before_its_timeout(
    health: Health, released: threading.Event, kind: str
) -> None:
    never = Never(released)
    health.register_check("stuck", getattr(never, kind), timeout=60)
    async with asyncio.timeout(50):
        reports = [await health.report() for _ in range(2)]
    assert [report.failing for report in reports] == [["stuck"]] * 2
    assert reports[0].results["stuck"].reason == "no answer yet"
    assert never.runs == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_a_check_that_is_not_critical_is_not_waited_for(
    health: Health, released: threading.Event, kind: str
) -> None:
    never = Never(released)
    health.register_check("stuck", getattr(never, kind), critical=False, timeout=60)
    health.register_check("database", lambda: True)
    async with asyncio.timeout(50):
        reports = [await health.report() for _ in range(5)]
    assert {(*report.failing, *report.degraded) for report in reports} == {("stuck",)}
    assert never.runs == 1


@pytest.mark.parametrize("critical", [True, False])
async def test_the_last_result_stands_in_for_a_late_one_with_its_age(health: Health, critical: bool) -> None:
    answers, hang = ["degraded"], asyncio.Event()

    async def slows_down() -> str:
        if not answers:
            await hang.wait()
            return "healthy"
        return answers.pop()

    health.register_check("thing", slows_down, critical=critical, timeout=60)
    assert (await health.report()).late == {}
    late = await health.report()
    assert late.results["thing"].status == "degraded"
    assert late.late["thing"] >= 0
    hang.set()
    await asyncio.sleep(0)
    found = await next_result(health, lambda report: not report.late)
    assert found.results["thing"].status == "healthy"


async def next_result(health: Health, is_wanted: Callable[[HealthReport], bool]) -> HealthReport:
    """Probe until a report is as wanted; the time limit of the test ends the wait."""
    while not is_wanted(report := await health.report()):
        await asyncio.sleep(0.01)
    return report


async def test_a_result_that_is_too_old_no_longer_stands_in(
    health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = False

    async def hangs_later() -> None:
        if hanging:
            await asyncio.Event().wait()

    health.register_check("needed", hangs_later, timeout=60)
    health.register_check("optional", hangs_later, critical=False, timeout=60)
    assert (await health.report()).status == "healthy"
    hanging = True
    monkeypatch.setattr(check, "MAX_VERDICT_AGE_S", 0.0)
    report = await health.report()
    assert (report.failing, report.degraded) == (["needed"], ["optional"])
    assert "older than 0 s" in str(report.results["needed"].reason)


async def test_a_run_fails_at_its_timeout_also_without_a_probe(health: Health) -> None:
    health.register_check("slow", asyncio.Event().wait, critical=False, timeout=0.5)
    assert (await health.report()).results["slow"].reason == "no answer yet"
    await asyncio.sleep(0.5)
    found = await next_result(health, lambda report: report.results["slow"].reason != "no answer yet")
    assert found.results["slow"].status == "unhealthy"


async def test_readiness_shows_the_age_of_a_result_that_is_late(
    health: Health, released: threading.Event
) -> None:
    responses = HealthResponses(health, fresh_metrics())
    runs = 0

    async def hangs_later() -> None:
        nonlocal runs
        runs += 1
        if runs > 1:
            await asyncio.Event().wait()

    health.register_check("search", hangs_later, critical=False, timeout=60)
    assert await responses.respond(READINESS) == (
        200,
        {"status": "ready", "failing": [], "degraded": []},
    )
    status, body = await responses.respond(READINESS)
    assert (status, body["status"], set(body["last_result_age_seconds"])) == (200, "ready", {"search"})


async def test_a_check_that_blocks_the_event_loop_is_named_and_runs_elsewhere(
    health: Health, caplog: pytest.LogCaptureFixture
) -> None:
    threads: list[int] = []
    named = False

    async def blocks() -> None:
        nonlocal named
        threads.append(threading.get_ident())
        deadline = time.monotonic() + 60
        while not named and time.monotonic() < deadline:
            time.sleep(0.01)
            named = "search_index" in caplog.text  # while the loop is blocked

    health.register_check("search_index", blocks, critical=False, timeout=60)
    await health.report()
    assert named
    report = await next_result(health, lambda _: len(threads) > 1)
    assert threads[0] == threading.get_ident() != threads[1]
    report = await next_result(health, lambda found: found.results["search_index"].blocks_event_loop)
    assert report.results["search_index"].status == "healthy"
    (record,) = [record for record in caplog.records if "search_index" in record.getMessage()]
    assert "blocks the event loop" in record.getMessage()


async def test_a_check_that_computes_on_the_event_loop_is_found(
    health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A mock: a check is not blamed while a loaded machine gives the process less than half of a core.
    clocks = SimpleNamespace(monotonic=time.thread_time, thread_time=time.thread_time, sleep=time.sleep)
    monkeypatch.setattr(loop_watch, "time", clocks)
    threads: list[int] = []

    async def computes() -> None:
        threads.append(threading.get_ident())
        if len(threads) == 1:  # in one call that holds the interpreter's lock
            started = time.thread_time()
            digits = 20
            while time.thread_time() - started < 0.5:
                digits += 1
                re.match(r"(a|aa)+$", "a" * digits + "b")

    health.register_check("computing", computes)
    await health.report()
    await next_result(health, lambda _: len(threads) > 1)
    assert threads[0] == threading.get_ident() != threads[1]


async def test_a_slow_check_that_awaits_does_not_block_the_event_loop(
    health: Health, caplog: pytest.LogCaptureFixture
) -> None:
    async def polls() -> None:
        for _ in range(10):
            await asyncio.sleep(0.05)

    health.register_check("polling", polls)
    report = await health.report()
    assert report.results["polling"].status == "healthy"
    assert not report.results["polling"].blocks_event_loop
    assert caplog.text == ""


@pytest.mark.parametrize("asynchronous", [True, False])
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), BaseException("x")])
async def test_an_exception_of_any_kind_is_a_result(
    health: Health, error: BaseException, asynchronous: bool
) -> None:
    async def raises() -> None:
        await asyncio.sleep(0)
        raise error

    def raises_in_its_thread() -> None:
        raise error

    health.register_check("thing", raises if asynchronous else raises_in_its_thread)
    assert (await health.report()).failing == ["thing"]


async def generator() -> Any:
    yield True


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ((False, None), "unhealthy"),
        (("degraded", 5), "degraded"),
        ((False, "why", 3), "healthy"),
        ({"status": "unhealthy"}, "unhealthy"),
        ({"status": 5}, "healthy"),
        (OSError("no space"), "unhealthy"),
        ((OSError("no space"), "full"), "unhealthy"),
        (generator(), "unhealthy"),
        ("", "unhealthy"),
        (float("nan"), "healthy"),
    ],
)
async def test_unusual_values_that_a_check_returns(health: Health, answer: Any, status: str) -> None:
    health.register_check("thing", lambda: answer)
    assert (await health.report()).results["thing"].status == status


async def test_a_check_that_returns_an_awaitable_is_awaited(health: Health) -> None:
    async def inner() -> bool:
        return False

    async def outer() -> Any:
        return inner()

    health.register_check("thing", outer)
    assert (await health.report()).failing == ["thing"]


async def test_probes_do_not_add_threads_or_tasks(health: Health, released: threading.Event) -> None:
    never = Never(released)
    for kind in KINDS:
        health.register_check(kind, getattr(never, kind), critical=False, timeout=0.01)
    await health.report()
    before = threading.active_count(), len(asyncio.all_tasks())
    for _ in range(100):
        await asyncio.gather(*(health.report() for _ in range(10)))
    assert threading.active_count() <= before[0] + 1
    assert len(asyncio.all_tasks()) <= before[1]
    assert never.runs <= 103  # only the check that can be cancelled starts again
