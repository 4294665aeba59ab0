"""Who must be told of what: the contract's matrix, said a second time.

Not taken from the routing tree on purpose: the drill proves the tree, and a tree that agrees with itself
proves nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from tallow.stack.alerts.rule import Category, Rule
from tallow.stack.drill.receivers.receiver_set import address
from tallow.stack.routing.matrix import RECEIVERS

Destination = tuple[str, str]
"""Channel and target."""

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
"""Where a receiver's messages arrive."""

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
    """The receivers that must be told of an alert, and no others."""
    if rule.severity == "info":
        return ("daily-digest",)
    if rule.severity == "warning":
        return (_WARNINGS[rule.category],)
    return ("critical-alerts", "security-alerts") if rule.category == "security" else ("critical-alerts",)


def expected_destinations(rule: Rule) -> Counter[Destination]:
    """Where messages about an alert must arrive, and how many at least."""
    return Counter(place for name in expected_receivers(rule) for place in DESTINATIONS[name])


def group_wait(rule: Rule) -> float:
    """Seconds that Alertmanager waits before the first message, unscaled."""
    return min(receiver.group_wait for receiver in RECEIVERS if receiver.name in expected_receivers(rule))


def group_interval(rule: Rule) -> float:
    """Seconds between two messages of a group, unscaled: an end may wait that long."""
    return max(receiver.group_interval for receiver in RECEIVERS if receiver.name in expected_receivers(rule))
