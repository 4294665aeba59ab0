"""Receivers that notify nobody, and PagerDuty's severities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tallow.stack.prove.alertmanager.config import Receiver, Route
from tallow.stack.prove.checks.routing.model import Messages, RoutedAlert, Routing, RoutingCheck, at_rule
from tallow.stack.prove.yaml_nodes import Mapping
from tallow.stack.routing.matrix import PAGERDUTY_SEVERITIES

_QUIET: Final = frozenset({"none", "info", "debug", "null"})
"""Severities that are commonly sent to a receiver without integrations on purpose."""
_COMMON: Final = re.compile(r"\{\{-?\s*\.CommonLabels\.severity\b[^}]*\}\}")
_SEVERITY: Final = re.compile(
    r"\{\{-?\s*(?:\.(?:Common|Group)Labels\.severity|\(index \.Alerts 0\)\.Labels\.severity)\s*-?\}\}"
)
_ALL: Final = "..."


def notifies_nobody(routing: Routing) -> Messages:
    """An alert all of whose receivers have no integration, without a route that names the alert."""
    for alert in routing.alerts:
        reached = routing.receivers(alert)
        if alert.severity in _QUIET or any(receiver.integrations for receiver, _ in reached):
            continue
        if reached and not any(_names_alert(route) for route, _ in routing.routes(alert)):
            names = ", ".join(dict.fromkeys(f"'{receiver.name}'" for receiver, _ in reached))
            yield at_rule(alert), f"nobody is notified: {names} has no integration"


def _names_alert(route: Route) -> bool:
    return any(matcher.name == "alertname" for matcher in route.matchers)


def unused_receiver(routing: Routing) -> Messages:
    """A receiver that no route names."""
    used = {route.receiver for route in routing.config.root.walk()}
    for receiver in routing.config.receivers:
        if receiver.name not in used:
            yield routing.at(receiver.line, f"receiver {receiver.name}"), "no route names it"


def refused_severity(routing: Routing) -> Messages:
    """A severity that PagerDuty's Events API answers with 400."""
    for receiver, fields in _pagerduty(routing):
        written = fields.get("severity")
        if not isinstance(written, str):
            continue
        if "{{" not in written and written not in PAGERDUTY_SEVERITIES:
            place = routing.at(fields.line, f"receiver {receiver.name}")
            yield place, f"PagerDuty refuses severity '{written}'; it accepts {_ACCEPTED}"
        elif _SEVERITY.fullmatch(written.strip()):
            yield from _refused_alerts(routing, receiver)


_ACCEPTED: Final = ", ".join(PAGERDUTY_SEVERITIES)


def _refused_alerts(routing: Routing, receiver: Receiver) -> Messages:
    """The alerts of a receiver that passes their severity on."""
    for alert in _alerts_of(routing, receiver):
        if alert.severity is not None and alert.severity not in PAGERDUTY_SEVERITIES:
            shown = f"severity '{alert.severity}'" if alert.severity else "an alert without severity"
            yield at_rule(alert), f"PagerDuty ('{receiver.name}') refuses {shown}; it accepts {_ACCEPTED}"


def _pagerduty(routing: Routing) -> Iterator[tuple[Receiver, Mapping]]:
    """The PagerDuty integrations of the Events API v2; v1 (``service_key``) has no severity."""
    for receiver in routing.config.receivers:
        for fields in receiver.pagerduty:
            if "service_key" not in fields and "service_key_file" not in fields:
                yield receiver, fields


def _alerts_of(routing: Routing, receiver: Receiver) -> Iterator[RoutedAlert]:
    """The alerts that a receiver gets for certain."""
    for alert in routing.alerts:
        if any(one is receiver and certain for one, certain in routing.receivers(alert)):
            yield alert


def mixed_severities(routing: Routing) -> Messages:
    """A group with several severities has no common one: the text that PagerDuty gets is empty."""
    for receiver, fields in _pagerduty(routing):
        written = fields.get("severity")
        if not isinstance(written, str) or not _COMMON.fullmatch(written.strip()):
            continue
        for route in routing.config.root.walk():
            if route.receiver != receiver.name or {"severity", _ALL} & set(route.group_by):
                continue
            found = {alert.severity for alert in routing.alerts if _is_on(routing, alert, route)}
            if len(found - {None}) > 1:
                yield (
                    routing.at(route.line, f"route to {receiver.name}"),
                    (
                        "groups may have several severities, and PagerDuty refuses the empty common one: "
                        "add 'severity' to group_by"
                    ),
                )


def _is_on(routing: Routing, alert: RoutedAlert, route: Route) -> bool:
    return any(one is route and certain for one, certain in routing.routes(alert))


CHECKS: Final = (
    RoutingCheck("receiver/nobody", "error", notifies_nobody),
    RoutingCheck("receiver/unused", "warning", unused_receiver),
    RoutingCheck("receiver/pagerduty", "error", refused_severity),
    RoutingCheck("receiver/mixed", "error", mixed_severities),
)
