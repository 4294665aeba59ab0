"""Checks: their results, hanging, raising and blocking checks, and how often they run."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tallow.monitoring.health import CheckResult, Health, HealthReport, Status, builtin_checks

SECRET = "postgresql://alice:hunter2@db.internal/tallow at /home/alice/secrets"


@pytest.fixture(autouse=True)
def _plenty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory of the machine must not decide a test."""
    monkeypatch.setattr(builtin_checks, "check_memory", lambda: True)


async def outcome(fn: Callable[[], Any], **options: Any) -> CheckResult:
    health = Health()
    health.register_check("thing", fn, **options)
    return (await health.report()).results["thing"]


def answering(answer: Any, asynchronous: bool) -> Callable[[], Any]:
    async def later() -> Any:
        await asyncio.sleep(0)
        return answer

    return later if asynchronous else lambda: answer


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (None, "healthy", None),
        (True, "healthy", None),
        (0, "healthy", None),
        (object(), "healthy", None),
        ("healthy", "healthy", None),
        ("degraded", "degraded", None),
        (Status.UNHEALTHY, "unhealthy", None),
        (False, "unhealthy", "it returned False"),
        ("PONG", "unhealthy", "it returned an unknown status"),
        (("degraded", "the replica\nis 12 s behind"), "degraded", "the replica is 12 s behind"),
        ((False, ""), "unhealthy", "it returned False"),
        ((True, "alice@example.org waits"), "healthy", "[email] waits"),
        ((False, "x" * 9_999), "unhealthy", "x" * 200),
    ],
)
async def test_the_value_that_a_check_returns_is_the_status(
    answer: Any, status: str, reason: str | None, asynchronous: bool
) -> None:
    found = await outcome(answering(answer, asynchronous))
    assert (found.status, found.reason) == (status, reason)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    "error", [RuntimeError(SECRET), ConnectionRefusedError(111, SECRET), KeyError(SECRET)]
)
async def test_a_raising_check_is_unhealthy_and_only_the_type_of_its_error_is_shown(
    error: Exception, asynchronous: bool
) -> None:
    async def later() -> None:
        raise error

    def now() -> None:
        raise error

    found = await outcome(later if asynchronous else now)
    assert (found.status, found.reason) == ("unhealthy", f"it raised {type(error).__name__}")


async def test_a_check_that_calls_sys_exit_is_unhealthy() -> None:
    assert (await outcome(lambda: sys.exit(3))).status == "unhealthy"


async def test_a_check_that_cancels_itself_is_unhealthy() -> None:
    async def cancels() -> None:
        raise asyncio.CancelledError

    assert (await outcome(cancels)).reason == "it was cancelled"


async def test_a_plain_function_may_return_an_awaitable() -> None:
    async def down() -> bool:
        return False

    assert (await outcome(lambda *_: down())).status == "unhealthy"


async def test_a_slow_check_fails_at_its_timeout_and_the_others_are_reported() -> None:
    health = Health(cache=0)
    never = asyncio.Event()
    health.register_check("slow", never.wait, timeout=0.05)
    health.register_check("quick", lambda: True)
    report = await health.report()
    assert report.results["slow"].reason == "no answer within 0.05 s"
    assert report.results["quick"].status == "healthy"
    assert report.failing == ["slow"]


async def test_a_hanging_check_uses_one_thread_however_often_it_is_run() -> None:
    release, runs = threading.Event(), []
    health = Health(cache=0)

    def hangs() -> None:
        runs.append(threading.current_thread())
        release.wait()

    health.register_check("stuck", hangs, timeout=0.02)
    try:
        reasons = [(await health.report()).results["stuck"].reason for _ in range(5)]
    finally:
        release.set()
    assert reasons == ["no answer within 0.02 s", *["an earlier run has not ended"] * 4]
    assert len(runs) == 1
    runs[0].join()
    assert (await health.report()).results["stuck"].status == "healthy"


async def test_a_coroutine_that_ignores_its_cancellation_is_abandoned() -> None:
    release, runs = asyncio.Event(), []

    async def stubborn() -> None:
        runs.append(1)
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    health = Health(cache=0)
    health.register_check("stubborn", stubborn, timeout=0.02)
    reasons = [(await health.report()).results["stubborn"].reason for _ in range(3)]
    release.set()
    assert reasons[1:] == ["an earlier run has not ended"] * 2
    assert len(runs) == 1


