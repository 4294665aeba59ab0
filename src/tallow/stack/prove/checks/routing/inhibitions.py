"""Inhibition rules that mute too much, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tallow.stack.prove.alertmanager.config import InhibitRule
from tallow.stack.prove.alertmanager.matchers import NO, YES, Matcher, match_all
from tallow.stack.prove.checks.routing.model import Messages, Place, RoutedAlert, Routing, RoutingCheck

_CRITICAL: Final = frozenset({"critical", "page"})


def mutes_critical(routing: Routing) -> Messages:
    """An alert that is not critical mutes one that is."""
    for rule in routing.config.inhibit_rules:
        found = (pair for pair in _pairs(routing, rule) if _is_upside_down(*pair))
        for source, target in list(found)[:1]:
            name, muted = source.parsed.rule.name, target.parsed.rule.name
            yield (
                _place(routing, rule),
                f"{name} ({source.severity or 'no severity'}) mutes {muted}, which is {target.severity}",
            )


def _is_upside_down(source: RoutedAlert, target: RoutedAlert) -> bool:
    return target.severity in _CRITICAL and source.severity is not None and source.severity not in _CRITICAL


def _pairs(routing: Routing, rule: InhibitRule) -> Iterator[tuple[RoutedAlert, RoutedAlert]]:
    """Alerts that mute another one, unless a label of ``equal`` that is not known differs."""
    targets = _matching(routing, rule.target)
    for source in _matching(routing, rule.source):
        for target in targets:
            values = [(source.value(label), target.value(label)) for label in rule.equal]
            if source is not target and all(None in pair or pair[0] == pair[1] for pair in values):
                yield source, target


def _matching(routing: Routing, matchers: Sequence[Matcher]) -> list[RoutedAlert]:
    """The alerts that match for certain."""
    return [alert for alert in routing.alerts if match_all(matchers, alert.value) == YES]


def _place(routing: Routing, rule: InhibitRule) -> Place:
    return routing.at(rule.line, "inhibit rule")


def mutes_everywhere(routing: Routing) -> Messages:
    """No ``equal``, or alerts without any of its labels: one source anywhere mutes each target everywhere."""
    for rule in routing.config.inhibit_rules:
        names = {matcher.name for matcher in rule.source}
        if not rule.equal and "alertname" not in names:
            yield (
                _place(routing, rule),
                "without 'equal' one source alert anywhere mutes every target alert everywhere",
            )
        for source, target in _pairs(routing, rule):
            if rule.equal and not any(
                alert.value(label) != "" for alert in (source, target) for label in rule.equal
            ):
                shown = ", ".join(rule.equal)
                yield (
                    _place(routing, rule),
                    (
                        f"{source.parsed.rule.name} and {target.parsed.rule.name} carry none of {shown}: "
                        "missing labels count as equal, and the first mutes the second everywhere"
                    ),
                )
                break


def never_equal(routing: Routing) -> Messages:
    """A label of ``equal`` that no source alert carries, or no target alert: the other side has one."""
    for rule in routing.config.inhibit_rules:
        sources, targets = (_matching(routing, side) for side in (rule.source, rule.target))
        for label in rule.equal if sources and targets else ():
            lacking = [_all_lack(label, side) for side in (sources, targets)]
            if lacking[0] != lacking[1]:
                side, alerts = ("source", sources) if lacking[0] else ("target", targets)
                names = ", ".join(dict.fromkeys(alert.parsed.rule.name for alert in alerts))
                yield (
                    _place(routing, rule),
                    (
                        f"the {side} {names} does not carry the label '{label}' of equal: "
                        "the rule mutes only alerts without it"
                    ),
                )


def _all_lack(label: str, alerts: Sequence[RoutedAlert]) -> bool:
    return all(alert.value(label) == "" for alert in alerts)


def matches_nothing(routing: Routing) -> Messages:
    """An inhibition rule one of whose sides matches none of the alerts."""
    for rule in routing.config.inhibit_rules:
        for side, matchers in (("source", rule.source), ("target", rule.target)):
            if all(match_all(matchers, alert.value) == NO for alert in routing.alerts):
                shown = ", ".join(map(str, matchers))
                yield _place(routing, rule), f"no alert of these rules matches the {side}: {shown}"


CHECKS: Final = (
    RoutingCheck("inhibit/critical", "error", mutes_critical),
    RoutingCheck("inhibit/everywhere", "warning", mutes_everywhere),
    RoutingCheck("inhibit/equal", "warning", never_equal),
    RoutingCheck("inhibit/unmatched", "warning", matches_nothing),
)
