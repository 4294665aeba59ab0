"""What arrived, read as its reader would: which alert it is about, and whether it says what it must."""

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
_BROKEN: Final = ("<no value>", "%!", "<nil>", "NaN")


def concerns(message: ReceivedMessage, alert: str, instance: str) -> bool:
    """Whether a message is about an alert of an instance (any, where it is empty).

    The runbook's link names the alert on every channel. What names no instance at all is about any.
    """
    if not re.search(rf"/runbooks/{alert}\b", message.text):
        return False
    named = _INSTANCE.findall(message.text)
    return not named or not instance or instance in named


def deliveries(tray: Inbox, alert: str, instance: str, *, firing: bool, since: float) -> Counter[Destination]:
    """Where messages about an alert arrived, and how many."""
    return Counter(
        (message.channel, message.target)
        for message in tray.messages
        if message.firing == firing and message.received_at >= since and concerns(message, alert, instance)
    )


def message_problems(message: ReceivedMessage, rule: Rule, sighting: AlertTimeline) -> Iterator[str]:
    """What a message should say and does not."""
    where = f"{message.channel} to {message.target}" if message.channel == "email" else message.channel
    if "DRILL" not in message.subject:
        yield f"{where}: not marked as a drill"
    if message.channel != "pagerduty" and rule.severity.upper() not in message.subject:
        yield f"{where}: the subject does not say how bad it is"
    if not _INSTANCE.sub("", message.text).count("/d/"):
        yield f"{where}: no link to a panel"
    for word in _BROKEN:
        if word in message.text or word in message.subject:
            yield f"{where}: a value is missing ({word})"
    text = _shape(message.text)
    if _shape(sighting.summary) not in text:
        yield f"{where}: no summary"
    if _shape(sighting.description) not in text:
        yield f"{where}: no description with the measured value"


def _shape(text: str) -> str:
    """A text without what changes from evaluation to evaluation."""
    return " ".join(_NUMBER.sub("0", text).replace("0.0", "0").split())
