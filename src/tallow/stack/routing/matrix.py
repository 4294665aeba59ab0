"""Receivers and routes: which alert goes to which receiver, and after which wait."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from tallow.stack.alerts.rule import Category, Severity
from tallow.stack.durations import HOUR, MINUTE

Channel = Literal["email", "slack", "pagerduty", "heartbeat"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
CATEGORIES: tuple[Category, ...] = get_args(Category)
"""The values that the routes handle; any other value would reach the default receiver."""
PAGERDUTY_SEVERITIES = ("critical", "error", "warning", "info")
"""The values that PagerDuty's Events API v2 accepts; it answers 400 to any other, and the event is lost."""

GROUP_BY = ("alertname", "severity", "category", "job", "instance")
"""Includes severity: a mixed group has no common severity, and PagerDuty answers 400 to an empty one."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver and its channels. Times are seconds; ``audience`` names the ``ALERT_EMAIL_…`` setting."""

    name: str
    channels: tuple[Channel, ...]
    audience: str
    group_wait: float
    group_interval: float
    repeat_interval: float
    group_by: tuple[str, ...] = GROUP_BY


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the routing tree; with ``continues``, later routes are tried as well."""

    receiver: str
    matchers: tuple[str, ...]
    continues: bool = False


DEFAULT = Receiver("default", ("email",), "default", 30, 5 * MINUTE, 4 * HOUR)

RECEIVERS = (
    DEFAULT,
    Receiver("critical-alerts", ("email", "slack", "pagerduty"), "critical", 10, 5 * MINUTE, 1 * HOUR),
    Receiver("performance-alerts", ("email",), "performance", 30, 10 * MINUTE, 12 * HOUR),
    Receiver("security-alerts", ("email", "slack"), "security", 10, 5 * MINUTE, 2 * HOUR),
    Receiver("transfer-alerts", ("email",), "operations", 30, 5 * MINUTE, 4 * HOUR),
    Receiver("connection-alerts", ("email",), "operations", 30, 5 * MINUTE, 4 * HOUR),
    # All informational alerts in one group, sent once a day. The repeat interval is shorter than the group
    # interval: if both were 24 h, a repeat would be slightly early and wait for the next day.
    Receiver("daily-digest", ("email",), "digest", 5 * MINUTE, 24 * HOUR, 23 * HOUR, ("service",)),
    # For the same reason a heartbeat arrives every two minutes; the checker waits longer.
    Receiver("heartbeat", ("heartbeat",), "default", 0, 1 * MINUTE, 1 * MINUTE),
)

ROUTES = (
    Route("heartbeat", ('alertname="Watchdog"',)),
    Route("daily-digest", ('severity="info"',)),
    Route("critical-alerts", ('severity="critical"', 'category="security"'), continues=True),
    Route("security-alerts", ('category="security"', 'severity=~"critical|warning"')),
    Route("critical-alerts", ('severity="critical"',)),
    Route("performance-alerts", ('category=~"performance|database|caching"',)),
    Route("transfer-alerts", ('category="transfers"',)),
    Route("connection-alerts", ('category="connections"',)),
)

_MATCHER = re.compile(r'(\w+)(=~|=)"([^"]*)"')


def receivers(labels: Mapping[str, str]) -> list[Receiver]:
    """The receivers of an alert with these labels, by Alertmanager's routing algorithm.

    >>> [receiver.name for receiver in receivers({"severity": "info"})]
    ['daily-digest']
    """
    by_name = {receiver.name: receiver for receiver in RECEIVERS}
    matched = []
    for route in ROUTES:
        if all(_matches(matcher, labels) for matcher in route.matchers):
            matched.append(by_name[route.receiver])
            if not route.continues:
                break
    return matched or [DEFAULT]


def _matches(matcher: str, labels: Mapping[str, str]) -> bool:
    found = _MATCHER.fullmatch(matcher)
    assert found is not None
    name, operator, wanted = found.groups()
    value = labels.get(name, "")
    return value == wanted if operator == "=" else re.fullmatch(wanted, value) is not None
