"""Retries: delays, give-up time, and metrics."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.manual_clock import ManualClock
from tallow.app.peer.connection.retry import RetrySchedule
from tallow.app.peer.errors import ServerConnectionError
from tallow.app.peer.options import PeerTiming
from tallow.app.peer.telemetry_reporter import new_metrics
from tallow.monitoring.metrics import Metrics

ERROR = ServerConnectionError("the server cannot be reached")
TIMING = PeerTiming(first_delay=1, max_delay=8, give_up_after=100)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def metrics() -> Metrics:
    return new_metrics()


@pytest.fixture
def retries(metrics: Metrics, clock: Callable[[], float]) -> RetrySchedule:
    return RetrySchedule("signaling", metrics, TIMING, clock)


def test_delays_double_up_to_their_maximum(retries: RetrySchedule) -> None:
    delays = [retries.record_failure(ERROR) for _ in range(50)]
    for delay, longest in zip(delays, [1, 2, 4, *[8] * 47], strict=True):
        assert delay is not None
        assert longest / 2 <= delay <= longest


def test_retries_end_after_their_time(retries: RetrySchedule, clock: ManualClock) -> None:
    assert retries.record_failure(ERROR) is not None
    clock.now = 99.9
    assert retries.record_failure(ERROR) is not None
    clock.now = 100
    assert retries.record_failure(ERROR) is None


def test_waiting_for_the_other_side_does_not_count(retries: RetrySchedule, clock: ManualClock) -> None:
    retries.record_failure(ERROR)
    clock.now = 1000
    retries.restart_clock()
    assert retries.record_failure(ERROR) is not None


def test_a_success_resets_delay_and_time(retries: RetrySchedule, clock: ManualClock) -> None:
    for _ in range(5):
        retries.record_failure(ERROR)
    retries.record_success()
    clock.now = 1000
    delay = retries.record_failure(ERROR)
    assert delay is not None
    assert delay <= TIMING.first_delay


def test_errors_retries_and_recovery_are_counted(retries: RetrySchedule, metrics: Metrics) -> None:
    retries.record_success()
    retries.record_failure(ERROR)
    retries.record_failure(ERROR)
    retries.record_success()
    retries.record_success()
    value = metrics.registry.value
    assert value("errors_total", type="network", severity="medium") == 2
    assert value("retry_attempts_total", operation="signaling", status="failed") == 1
    assert value("retry_attempts_total", operation="signaling", status="success") == 1
    assert value("error_recoveries_total", type="network") == 1
