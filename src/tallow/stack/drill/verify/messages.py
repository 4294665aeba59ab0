"""Check received messages: which alert they concern, and what a reader needs and does not find."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from tallow.stack.alerts.rule import Rule
from tallow.stack.drill.environment.alert_observer import AlertTimeline
from tallow.stack.drill.receivers.message import Inbox, ReceivedMessage
from tallow.stack.drill.verify.expected_routing import Destination

_NUMBER: Final = re.compile(r"\d+")
_INSTANCE: Final = re.compile(r"127\.0\.0\.1:\d+")
_MISSING_VALUES: Final = ("<no value>", "%!", "<nil>", "NaN")


def concerns(message: ReceivedMessage, alert: str, instance: str) -> bool:
    """Whether a message is about an alert of an instance.

    The link to the runbook names the alert on every channel. A message that names no instance concerns every
    one.

    Args:
        instance: the label ``instance``; empty: any.
    """
    if not re.search(rf"/runbooks/{alert}\b", message.text):
        return False
    named = _INSTANCE.findall(message.text)
    return not named or not instance or instance in named


def deliveries(
    inbox: Inbox, alert: str, instance: str, *, firing: bool, since: float
) -> Counter[Destination]:
    """The number of messages about an alert at each destination."""
    return Counter(
        (message.channel, message.target)
        for message in inbox.messages
        if message.firing == firing and message.received_at >= since and concerns(message, alert, instance)
    )


def message_problems(message: ReceivedMessage, rule: Rule, timeline: AlertTimeline) -> Iterator[str]:
    """What a message lacks, one line each."""
    where = f"{message.channel} to {message.target}" if message.channel == "email" else message.channel
    yield from (f"{where}: {problem}" for problem in _form_problems(message, rule))
    text = _without_numbers(message.text)
    if _without_numbers(timeline.summary) not in text:
        yield f"{where}: no summary"
    if _without_numbers(timeline.description) not in text:
        yield f"{where}: no description with the measured value"


def _form_problems(message: ReceivedMessage, rule: Rule) -> Iterator[str]:
    if "DRILL" not in message.subject:
        yield "not marked as a drill"
    if message.channel != "pagerduty" and rule.severity.upper() not in message.subject:
        yield "the subject does not name the severity"
    if "/d/" not in message.text:
        yield "no link to a panel"
    for marker in _MISSING_VALUES:
        if marker in message.text + message.subject:
            yield f"a value is missing ({marker})"


def _without_numbers(text: str) -> str:
    """A text with every number as 0: values change from evaluation to evaluation."""
    return " ".join(_NUMBER.sub("0", text).replace("0.0", "0").split())
