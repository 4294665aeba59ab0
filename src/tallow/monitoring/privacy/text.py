"""One text through the layers: which rows can match, names and values, then detectors over what is left."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from typing import Final

from tallow.monitoring.privacy import escapes
from tallow.monitoring.privacy.detectors import Detectors
from tallow.monitoring.privacy.model import Span, merged
from tallow.monitoring.privacy.prefilter import Prefilter, template
from tallow.monitoring.privacy.syntaxes import Syntaxes

Finder = Callable[[str], Iterable[Span]]

SHORTEST_TEMPLATE: Final = 64
LONGEST_TEMPLATE: Final = 512
"""Characters of a template of which it is remembered, by a keyed digest, which rows can match it."""
MOST_TEMPLATES: Final = 4_096
_HIDDEN: Final = "\0"
"""Stands for each character of a value that layer 2 found, while layer 3 reads."""
_SPACES: Final = (0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
_FOLDED: Final = {**dict.fromkeys(_SPACES, " "), **{code + 0xFEE0: chr(code) for code in range(0x21, 0x7F)}}
"""Other spaces, and the full-width forms of ASCII, as ASCII: a character for each, so that places agree."""


class TextReader:
    """Finds what is private in a text. It keeps no text, only which rows can match a template.

    Args:
        syntaxes: layer 2, which asks layer 1.
        detectors: layer 3.
        endings: how the names that layer 1 knows end.
    """

    def __init__(self, syntaxes: Syntaxes, detectors: Detectors, endings: frozenset[str]) -> None:
        self._syntaxes = syntaxes.finders
        self._detectors = detectors.finders
        needs = [row.prefilter for row in syntaxes.rows] + detectors.needs
        self._escaped = sum(1 << len(needs) + number for number in range(len(escapes.NEEDS)))
        self._prefilter = Prefilter([*needs, *escapes.NEEDS], endings)
        self._digest_key = os.urandom(16)
        self._answers: dict[bytes, int] = {}
        self._finders: dict[int, tuple[list[Finder], list[Finder]]] = {}

    def spans(self, text: str) -> list[Span]:
        """The private spans of a text, in order, none overlapping. Time is linear in the text."""
        if not text.isascii():
            text = text.translate(_FOLDED)
        rows = self.candidates(template(text))
        if not rows:
            return []
        found = self._read(text, rows)
        if rows & self._escaped:
            for view in escapes.views(text):
                inner = view.text.translate(_FOLDED)
                found += view.back(self._read(inner, self.candidates(template(inner))))
        return merged(found) if found else found

    def candidates(self, shape: bytes) -> int:
        """The rows that can match a text of this template, whatever its digits are; 0 if none can."""
        if not SHORTEST_TEMPLATE <= len(shape) <= LONGEST_TEMPLATE:
            return self._prefilter.candidates(shape)
        digest = hashlib.blake2b(shape, digest_size=16, key=self._digest_key).digest()
        rows = self._answers.get(digest)
        if rows is None:
            rows = self._prefilter.candidates(shape)
            if len(self._answers) >= MOST_TEMPLATES:
                self._answers.clear()
            self._answers[digest] = rows
        return rows

    def _read(self, text: str, rows: int) -> list[Span]:
        """What the rows find that can match; layer 3 does not see what layer 2 found."""
        finders = self._finders.get(rows)
        if finders is None:
            finders = self._finders_of(rows)
        found: list[Span] = []
        for find in finders[0]:
            found += find(text)
        rest = _without(text, found) if found else text
        for find in finders[1]:
            found += find(rest)
        return found

    def _finders_of(self, rows: int) -> tuple[list[Finder], list[Finder]]:
        numbers = [number for number in range(rows.bit_length()) if rows >> number & 1]
        first, last = len(self._syntaxes), len(self._syntaxes) + len(self._detectors)
        finders: tuple[list[Finder], list[Finder]] = (
            [self._syntaxes[number] for number in numbers if number < first],
            [self._detectors[number - first] for number in numbers if first <= number < last],
        )
        if len(self._finders) >= MOST_TEMPLATES:
            self._finders.clear()
        self._finders[rows] = finders
        return finders


def _without(text: str, spans: list[Span]) -> str:
    """The text of the same length with its spans blotted out."""
    pieces: list[str] = []
    position = 0
    for start, end, _, _ in merged(spans):
        pieces += (text[position:start], _HIDDEN * (end - start))
        position = end
    pieces.append(text[position:])
    return "".join(pieces)
