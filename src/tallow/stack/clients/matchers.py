"""Parse matchers of silences, and find the alerts that they can match."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tallow.stack.alerts import RULES

_MATCHER = re.compile(r"(?P<name>[A-Za-z_]\w*)(?P<operator>!~|=~|!=|=)(?P<value>.*)", re.DOTALL)


class MatcherError(Exception):
    """A text is not a matcher; the message is one line."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on the value of label ``name``; a regular expression has to match the whole value."""

    name: str
    value: str
    regex: bool = False
    equal: bool = True

    @classmethod
    def parse(cls, text: str) -> Matcher:
        """Parse ``alertname=ServiceDown``, ``instance=~"web.*"`` or the name of an alert.

        >>> str(Matcher.parse("ServiceDown"))
        'alertname="ServiceDown"'

        Raises:
            MatcherError: the text is none of these.
        """
        if text in RULES:
            return cls("alertname", text)
        found = _MATCHER.fullmatch(text.strip())
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
        """Whether a label value matches; a missing label has the empty value."""
        same = _compiled(self.value).fullmatch(value) is not None if self.regex else value == self.value
        return same is self.equal


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise MatcherError(f"'{pattern}' is not a regular expression: {error}") from None


def alerts_matching(matchers: Iterable[Matcher]) -> list[str]:
    """The names of the rules whose alerts the matchers can match.

    Labels that are known only at run time (instance, mountpoint) can have any value.
    """
    known = tuple(matchers)
    return [
        name for name, rule in RULES.items() if _can_match({"alertname": name, **rule.render().labels}, known)
    ]


def _can_match(labels: Mapping[str, str], matchers: Iterable[Matcher]) -> bool:
    return all(matcher.matches(labels[matcher.name]) for matcher in matchers if matcher.name in labels)


def is_specific(matchers: Iterable[Matcher]) -> bool:
    """Whether a matcher fixes a label that is known only at run time, such as ``instance="web:3000"``."""
    fixed = {"alertname", "job"}.union(*(rule.render().labels for rule in RULES.values()))
    return any(
        matcher.equal
        and matcher.name not in fixed
        and not matcher.matches("")
        and not matcher.matches("\x00")
        for matcher in matchers
    )
