"""Sessions and the password check, with a fake clock."""

from __future__ import annotations

import pytest

from support.manual_clock import ManualClock
from tallow.stack.viewer import sessions
from tallow.stack.viewer.sessions import (
    FAILURE_RECOVERY_S,
    FREE_FAILURES,
    LIFETIME_S,
    PasswordCheck,
    Sessions,
)


def test_session_is_open_until_its_end() -> None:
    clock = ManualClock(1000.0)
    opened = Sessions(clock)
    token = opened.open()
    clock.now += LIFETIME_S - 1
    assert opened.is_open(token)
    clock.now += 2
    assert not opened.is_open(token)


@pytest.mark.parametrize("token", [None, "", "guessed", "\udcff"])
def test_unknown_tokens_have_no_session(token: str | None) -> None:
    opened = Sessions()
    opened.open()
    assert not opened.is_open(token)


def test_closing_a_session_keeps_others_open() -> None:
    opened = Sessions()
    one, other = opened.open(), opened.open()
    opened.close(one)
    assert not opened.is_open(one)
    assert opened.is_open(other)


def test_with_too_many_sessions_the_oldest_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 2)
    opened = Sessions()
    tokens = [opened.open() for _ in range(3)]
    assert [opened.is_open(token) for token in tokens] == [False, True, True]


def test_failures_limit_only_their_own_address() -> None:
    clock = ManualClock(1000.0)
    check = PasswordCheck("right", clock)
    for _ in range(FREE_FAILURES):
        assert check.seconds_to_wait("10.0.0.1") == 0
        assert not check.check("10.0.0.1", "wrong")
    assert check.seconds_to_wait("10.0.0.1") == pytest.approx(FAILURE_RECOVERY_S)
    assert check.seconds_to_wait("10.0.0.2") == 0
    clock.now += FAILURE_RECOVERY_S
    assert check.seconds_to_wait("10.0.0.1") == 0


def test_right_password_clears_failures() -> None:
    check = PasswordCheck("right", ManualClock(1000.0))
    for _ in range(FREE_FAILURES - 1):
        check.check("10.0.0.1", "wrong")
    assert check.check("10.0.0.1", "right")
    assert not check.check("10.0.0.1", "wrong")
    assert check.seconds_to_wait("10.0.0.1") == 0


def test_number_of_stored_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_ADDRESSES", 3)
    check = PasswordCheck("right", ManualClock(1000.0))
    for number in range(10):
        check.check(f"10.0.0.{number}", "wrong")
    assert len(check._blocked_until) == 3
