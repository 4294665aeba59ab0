"""Labels that no route accepts, and routes that no alert takes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Final

from tallow.stack.prove.alertmanager.config import Route
from tallow.stack.prove.alertmanager.matchers import NO, YES, Matcher
from tallow.stack.prove.checks.routing.model import (
    Messages,
    RoutedAlert,
    Routing,
    RoutingCheck,
    at_rule,
)
from tallow.stack.prove.duration import duration_text

_ENUMERATED: Final = 2
"""From so many accepted severities on, routes are taken to list all of them. Of other labels, they commonly
list a few, and leave the rest to the default receiver."""


def unaccepted_value(routing: Routing) -> Messages:
    """An alert that only the first route takes, with a value that the others leave out of their list."""
    accepted = _accepted_values(routing.config.root)
    for alert in routing.alerts:
        if routing.routes(alert) != [(routing.config.root, True)]:
            continue
        for label, values in accepted.items():
            value = alert.static.get(label)
            if value and label != "alertname" and _is_left_out(routing, label, value, values):
                yield (
                    at_rule(alert),
                    (
                        f"no route accepts {label} '{value}'; routes accept {', '.join(sorted(values))}: "
                        f"the alert goes to the default receiver '{routing.config.root.receiver}'"
                    ),
                )


def _is_left_out(routing: Routing, label: str, value: str, values: set[str]) -> bool:
    """Whether routes accept several severities but not this one, or a value that is written alike."""
    if _is_accepted(routing, label, value):
        return False
    return (label == "severity" and len(values) >= _ENUMERATED) or _is_similar(value, values)


def _accepted_values(root: Route) -> dict[str, set[str]]:
    """The values that routes ask for, by label."""
    found: dict[str, set[str]] = {}
    for matcher in _matchers(root):
        if matcher.operator == "=" and matcher.value:
            found.setdefault(matcher.name, set()).add(matcher.value)
        elif matcher.operator == "=~" and matcher.value.replace("|", "").replace("_", "").isalnum():
            found.setdefault(matcher.name, set()).update(matcher.value.split("|"))
    return found


def _matchers(root: Route) -> Iterator[Matcher]:
    for route in root.walk():
        yield from route.matchers


def _is_accepted(routing: Routing, label: str, value: str) -> bool:
    """Whether a route names a label and accepts a value of it."""
    asked = (matcher for matcher in _matchers(routing.config.root) if matcher.name == label)
    return any(matcher.accepts(value) != NO for matcher in asked)


def _is_similar(value: str, values: Iterable[str]) -> bool:
    usual = {each.lower() for each in values}
    return bool(difflib.get_close_matches(value.strip().lower(), usual, n=1, cutoff=0.8)) or any(
        len(value) > 2 and each.startswith(value.lower()) for each in usual
    )


def unreached(routing: Routing) -> Messages:
    """A route that none of the alerts takes."""
    taken = {id(route) for alert in routing.alerts for route, _ in routing.routes(alert)}
    for route in routing.config.root.walk():
        is_shadowed = any(later is route for _, later in _shadowed(routing.config.root))
        if route is not routing.config.root and not is_shadowed and not taken & _ids(route):
            yield (
                routing.at(route.line, f"route to {route.receiver}"),
                f"no alert of these rules reaches it: {_text(route.matchers)}",
            )


def _ids(route: Route) -> set[int]:
    return {id(each) for each in route.walk()}


def _text(matchers: Iterable[Matcher]) -> str:
    return ", ".join(map(str, matchers)) or "no matchers"


def shadowed(routing: Routing) -> Messages:
    """A route behind one that takes all of its alerts and does not continue."""
    for earlier, later in _shadowed(routing.config.root):
        yield (
            routing.at(later.line, f"route to {later.receiver}"),
            (
                f"the route in line {earlier.line} takes every alert that this one accepts; "
                "it needs 'continue: true', or to stand behind this one"
            ),
        )


def _shadowed(root: Route) -> Iterator[tuple[Route, Route]]:
    for parent in root.walk():
        for position, later in enumerate(parent.routes):
            for earlier in parent.routes[:position]:
                if not earlier.continues and _takes_all_of(earlier, later):
                    yield earlier, later
                    break


def _takes_all_of(earlier: Route, later: Route) -> bool:
    """Whether each condition of the earlier route follows from one of the later."""
    return all(any(_follows(wanted, given) for given in later.matchers) for wanted in earlier.matchers)


def _follows(wanted: Matcher, given: Matcher) -> bool:
    if wanted.name != given.name:
        return False
    return wanted == given or (given.operator == "=" and wanted.accepts(given.value) == YES)


def notified_twice(routing: Routing) -> Messages:
    """An alert that two routes send to the same receiver."""
    for alert in routing.alerts:
        seen: set[str] = set()
        for route in _certain(routing, alert):
            if route.receiver in seen:
                yield (
                    at_rule(alert),
                    f"two routes send it to '{route.receiver}': each notification comes twice",
                )
            seen.add(route.receiver)


def _certain(routing: Routing, alert: RoutedAlert) -> list[Route]:
    return [route for route, certain in routing.routes(alert) if certain]


def repeats_too_often(routing: Routing) -> Messages:
    """A repeat interval below the group interval: Alertmanager looks for repeats at group intervals only."""
    for route in routing.config.root.walk():
        if route.repeat_interval < route.group_interval and (
            route.sets_timing or route is routing.config.root
        ):
            yield (
                routing.at(route.line, f"route to {route.receiver}"),
                (
                    f"repeat_interval {duration_text(route.repeat_interval)} is below group_interval "
                    f"{duration_text(route.group_interval)}, at which repeats are sent"
                ),
            )


CHECKS: Final = (
    RoutingCheck("route/unaccepted", "warning", unaccepted_value),
    RoutingCheck("route/unreached", "warning", unreached),
    RoutingCheck("route/shadowed", "error", shadowed),
    RoutingCheck("route/twice", "warning", notified_twice),
    RoutingCheck("route/repeat", "note", repeats_too_often),
)
