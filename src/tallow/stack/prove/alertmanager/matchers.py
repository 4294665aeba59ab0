"""Matchers of routes and inhibition rules, applied to labels of which some are not known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

NO: Final = 0
MAYBE: Final = 1
YES: Final = 2
_MATCHER: Final = re.compile(
    r'\s*(?:"(?P<quoted>(?:[^"\\]|\\.)+)"|(?P<name>[^\s{}!=~,"\\]+))\s*(?P<operator>=~|!~|!=|=)\s*'
    r'(?:"(?P<text>(?:[^"\\]|\\.)*)"|(?P<bare>[^",}]*?))\s*(?:,|$)'
)


class MatcherSyntaxError(ValueError):
    """A text is not a list of matchers."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on a label; a regular expression has to match the whole value.

    Attributes:
        operator: one of ``=``, ``!=``, ``=~``, ``!~``.
    """

    name: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f'{self.name}{self.operator}"{self.value}"'

    @property
    def selects(self) -> bool:
        """Whether it asks for values, instead of excluding some."""
        return not self.operator.startswith("!")

    def accepts(self, value: str | None) -> int:
        """NO, MAYBE or YES. A missing label has an empty value; None is a value that is not known.

        MAYBE also if the regular expression cannot be compiled here: Alertmanager's syntax differs.
        """
        if value is None:
            return MAYBE
        if "~" not in self.operator:
            return YES if (value == self.value) is self.selects else NO
        try:
            found = re.fullmatch(self.value, value) is not None
        except re.error:
            return MAYBE
        return YES if found is self.selects else NO


def parse_matchers(text: str) -> list[Matcher]:
    """The matchers of a text, with or without braces.

    Raises:
        MatcherSyntaxError: it is none.

    Example:
        >>> [str(each) for each in parse_matchers('{severity="critical", team=~"web|db"}')]
        ['severity="critical"', 'team=~"web|db"']
    """
    rest = text.strip()
    if rest.startswith("{") and rest.endswith("}"):
        rest = rest[1:-1].strip()
    found = []
    while rest:
        matcher = _MATCHER.match(rest)
        if matcher is None:
            raise MatcherSyntaxError(f"'{text}' is not a list of matchers such as severity=\"critical\"")
        name = matcher["quoted"] or matcher["name"]
        value = matcher["bare"] if matcher["text"] is None else _unescaped(matcher["text"])
        found.append(Matcher(name, matcher["operator"], value))
        rest = rest[matcher.end() :]
    return found


def _unescaped(text: str) -> str:
    return re.sub(r'\\(["\\n])', lambda found: "\n" if found[1] == "n" else found[1], text)


def match_all(matchers: Iterable[Matcher], value_of: Callable[[str], str | None]) -> int:
    """NO if a matcher refuses, YES if each accepts, otherwise MAYBE.

    Args:
        matchers: of a route, or of a side of an inhibition rule.
        value_of: the value of a label; empty if it is missing, None if it is not known.
    """
    return min((each.accepts(value_of(each.name)) for each in matchers), default=YES)
