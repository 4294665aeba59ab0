"""When the heartbeat is missing: beats, time and restarts."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tallow.stack.heartbeat.monitor import NO_WATCHDOG, REPEAT_S, WAIT_S, WATCHDOG_RESOLVED, HeartbeatMonitor
from tallow.stack.heartbeat.state import HeartbeatState


@dataclass
class FakeTime:
    now: float = 1000.0
    monitor: HeartbeatMonitor = field(init=False)

    def start(self, record: HeartbeatState | None = None, scale: float = 1.0) -> HeartbeatMonitor:
        self.monitor = HeartbeatMonitor(
            ("email", "slack"), record, scale=scale, clock=lambda: self.now, wall=lambda: self.now + 1e9
        )
        return self.monitor

    def advance(self, seconds: float) -> HeartbeatState:
        self.now += seconds
        self.monitor.check_deadline()
        return self.monitor.current


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


def test_beats_in_time_do_not_notify(time: FakeTime) -> None:
    monitor = time.start()
    for _ in range(20):
        monitor.record_beat()
        assert time.advance(WAIT_S - 1).state == "beating"
    assert monitor.current.to_notify == ()


def test_one_lost_beat_does_not_notify_but_two_do(time: FakeTime) -> None:
    monitor = time.start()
    monitor.record_beat()
    assert time.advance(120 * 2).state == "beating"
    record = time.advance(120)
    assert (record.state, record.reason, record.to_notify) == ("missing", NO_WATCHDOG, ("email", "slack"))


def test_heartbeat_that_never_arrives_is_missing(time: FakeTime) -> None:
    time.start()
    assert time.advance(WAIT_S - 1).state == "waiting"
    record = time.advance(1)
    assert (record.state, record.last_beat) == ("missing", None)


def test_first_beat_does_not_notify(time: FakeTime) -> None:
    time.start().record_beat()
    assert (time.monitor.current.state, time.monitor.current.to_notify) == ("beating", ())


def test_returned_heartbeat_notifies(time: FakeTime) -> None:
    monitor = time.start()
    time.advance(WAIT_S)
    monitor.record_beat()
    assert (monitor.current.state, monitor.current.to_notify) == ("beating", ("email", "slack"))


def test_resolved_watchdog_notifies_at_once_and_only_once(time: FakeTime) -> None:
    monitor = time.start()
    monitor.record_beat()
    monitor.record_resolved()
    assert (monitor.current.state, monitor.current.reason) == ("missing", WATCHDOG_RESOLVED)
    monitor.mark_notified("email")
    monitor.record_resolved()
    assert monitor.current.to_notify == ("slack",)


def test_notification_is_repeated_while_the_heartbeat_is_missing(time: FakeTime) -> None:
    monitor = time.start()
    time.advance(WAIT_S)
    monitor.mark_notified("email")
    monitor.mark_notified("slack")
    assert time.advance(REPEAT_S - 1).to_notify == ()
    assert time.advance(1).to_notify == ("email", "slack")


def test_restart_sends_no_false_notification(time: FakeTime) -> None:
    long_ago = HeartbeatState("beating", since=1.0, last_beat=1.0)
    time.start(long_ago)
    assert time.advance(WAIT_S - 1).state == "beating"
    assert time.advance(1).state == "missing"


def test_restart_keeps_pending_notifications(time: FakeTime) -> None:
    time.start(HeartbeatState("missing", 1.0, 1.0, NO_WATCHDOG, to_notify=("slack", "pager gone since")))
    assert time.advance(1).to_notify == ("slack",)
    time.monitor.record_beat()
    assert time.monitor.current.to_notify == ("email", "slack")


def test_times_are_scaled(time: FakeTime) -> None:
    time.start(scale=0.1)
    assert time.advance(WAIT_S / 10 - 0.1).state == "waiting"
    assert time.advance(0.1).state == "missing"
