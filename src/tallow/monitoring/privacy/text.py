"""One text through the layers: which rows can match, names and values, then detectors over what is left."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from tallow.monitoring.privacy import escapes
from tallow.monitoring.privacy.detectors import Detectors
from tallow.monitoring.privacy.model import Span, merged
from tallow.monitoring.privacy.prefilter.name_endings import NameEndings
from tallow.monitoring.privacy.prefilter.prefilter import Prefilter, template
from tallow.monitoring.privacy.syntaxes import Syntaxes

Finder = Callable[[str], Iterable[Span]]

SHORTEST_TEMPLATE: Final = 64
LONGEST_TEMPLATE: Final = 512
"""Characters of a template of which it is remembered, by a keyed digest, which rows can match it."""
MOST_TEMPLATES: Final = 4_096
_HIDDEN: Final = "\0"
"""Stands for each character of a value that layer 2 found, while layer 3 reads."""
_SPACES: Final = (0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
_ZEROS: Final = "\u0660\u06f0\u07c0\u0966\u09e6\u0a66\u0ae6\u0b66\u0be6\u0c66\u0ce6\u0d66\u0e50\u0ed0\u0f20"
"""The digit nothing of other scripts."""
_FOLDED: Final = {
    **{ord(zero) + digit: str(digit) for zero in _ZEROS for digit in range(10)},
    **dict.fromkeys(_SPACES, " "),
    **{code + 0xFEE0: chr(code) for code in range(0x21, 0x7F)},
}
"""Digits of other scripts, other spaces and the full-width forms of ASCII, as ASCII: a character for each, so
that places agree."""


class Plan(NamedTuple):
    """The syntaxes and detectors that are tried on a text.

    Attributes:
        syntaxes: layer 2.
        detectors: layer 3.
        escaped: the text holds escapes, and is read without them as well.
    """

    syntaxes: tuple[Finder, ...]
    detectors: tuple[Finder, ...]
    escaped: bool


class TextReader:
    """Finds what is private in a text. It keeps no text, only which rows can match a template.

    Args:
        syntaxes: layer 2, which asks layer 1.
        detectors: layer 3.
        endings: how the names that layer 1 knows end.
    """

    def __init__(self, syntaxes: Syntaxes, detectors: Detectors, endings: NameEndings[str]) -> None:
        self._finders: list[Finder] = [*syntaxes.finders, *detectors.finders]
        self._syntaxes = len(syntaxes.finders)
        needs = [*(row.prefilter for row in syntaxes.rows), *detectors.needs, *escapes.NEEDS]
        self._prefilter = Prefilter(needs, endings)
        self._plans: dict[int, Plan] = {}
        self._digest_key = os.urandom(16)
        self._answers: dict[bytes, Plan | None] = {}

    def spans(self, text: str) -> list[Span]:
        """The private spans of a text, in order, none overlapping. Time is linear in the text."""
        if not text.isascii():
            text = text.translate(_FOLDED)
        plan = self.plan(template(text))
        if plan is None:
            return []
        found = _found(text, plan)
        if plan.escaped:
            for view in escapes.views(text):
                inner = view.text.translate(_FOLDED)
                inside = self.plan(template(inner))
                found += view.back(_found(inner, inside)) if inside else ()
        return merged(found) if found else found

    def plan(self, shape: bytes) -> Plan | None:
        """What to try on a text of this template, whatever its digits are; None if nothing can be found."""
        if SHORTEST_TEMPLATE <= len(shape) <= LONGEST_TEMPLATE:
            return self._remembered(shape)
        rows = self._prefilter.candidates(shape)
        return self._plan(rows) if rows else None

    def _remembered(self, shape: bytes) -> Plan | None:
        digest = hashlib.blake2b(shape, digest_size=16, key=self._digest_key).digest()
        try:
            return self._answers[digest]
        except KeyError:
            rows = self._prefilter.candidates(shape)
            plan = self._plan(rows) if rows else None
            if len(self._answers) >= MOST_TEMPLATES:
                self._answers.clear()
            self._answers[digest] = plan
            return plan

    def _plan(self, rows: int) -> Plan:
        plan = self._plans.get(rows)
        if plan is None:
            plan = self._plan_of([row for row in range(rows.bit_length()) if rows >> row & 1])
            if len(self._plans) >= MOST_TEMPLATES:
                self._plans.clear()
            self._plans[rows] = plan
        return plan

    def _plan_of(self, rows: list[int]) -> Plan:
        first, last = self._syntaxes, len(self._finders)
        return Plan(
            tuple(self._finders[row] for row in rows if row < first),
            tuple(self._finders[row] for row in rows if first <= row < last),
            any(row >= last for row in rows),
        )


def _found(text: str, plan: Plan) -> list[Span]:
    """What a plan finds; layer 3 does not see what layer 2 found."""
    found: list[Span] = []
    for find in plan.syntaxes:
        found += find(text)
    rest = _without(text, found) if found else text
    for find in plan.detectors:
        found += find(rest)
    return found


def _without(text: str, spans: list[Span]) -> str:
    """The text, each character of the spans replaced by a NUL, so that positions stay."""
    pieces: list[str] = []
    position = 0
    for start, end, _, _ in merged(spans):
        pieces += (text[position:start], _HIDDEN * (end - start))
        position = end
    pieces.append(text[position:])
    return "".join(pieces)
