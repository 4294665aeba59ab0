"""Layer 3: one table of rules over what the layers before it left of a text."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from tallow.monitoring.privacy.model import Needs, Rule, Span, needs_of
from tallow.monitoring.privacy.tables import credentials, issuers, network, numbers, places

ALL: Final = (*credentials.RULES, *network.RULES, *numbers.RULES, *places.RULES, *issuers.RULES)
"""Every rule, in the order in which they are asked."""

_RUN: Final = re.compile(r"[A-Za-z0-9][\w.-]{15,}", re.ASCII)
_EDGE: Final = re.compile(r"[_.\-](?=[A-Za-z0-9])")
_SHORTEST: Final = 12
"""Characters of the shortest key that an issuer gives."""
_IDENTIFIER: Final = re.compile(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})"
)
"""UUIDs, trace ids, checksums: they begin no key."""


class Detector:
    """A rule with its pattern, which is compiled when a text can match it for the first time."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._validate, self._context = rule.validate, rule.context

    @functools.cached_property
    def pattern(self) -> re.Pattern[str]:
        """The rule's pattern."""
        return _compiled(self._rule.pattern)

    @functools.cached_property
    def _groups(self) -> tuple[str | int, ...]:
        return tuple(name for name in self.pattern.groupindex if name.startswith("private")) or (0,)

    def find(self, text: str) -> Iterable[Span]:
        """What the rule finds in a text."""
        if self.pattern.search(text) is None:
            return ()
        return [span for found in self.pattern.finditer(text) for span in self.spans(found)]

    def spans(self, found: re.Match[str]) -> Iterator[Span]:
        """The private spans of a match, if they pass the rule's validation."""
        for group in self._groups:
            start, end = found.span(group)
            if (
                start >= 0
                and (self._validate is None or self._validate(found[group]))
                and (self._context is None or self._context(found.string, start, end))
            ):
                yield start, end, self._rule.kind, self._rule.id


@functools.cache
def _compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(pattern)


class Detectors:
    """The rules as one scrubber uses them.

    Args:
        disable: ids of rules that are left out.
        extra: more rules; they are asked last.
    """

    def __init__(self, disable: frozenset[str], extra: Iterable[Rule]) -> None:
        rules = [rule for rule in (*ALL, *extra) if rule.enabled and rule.id not in disable]
        self._issuers: dict[str, list[Detector]] = {}
        self.finders: list[Callable[[str], Iterable[Span]]] = []
        self.needs: list[Needs] = []
        for rule in rules:
            needs = needs_of(rule.prefilter)
            if needs.starts:
                for start in needs.starts.split():
                    self._issuers.setdefault(start, []).append(Detector(rule))
            else:
                self.needs.append(needs)
                self.finders.append(Detector(rule).find)
        if self._issuers:
            self.needs.append(Needs(run=16, digits=1))
            self.finders.append(self._keys)

    def _keys(self, text: str) -> Iterator[Span]:
        """Keys of issuers. A key begins a run of letters, digits and marks, or follows a mark in it."""
        for run in _RUN.finditer(text):
            if not _IDENTIFIER.fullmatch(run[0]):
                yield from self._keys_of_run(text, *run.span())

    def _keys_of_run(self, text: str, start: int, end: int) -> Iterator[Span]:
        place = start
        while place <= end - _SHORTEST:
            for detector in self._issuers.get(text[place : place + 2], ()):
                found = detector.pattern.match(text, place)
                if found is not None:
                    yield from detector.spans(found)
                    place = found.end() - 1
                    break
            edge = _EDGE.search(text, place, end)
            if edge is None:
                return
            place = edge.end()
