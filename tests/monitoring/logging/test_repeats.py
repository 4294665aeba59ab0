"""The volume of repeated records is bounded, and none is lost uncounted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.manual_clock import ManualClock
from tallow.monitoring import correlation
from tallow.monitoring.logging import security_logger, transfer_logger
from tallow.monitoring.logging.repeats import MAX_DISTINCT, MAX_MESSAGES, RepeatLimiter
from tallow.monitoring.testing import captured_logs
from tallow.monitoring.testing.logs import CapturedLogs


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def limiter(clock: ManualClock) -> RepeatLimiter:
    return RepeatLimiter(60, clock)


@pytest.fixture
def logs() -> Iterator[CapturedLogs]:
    with captured_logs() as captured:
        yield captured


def reject(limiter: RepeatLimiter, reason: str = "unknown", **context: object) -> None:
    limiter.log(security_logger, "warning", "Token rejected", reason=reason, **context)


def test_the_first_record_is_written_at_once(limiter: RepeatLimiter, logs: CapturedLogs) -> None:
    reject(limiter)
    assert [(record["level"], record["reason"]) for record in logs.records] == [("warning", "unknown")]


def test_further_records_of_a_minute_become_one(
    limiter: RepeatLimiter, clock: ManualClock, logs: CapturedLogs
) -> None:
    for second in range(60):
        clock.now = second
        reject(limiter, count=second)
    assert len(logs.records) == 1
    clock.now = 60
    limiter.flush_due()
    assert (logs.last["repeated"], logs.last["count"], len(logs.records)) == (59, 59, 2)


def test_a_kind_that_goes_on_has_one_line_a_minute(
    limiter: RepeatLimiter, clock: ManualClock, logs: CapturedLogs
) -> None:
    """At the end of a minute too: its summary, and not the next record besides."""
    written: list[float] = []
    for step in range(6000):
        clock.now = step / 10
        before = len(logs.records)
        reject(limiter)
        if step > 550:  # another kind of the same message, which begins within a minute of the first
            reject(limiter, "other")
        written += [clock.now for record in logs.records[before:] if record["reason"] == "unknown"]
    assert all(later - earlier >= 60 for earlier, later in itertools.pairwise(written))
    assert len(written) == 10
    limiter.flush()
    unknown = [record.get("repeated", 1) for record in logs.records if record["reason"] == "unknown"]
    other = [record.get("repeated", 1) for record in logs.records if record["reason"] == "other"]
    assert (sum(unknown), sum(other)) == (6000, 5449)
    assert len(other) <= 11


def test_a_kind_that_has_ended_is_written_at_once_again(
    limiter: RepeatLimiter, clock: ManualClock, logs: CapturedLogs
) -> None:
    reject(limiter)
    reject(limiter)
    for clock.now in (60, 120):
        limiter.flush_due()
    reject(limiter)
    assert [record.get("repeated") for record in logs.records] == [None, 1, None]


def test_the_next_call_writes_a_summary_that_is_due(
    limiter: RepeatLimiter, clock: ManualClock, logs: CapturedLogs
) -> None:
    reject(limiter)
    reject(limiter)
    clock.now = 61
    limiter.log(transfer_logger, "info", "Transfer started")
    assert [record.get("repeated") for record in logs.records] == [None, 1, None]


def test_kinds_are_distinguished_by_the_texts_of_the_context(
    limiter: RepeatLimiter, logs: CapturedLogs
) -> None:
    reject(limiter, "unknown", size=1)
    reject(limiter, "expired", size=2)
    reject(limiter, "expired", size=3)
    assert [record["reason"] for record in logs.records] == ["unknown", "expired"]


def test_a_summary_has_the_correlation_id_of_the_last_record(
    limiter: RepeatLimiter, logs: CapturedLogs
) -> None:
    ids = [correlation.new_id() for _ in range(3)]
    for request_id in ids:
        with correlation.bind(request_id):
            reject(limiter)
    with correlation.bind(correlation.new_id()):
        limiter.flush()
    assert [record["correlation_id"] for record in logs.records] == [ids[0], ids[2]]


def test_an_exception_is_in_the_first_record_only(limiter: RepeatLimiter, logs: CapturedLogs) -> None:
    for _ in range(2):
        reject(limiter, exc_info=ValueError("broken"))
    limiter.flush()
    assert ["error" in record for record in logs.records] == [True, False]


def test_a_stranger_cannot_cause_more_lines_with_new_keys(limiter: RepeatLimiter, logs: CapturedLogs) -> None:
    for number in range(5_000):
        reject(limiter, f"reason {number}")
    limiter.flush()
    assert len(logs.records) == MAX_DISTINCT + 1
    assert logs.last["repeated"] == 5_000 - MAX_DISTINCT


def test_many_messages_are_bounded_in_memory(limiter: RepeatLimiter, logs: CapturedLogs) -> None:
    for number in range(3 * MAX_MESSAGES):
        for _ in range(2):
            limiter.log(security_logger, "warning", f"Message {number}")
    limiter.flush()
    assert sum(record.get("repeated", 1) for record in logs.records) == 6 * MAX_MESSAGES


@given(
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 200)), max_size=300),
)
def test_every_record_is_written_or_counted(calls: list[tuple[int, int]]) -> None:
    clock = ManualClock()
    limiter = RepeatLimiter(60, clock)
    with captured_logs() as logs:
        for pause, key in calls:
            clock.now += pause
            reject(limiter, str(key))
        limiter.flush()
        assert sum(record.get("repeated", 1) for record in logs.records) == len(calls)
