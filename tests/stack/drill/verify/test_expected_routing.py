"""The expected destinations of alerts."""

from __future__ import annotations

import pytest

from tallow.stack import alerts
from tallow.stack.drill.verify import expected_routing
from tallow.stack.routing.matrix import RECEIVERS


@pytest.mark.parametrize("name", alerts.RULES)
def test_every_alert_has_receivers_and_destinations(name: str) -> None:
    rule = alerts.RULES[name]
    known = {receiver.name for receiver in RECEIVERS}
    assert set(expected_routing.expected_receivers(rule)) <= known
    assert expected_routing.expected_destinations(rule)


def test_critical_security_alerts_have_two_receivers() -> None:
    places = expected_routing.expected_destinations(alerts.RULES["HighPQCFailureRate"])
    assert places["slack", "slack"] == 2
    assert places["pagerduty", "pagerduty"] == 1
    assert len(places) == 4


def test_the_shortest_group_wait_counts() -> None:
    assert expected_routing.group_wait(alerts.RULES["ServiceDown"]) == 10
    assert expected_routing.group_wait(alerts.RULES["HighErrorRate"]) == 30
    assert expected_routing.group_interval(alerts.RULES["SlowTransfers"]) == 600
