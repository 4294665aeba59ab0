"""Routes, receivers and inhibition rules of an Alertmanager configuration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from tallow.stack.prove import yaml_nodes
from tallow.stack.prove.alertmanager.matchers import Matcher, MatcherSyntaxError, parse_matchers
from tallow.stack.prove.duration import DurationError, parse_duration

MAX_BYTES: Final = 20_000_000
GROUP_INTERVAL_S: Final = 300.0
REPEAT_INTERVAL_S: Final = 14_400.0
"""Defaults of Alertmanager. Source: Alertmanager, Configuration, ``<route>``."""


class AlertmanagerConfigError(Exception):
    """A file is not an Alertmanager configuration. The text is one line with file, line and reason."""


@dataclass(frozen=True, slots=True)
class Route:
    """One node of the routing tree, with what it inherits.

    Attributes:
        group_by: the labels; ``...`` stands for all.
        group_interval, repeat_interval: in seconds.
        sets_timing: whether one of the intervals is its own.
    """

    line: int
    receiver: str
    matchers: tuple[Matcher, ...]
    continues: bool
    group_by: tuple[str, ...]
    group_interval: float
    repeat_interval: float
    sets_timing: bool
    routes: tuple[Route, ...]

    def walk(self) -> Iterator[Route]:
        """This route and all below it."""
        yield self
        for route in self.routes:
            yield from route.walk()


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver.

    Attributes:
        integrations: how many it has, of any kind.
        pagerduty: the fields of each PagerDuty integration.
    """

    line: int
    name: str
    integrations: int
    pagerduty: tuple[yaml_nodes.Mapping, ...]


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """While an alert matches ``source``, those that match ``target`` with the same ``equal`` are muted."""

    line: int
    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertmanagerConfig:
    """A configuration."""

    file: str
    root: Route
    receivers: tuple[Receiver, ...]
    inhibit_rules: tuple[InhibitRule, ...]

    def receiver(self, name: str) -> Receiver:
        """The receiver of a name, which exists."""
        return next(each for each in self.receivers if each.name == name)


def load_config(path: Path) -> AlertmanagerConfig:
    """Read a file.

    Raises:
        AlertmanagerConfigError: it cannot be read, or is not an Alertmanager configuration.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise AlertmanagerConfigError(f"{path}: larger than {MAX_BYTES // 1_000_000} MB")
        return parse_config(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise AlertmanagerConfigError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise AlertmanagerConfigError(f"{path}: not UTF-8 text") from None


def parse_config(text: str, file: str) -> AlertmanagerConfig:
    """The configuration of a text.

    Raises:
        AlertmanagerConfigError: it is not YAML, has no route, or names a receiver that it does not have.

    Example:
        >>> config = parse_config("route: {receiver: mail}\\nreceivers: [{name: mail}]", "alertmanager.yml")
        >>> config.root.receiver, config.receivers[0].integrations
        ('mail', 0)
    """
    try:
        document = yaml_nodes.load(text)
    except yaml_nodes.NotYamlError as error:
        raise AlertmanagerConfigError(f"{file}:{error}") from None
    return _Reader(file).config(document)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the values of one file."""

    file: str

    def config(self, document: Any) -> AlertmanagerConfig:
        if not isinstance(document, yaml_nodes.Mapping) or "route" not in document:
            raise AlertmanagerConfigError(f"{self.file}: no route, as an Alertmanager configuration has")
        receivers = tuple(map(self._receiver, self._mappings(document, "receivers")))
        root = self._route(self._mapping(document["route"], "route", document.line), None)
        names = {each.name for each in receivers}
        for route in root.walk():
            if route.receiver not in names:
                raise self._error(route.line, f"there is no receiver '{route.receiver}'")
        inhibitions = tuple(map(self._inhibition, self._mappings(document, "inhibit_rules")))
        return AlertmanagerConfig(self.file, root, receivers, inhibitions)

    def _route(self, fields: yaml_nodes.Mapping, parent: Route | None) -> Route:
        route = Route(
            fields.line,
            str(fields.get("receiver") or (parent.receiver if parent else "")),
            self._matchers(fields, "matchers", "match"),
            fields.get("continue") is True,
            tuple(
                self._texts(fields, "group_by") if "group_by" in fields else parent.group_by if parent else ()
            ),
            self._seconds(fields, "group_interval", parent.group_interval if parent else GROUP_INTERVAL_S),
            self._seconds(fields, "repeat_interval", parent.repeat_interval if parent else REPEAT_INTERVAL_S),
            bool({"group_interval", "repeat_interval"} & fields.keys()),
            (),
        )
        below = tuple(self._route(child, route) for child in self._mappings(fields, "routes"))
        return replace(route, routes=below)

    def _receiver(self, fields: yaml_nodes.Mapping) -> Receiver:
        name = fields.get("name")
        if not isinstance(name, str):
            raise self._error(fields.line, "a receiver needs a name")
        kinds = [key for key in fields if key.endswith("_configs")]
        integrations = sum(len(self._mappings(fields, kind)) for kind in kinds)
        return Receiver(fields.line, name, integrations, tuple(self._mappings(fields, "pagerduty_configs")))

    def _inhibition(self, fields: yaml_nodes.Mapping) -> InhibitRule:
        source = self._matchers(fields, "source_matchers", "source_match")
        target = self._matchers(fields, "target_matchers", "target_match")
        return InhibitRule(fields.line, source, target, tuple(self._texts(fields, "equal")))

    def _matchers(self, fields: yaml_nodes.Mapping, now: str, before: str) -> tuple[Matcher, ...]:
        """The matchers in the present form, and in the two forms of Alertmanager before 0.22."""
        found = []
        try:
            for text in self._texts(fields, now):
                found += parse_matchers(text)
        except MatcherSyntaxError as error:
            raise self._error(fields.line, str(error)) from None
        for key, operator in ((before, "="), (f"{before}_re", "=~")):
            for name, value in self._mapping(fields.get(key) or {}, key, fields.line).items():
                found.append(Matcher(name, operator, "" if value is None else str(value)))
        return tuple(found)

    def _texts(self, fields: yaml_nodes.Mapping, key: str) -> list[str]:
        values = fields.get(key)
        values = [] if values is None else values
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self._error(fields.line, f"'{key}' is not a list of texts")
        return values

    def _seconds(self, fields: yaml_nodes.Mapping, key: str, inherited: float) -> float:
        try:
            return parse_duration(str(fields[key])) if fields.get(key) is not None else inherited
        except DurationError as error:
            raise self._error(fields.line, f"'{key}': {error}") from None

    def _mappings(self, fields: yaml_nodes.Mapping, key: str) -> Sequence[yaml_nodes.Mapping]:
        values = fields.get(key)
        values = [] if values is None else values
        if not isinstance(values, list):
            raise self._error(fields.line, f"'{key}' is not a list")
        return [self._mapping(value, key, fields.line) for value in values]

    def _mapping(self, value: Any, name: str, line: int) -> yaml_nodes.Mapping:
        if isinstance(value, yaml_nodes.Mapping):
            return value
        if value == {}:
            return yaml_nodes.Mapping()
        raise self._error(line, f"'{name}' is not a mapping")

    def _error(self, line: int, problem: str) -> AlertmanagerConfigError:
        return AlertmanagerConfigError(f"{self.file}:{line}: {problem}")
