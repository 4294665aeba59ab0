"""The alerts as Alertmanager sees them, and the routes that they take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tallow.stack.prove.alertmanager.config import AlertmanagerConfig, Receiver, Route
from tallow.stack.prove.alertmanager.matchers import MAYBE, NO, YES, match_all
from tallow.stack.prove.checks.labels import result_labels
from tallow.stack.prove.checks.model import Finding, ParsedRule, Severity

EXTERNAL_LABELS: Final = frozenset(
    {"cluster", "datacenter", "env", "environment", "monitor", "prometheus", "prometheus_replica", "region"}
    | {"replica", "site", "stage", "tenant", "zone"}
)
"""Labels that ``external_labels`` of a Prometheus commonly adds to every alert."""


@dataclass(frozen=True, slots=True)
class RoutedAlert:
    """One alert with what is known about its labels.

    Attributes:
        static: the labels of the rule; None for a template.
        kept: the labels that the expression may have; None if they are not known.
    """

    parsed: ParsedRule
    static: Mapping[str, str | None]
    kept: frozenset[str] | None

    @classmethod
    def of(cls, parsed: ParsedRule) -> RoutedAlert:
        """The alert of a rule."""
        written = {name: None if "{{" in text else text for name, text in parsed.rule.labels.items()}
        return cls(parsed, {**written, "alertname": parsed.rule.name}, result_labels(parsed.tree))

    @property
    def severity(self) -> str | None:
        """Empty if it has none, None if it is not known."""
        return self.value("severity")

    def value(self, label: str) -> str | None:
        """The value of a label; empty if it is missing, None if it is not known."""
        if label in self.static:
            return self.static[label]
        if self.kept is None or label in self.kept or label in EXTERNAL_LABELS:
            return None
        return ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding is: a rule, or a part of the configuration."""

    file: str
    line: int
    name: str


Messages = Iterator[tuple[Place, str]]


@dataclass(frozen=True, slots=True)
class Routing:
    """A configuration and the alerts that are sent to it."""

    config: AlertmanagerConfig
    alerts: Sequence[RoutedAlert]
    _paths: dict[int, list[tuple[Route, bool]]] = field(default_factory=dict, repr=False)

    def routes(self, alert: RoutedAlert) -> list[tuple[Route, bool]]:
        """The routes that notify about an alert, and whether each does so for certain."""
        if id(alert) not in self._paths:
            self._paths[id(alert)] = list(_reached(self.config.root, alert, True))
        return self._paths[id(alert)]

    def receivers(self, alert: RoutedAlert) -> list[tuple[Receiver, bool]]:
        """The receivers of an alert, and whether each gets it for certain."""
        return [(self.config.receiver(route.receiver), certain) for route, certain in self.routes(alert)]

    def at(self, line: int, name: str) -> Place:
        """A part of the configuration."""
        return Place(self.config.file, line, name)


def at_rule(alert: RoutedAlert) -> Place:
    """The rule of an alert."""
    rule = alert.parsed.rule
    return Place(rule.file, rule.line, rule.name)


def _reached(route: Route, alert: RoutedAlert, certain: bool) -> Iterator[tuple[Route, bool]]:
    """The deepest matching routes. Source: Alertmanager, Configuration, route-related settings."""
    taken = NO
    for child in route.routes:
        match = match_all(child.matchers, alert.value)
        if match == NO:
            continue
        yield from _reached(child, alert, certain and match == YES)
        taken = max(taken, match)
        if not child.continues:
            if match == YES:
                break
            certain = False  # the alert may have ended here
    if taken != YES:
        yield route, certain and taken == NO


@dataclass(frozen=True, slots=True)
class RoutingCheck:
    """A check that needs ``--alertmanager``.

    Attributes:
        name: the heading of its section in ``docs/prove.md``.
        run: yields a place and a message for each fault.
    """

    name: str
    severity: Severity
    run: Callable[[Routing], Messages]

    def findings(self, routing: Routing) -> Iterator[Finding]:
        """What it finds, each once."""
        for place, message in dict.fromkeys(self.run(routing)):
            yield Finding(place.file, place.line, place.name, self.name, self.severity, message)


__all__ = ["MAYBE", "NO", "YES", "Messages", "Place", "RoutedAlert", "Routing", "RoutingCheck", "at_rule"]
