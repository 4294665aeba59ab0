"""One text through the layers: which rows can match, names and values, then detectors over what is left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy import escapes
from tallow.monitoring.privacy.detectors import Detectors
from tallow.monitoring.privacy.model import Span, merged
from tallow.monitoring.privacy.prefilter import Prefilter, template
from tallow.monitoring.privacy.syntaxes import Syntaxes

_HIDDEN: Final = "\0"
"""Stands for each character of a value that layer 2 found, while layer 3 reads."""
_SPACES: Final = (0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
_FOLDED: Final = {**dict.fromkeys(_SPACES, " "), **{code + 0xFEE0: chr(code) for code in range(0x21, 0x7F)}}
"""Other spaces, and the full-width forms of ASCII, as ASCII: a character for each, so that places agree."""


class TextReader:
    """Finds what is private in a text. It keeps nothing of what it reads.

    Args:
        syntaxes: layer 2, which asks layer 1.
        detectors: layer 3.
        endings: how the names that layer 1 knows end.
    """

    def __init__(self, syntaxes: Syntaxes, detectors: Detectors, endings: frozenset[str]) -> None:
        self._syntaxes = syntaxes
        self._detectors = detectors
        self._first_rule = len(syntaxes.rows)
        self._syntax_rows = (1 << self._first_rule) - 1
        needs = [row.prefilter for row in syntaxes.rows] + detectors.needs
        self._escaped = sum(1 << len(needs) + number for number in range(len(escapes.NEEDS)))
        self._prefilter = Prefilter([*needs, *escapes.NEEDS], endings)

    def can_match(self, shape: bytes) -> bool:
        """Whether any row can match a text of this template, whatever its digits are."""
        return self._prefilter.candidates(shape) != 0

    def spans(self, text: str) -> list[Span]:
        """The private spans of a text, in order, none overlapping. Time is linear in the text."""
        if not text.isascii():
            text = text.translate(_FOLDED)
        rows = self._prefilter.candidates(template(text))
        if not rows:
            return []
        found = self._read(text, rows & ~self._escaped)
        if rows & self._escaped:
            for view in escapes.views(text):
                inner = view.text.translate(_FOLDED)
                found += view.back(
                    self._read(inner, self._prefilter.candidates(template(inner)) & ~self._escaped)
                )
        return merged(found) if found else found

    def _read(self, text: str, rows: int) -> list[Span]:
        """What the rows find that can match; layer 3 does not see what layer 2 found."""
        found: list[Span] = []
        for row in _numbers(rows & self._syntax_rows):
            found += self._syntaxes.find(text, row)
        rest = _without(text, found) if found else text
        for row in _numbers(rows >> self._first_rule):
            found += self._detectors.find(rest, row)
        return found


def _numbers(rows: int) -> Iterator[int]:
    """The numbers of the bits that are set."""
    while rows:
        lowest = rows & -rows
        yield lowest.bit_length() - 1
        rows ^= lowest


def _without(text: str, spans: list[Span]) -> str:
    """The text of the same length with its spans blotted out."""
    pieces: list[str] = []
    position = 0
    for start, end, _, _ in merged(spans):
        pieces += (text[position:start], _HIDDEN * (end - start))
        position = end
    pieces.append(text[position:])
    return "".join(pieces)
