"""Reports about failing channels, and deliveries that never raise."""

from __future__ import annotations

import asyncio

import pytest

from tallow.stack.alerts.links import Links
from tallow.stack.heartbeat.channels import Channel, UndeliveredError
from tallow.stack.heartbeat.delivery import deliver
from tallow.stack.heartbeat.faults import REPORT_AFTER, ChannelFaults, FaultChange
from tallow.stack.heartbeat.message import HeartbeatMessage, MessageComposer

MESSAGE = HeartbeatMessage(
    True, "No heartbeat", "text", "http://localhost/runbook", "http://localhost/dashboard"
)


class Broken(Channel):
    name = "broken"

    def __init__(self, error: BaseException | None) -> None:
        self.error = error

    async def send(self, notice: HeartbeatMessage) -> None:
        if self.error is None:
            await asyncio.sleep(3600)
        else:
            raise self.error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (UndeliveredError("answers 500"), "answers 500"),
        (ValueError("hunter2"), "an unexpected error: ValueError at test_faults.py:"),
        (ExceptionGroup("hunter2", [OSError()]), "an unexpected error: ExceptionGroup at test_faults.py:"),
        (UnicodeEncodeError("ascii", "hunter2", 0, 1, "no"), "an unexpected error: UnicodeEncodeError at "),
        (KeyError("hunter2"), "an unexpected error: KeyError at "),
        (RecursionError("hunter2"), "an unexpected error: RecursionError at "),
        (None, "no answer within 0.01 s"),
    ],
)
async def test_delivery_raises_no_exception(error: BaseException | None, expected: str) -> None:
    problem = await deliver(Broken(error), MESSAGE, timeout_s=0.01)
    assert problem.startswith(expected)
    assert "hunter2" not in problem


async def test_a_delivery_can_be_cancelled() -> None:
    with pytest.raises(asyncio.CancelledError):
        await deliver(Broken(asyncio.CancelledError()), MESSAGE)


def failed(faults: ChannelFaults, source: str, problem: str = "answers 500", times: int = 1) -> None:
    for _ in range(times):
        faults.record(source, problem)


def test_fault_is_reported_after_several_failures_in_a_row() -> None:
    faults = ChannelFaults(["email", "slack"])
    failed(faults, "slack", times=REPORT_AFTER - 1)
    assert faults.next_change("email") is None
    faults.record("slack", "")
    failed(faults, "slack", times=REPORT_AFTER - 1)
    assert faults.next_change("email") is None
    failed(faults, "slack", "answers 404")
    assert faults.next_change("email") == FaultChange("slack", "answers 404")
    assert faults.next_change("slack") is None


def test_fault_is_reported_once_and_its_end_once() -> None:
    faults = ChannelFaults(["email", "slack"])
    failed(faults, "slack", times=REPORT_AFTER)
    change = faults.next_change("email")
    assert change
    faults.mark_notified("email", change)
    failed(faults, "slack", "another reason")
    assert faults.next_change("email") is None
    faults.record("slack", "")
    over = faults.next_change("email")
    assert over == FaultChange("slack", "")
    faults.mark_notified("email", over)
    assert faults.next_change("email") is None


def test_end_of_an_unreported_fault_is_not_reported() -> None:
    faults = ChannelFaults(["email", "slack"])
    failed(faults, "slack", times=REPORT_AFTER)
    faults.record("slack", "")
    assert faults.next_change("email") is None


def test_third_channel_reports_two_failing_ones() -> None:
    faults = ChannelFaults(["email", "pagerduty", "slack"])
    failed(faults, "slack", times=REPORT_AFTER)
    failed(faults, "email", times=REPORT_AFTER)
    reported = []
    while change := faults.next_change("pagerduty"):
        reported.append(change.source)
        faults.mark_notified("pagerduty", change)
    assert reported == ["email", "slack"]


def test_problem_is_new_only_once() -> None:
    faults = ChannelFaults([])
    assert faults.record("slack", "answers 500")
    assert not faults.record("slack", "answers 500")
    assert faults.record("slack", "answers 404")
    assert not faults.record("slack", "")
    assert faults.problems == {}


def test_message_names_channel_reason_and_possible_cause() -> None:
    notices = MessageComposer(Links(), remarks=("Proxy settings: all_proxy: the scheme socks.",))
    message = notices.fault(FaultChange("slack", "answers 404"))
    assert message.subject == "[WARNING] The heartbeat checker cannot deliver by slack"
    assert "slack: answers 404." in message.text
    assert "all_proxy" in message.text
    over = notices.fault(FaultChange("slack", ""))
    assert over.subject == "[RESOLVED] The heartbeat checker delivers by slack again"
    assert over.key == message.key != MESSAGE.key