async def test_checks_run_concurrently() -> None:
    """Each check waits for all others: run one after another, none would end."""
    health, together = Health(), asyncio.Barrier(5)
    for number in range(5):
        health.register_check(f"one_{number}", together.wait)
    assert (await health.report()).failing == []


async def test_concurrent_requests_run_each_check_once() -> None:
    now, runs = [100.0], []

    async def counts() -> None:
        runs.append(1)
        await asyncio.sleep(0.01)

    health = Health(cache=1, clock=lambda: now[0])
    health.register_check("counted", counts)
    await asyncio.gather(*(health.report() for _ in range(1000)))
    assert len(runs) == 1
    now[0] += 0.9
    await health.report()
    assert len(runs) == 1
    now[0] += 0.2
    await asyncio.gather(*(health.report() for _ in range(1000)))
    assert len(runs) == 2


async def test_a_report_can_be_renewed_before_it_ends() -> None:
    """Then a request gets the cached report at once, although a check takes its time."""
    now, release, runs = [100.0], asyncio.Event(), []

    async def waits() -> None:
        runs.append(now[0])
        if len(runs) > 1:
            await release.wait()

    health = Health(cache=1, clock=lambda: now[0], ahead=0.5)
    health.register_check("waiting", waits)
    first = await health.report()
    now[0] = 100.4
    assert await health.report() is first
    now[0] = 100.6
    assert [await health.report() for _ in range(100)] == [first] * 100
    while len(runs) < 2:
        await asyncio.sleep(0.01)
    assert await health.report() is first
    release.set()
    while (second := await health.report()) is first:
        await asyncio.sleep(0.01)
    now[0] = 101.05
    assert await health.report() is second
    assert len(runs) == 2


async def test_cancelling_the_first_request_does_not_cancel_the_others() -> None:
    release, runs = asyncio.Event(), []

    async def waits() -> None:
        runs.append(1)
        await release.wait()

    health = Health()
    health.register_check("waiting", waits)
    first = asyncio.create_task(health.report())
    second = asyncio.create_task(health.report())
    await asyncio.sleep(0.01)
    first.cancel()
    release.set()
    assert (await second).results["waiting"].status == "healthy"
    assert len(runs) == 1


def test_checks_can_be_run_by_several_event_loops_in_turn() -> None:
    health = Health(cache=0)
    health.register_check("forever", lambda: asyncio.sleep(3600), timeout=0.02)
    for _ in range(2):
        assert asyncio.run(health.report()).results["forever"].reason == "no answer within 0.02 s"


@pytest.mark.parametrize(
    ("critical", "optional", "whole", "failing", "degraded"),
    [
        ("healthy", "healthy", "healthy", [], []),
        ("degraded", "healthy", "degraded", [], ["critical"]),
        ("healthy", "degraded", "degraded", [], ["optional"]),
        ("healthy", "unhealthy", "degraded", [], ["optional"]),
        ("unhealthy", "healthy", "unhealthy", ["critical"], []),
        ("unhealthy", "unhealthy", "unhealthy", ["critical"], ["optional"]),
    ],
)
def test_the_overall_status_follows_from_the_components(
    critical: str, optional: str, whole: str, failing: list[str], degraded: list[str]
) -> None:
    report = HealthReport(
        {
            "critical": CheckResult(Status(critical), True, 0),
            "optional": CheckResult(Status(optional), False, 0),
        },
        0,
    )
    assert (report.status, report.failing, report.degraded) == (whole, failing, degraded)


@pytest.mark.parametrize("name", ["", "Database", "a b", "1st", "x" * 65, "päth", "/etc"])
def test_an_invalid_name_is_rejected(name: str) -> None:
    with pytest.raises(ValueError, match="the name of a check is"):
        Health().register_check(name, lambda: True)


@pytest.mark.parametrize("timeout", [0, -1, 61, float("nan"), float("inf")])
def test_an_invalid_timeout_is_rejected(timeout: float) -> None:
    with pytest.raises(ValueError, match="the timeout of a check is"):
        Health().register_check("thing", lambda: True, timeout=timeout)


def test_a_check_that_is_not_callable_is_rejected() -> None:
    with pytest.raises(TypeError, match="is not callable"):
        Health().register_check("thing", True)  # type: ignore[arg-type]


async def test_a_check_can_be_replaced_and_removed() -> None:
    health = Health()
    health.register_check("thing", lambda: False)
    assert (await health.report()).failing == ["thing"]
    health.register_check("thing", lambda: True)
    assert (await health.report()).failing == []
    health.unregister_check("thing")
    health.unregister_check("thing")
    assert "thing" not in (await health.report()).results
