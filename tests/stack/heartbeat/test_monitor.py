"""When the heartbeat is missing: beats, time and restarts."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tallow.stack.heartbeat.monitor import NO_WATCHDOG, REPEAT_S, WAIT_S, WATCHDOG_RESOLVED, HeartbeatMonitor
from tallow.stack.heartbeat.state import HeartbeatState


@dataclass
class Time:
    now: float = 1000.0
    watch: HeartbeatMonitor = field(init=False)

    def start(self, record: HeartbeatState | None = None, scale: float = 1.0) -> HeartbeatMonitor:
        self.watch = HeartbeatMonitor(
            ("email", "slack"), record, scale=scale, clock=lambda: self.now, wall=lambda: self.now + 1e9
        )
        return self.watch

    def passes(self, seconds: float) -> HeartbeatState:
        self.now += seconds
        self.watch.check_deadline()
        return self.watch.current


@pytest.fixture
def time() -> Time:
    return Time()


def test_beats_in_time_do_not_notify(time: Time) -> None:
    watch = time.start()
    for _ in range(20):
        watch.record_beat()
        assert time.passes(WAIT_S - 1).state == "beating"
    assert watch.current.to_notify == ()


def test_one_lost_beat_does_not_notify_but_two_do(time: Time) -> None:
    watch = time.start()
    watch.record_beat()
    assert time.passes(120 * 2).state == "beating"
    record = time.passes(120)
    assert (record.state, record.reason, record.to_notify) == ("missing", NO_WATCHDOG, ("email", "slack"))


def test_heartbeat_that_never_arrives_is_missing(time: Time) -> None:
    time.start()
    assert time.passes(WAIT_S - 1).state == "waiting"
    record = time.passes(1)
    assert (record.state, record.last_beat) == ("missing", None)


def test_first_beat_does_not_notify(time: Time) -> None:
    time.start().record_beat()
    assert (time.watch.current.state, time.watch.current.to_notify) == ("beating", ())


def test_returned_heartbeat_notifies(time: Time) -> None:
    watch = time.start()
    time.passes(WAIT_S)
    watch.record_beat()
    assert (watch.current.state, watch.current.to_notify) == ("beating", ("email", "slack"))


def test_resolved_watchdog_notifies_at_once_and_only_once(time: Time) -> None:
    watch = time.start()
    watch.record_beat()
    watch.record_resolved()
    assert (watch.current.state, watch.current.reason) == ("missing", WATCHDOG_RESOLVED)
    watch.mark_notified("email")
    watch.record_resolved()
    assert watch.current.to_notify == ("slack",)


def test_notification_is_repeated_while_the_heartbeat_is_missing(time: Time) -> None:
    watch = time.start()
    time.passes(WAIT_S)
    watch.mark_notified("email")
    watch.mark_notified("slack")
    assert time.passes(REPEAT_S - 1).to_notify == ()
    assert time.passes(1).to_notify == ("email", "slack")


def test_restart_sends_no_false_notification(time: Time) -> None:
    long_ago = HeartbeatState("beating", since=1.0, last_beat=1.0)
    time.start(long_ago)
    assert time.passes(WAIT_S - 1).state == "beating"
    assert time.passes(1).state == "missing"


def test_restart_keeps_pending_notifications(time: Time) -> None:
    time.start(HeartbeatState("missing", 1.0, 1.0, NO_WATCHDOG, to_notify=("slack", "pager gone since")))
    assert time.passes(1).to_notify == ("slack",)
    time.watch.record_beat()
    assert time.watch.current.to_notify == ("email", "slack")


def test_times_are_scaled(time: Time) -> None:
    time.start(scale=0.1)
    assert time.passes(WAIT_S / 10 - 0.1).state == "waiting"
    assert time.passes(0.1).state == "missing"
