"""Matchers of silences, as people write them, and which of our alerts they could hold back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tallow.stack.alerts import RULES

_WRITTEN = re.compile(r"(?P<name>[A-Za-z_]\w*)(?P<operator>!~|=~|!=|=)(?P<value>.*)", re.DOTALL)


class MatcherError(Exception):
    """What was written is no matcher: one line."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """``name``'s value is, or is not, ``value``; a regular expression matches the whole of it."""

    name: str
    value: str
    regex: bool = False
    equal: bool = True

    @classmethod
    def parse(cls, text: str) -> Matcher:
        """Read ``alertname=ServiceDown``, ``instance=~"web.*"``, or just an alert's name.

        Raises:
            MatcherError: it is none of these.
        """
        if text in RULES:
            return cls("alertname", text)
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise MatcherError(f"'{text}' is neither an alert nor a matcher; give NAME=VALUE, !=, =~ or !~")
        value = found["value"].strip('"')
        operator = found["operator"]
        if "~" in operator:
            _compiled(value)
        return cls(found["name"], value, regex="~" in operator, equal="!" not in operator)

    def __str__(self) -> str:
        operator = f"{'=' if self.equal else '!'}{'~' if self.regex else '' if self.equal else '='}"
        return f'{self.name}{operator}"{self.value}"'

    def matches(self, value: str) -> bool:
        """Whether it takes a label's value; a missing label is empty."""
        same = _compiled(self.value).fullmatch(value) is not None if self.regex else value == self.value
        return same is self.equal


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise MatcherError(f"'{pattern}' is not a regular expression: {error}") from None


def alerts_matching(matchers: Iterable[Matcher]) -> list[str]:
    """The alerts of ours that could be held back: all whose own labels do not speak against it.

    A label that only the running system fills in (instance, mountpoint) can have any value.
    """
    known = tuple(matchers)
    return [
        name for name, rule in RULES.items() if _could({"alertname": name, **rule.render().labels}, known)
    ]


def _could(labels: Mapping[str, str], matchers: Iterable[Matcher]) -> bool:
    return all(matcher.matches(labels[matcher.name]) for matcher in matchers if matcher.name in labels)


def is_specific(matchers: Iterable[Matcher]) -> bool:
    """Whether they say of a label that the system fills in which value it has, as ``instance="web:3000"``."""
    fixed = {"alertname", "job"}.union(*(rule.render().labels for rule in RULES.values()))
    return any(
        matcher.equal
        and matcher.name not in fixed
        and not matcher.matches("")
        and not matcher.matches("\x00")
        for matcher in matchers
    )
