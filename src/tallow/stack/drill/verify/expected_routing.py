"""Where the notifications of an alert must arrive.

This repeats the routing matrix of the specification and does not read the routing tree, because the drills
test that tree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from tallow.stack.alerts.rule import Category, Rule
from tallow.stack.drill.receivers.receiver_set import address
from tallow.stack.routing.matrix import RECEIVERS

Destination = tuple[str, str]
"""A channel and the target on it, as in a received message."""

_SLACK: Final[Destination] = ("slack", "slack")
_PAGERDUTY: Final[Destination] = ("pagerduty", "pagerduty")


def _mail(audience: str) -> Destination:
    return ("email", address(audience))


DESTINATIONS: Final[Mapping[str, tuple[Destination, ...]]] = {
    "default": (_mail("default"),),
    "critical-alerts": (_mail("critical"), _SLACK, _PAGERDUTY),
    "performance-alerts": (_mail("performance"),),
    "security-alerts": (_mail("security"), _SLACK),
    "transfer-alerts": (_mail("operations"),),
    "connection-alerts": (_mail("operations"),),
    "daily-digest": (_mail("digest"),),
}
"""The destinations of each receiver."""

_WARNINGS: Final[Mapping[Category, str]] = {
    "availability": "default",
    "monitoring": "default",
    "performance": "performance-alerts",
    "database": "performance-alerts",
    "caching": "performance-alerts",
    "transfers": "transfer-alerts",
    "connections": "connection-alerts",
    "security": "security-alerts",
}


def expected_receivers(rule: Rule) -> tuple[str, ...]:
    """The receivers of an alert; no others may be notified."""
    if rule.severity == "info":
        return ("daily-digest",)
    if rule.severity == "warning":
        return (_WARNINGS[rule.category],)
    return ("critical-alerts", "security-alerts") if rule.category == "security" else ("critical-alerts",)


def expected_destinations(rule: Rule) -> Counter[Destination]:
    """The destinations of an alert's notifications, and the least number of messages at each."""
    return Counter(place for name in expected_receivers(rule) for place in DESTINATIONS[name])


def group_wait(rule: Rule) -> float:
    """Seconds that Alertmanager waits before the first message of an alert, unscaled."""
    return min(receiver.group_wait for receiver in RECEIVERS if receiver.name in expected_receivers(rule))


def group_interval(rule: Rule) -> float:
    """Seconds between two messages of a group, unscaled; the message of the end may wait this long."""
    return max(receiver.group_interval for receiver in RECEIVERS if receiver.name in expected_receivers(rule))
