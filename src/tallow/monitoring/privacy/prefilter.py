"""Which rows can match a text at all, decided once a text for all of them.

The answer depends on the text with every digit as ``0``, its *template*, and on nothing else. So it may be
remembered by template: two texts of one template have the same answer, whatever their digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tallow.monitoring.privacy.model import Needs

_LETTERS: Final = bytes(range(65, 91)) + bytes(range(97, 123))
_SILENT: Final = _LETTERS + b" ,"
"""Characters that no need asks about."""
_DIGITS: Final = bytes.maketrans(b"123456789", b"0" * 9)
_WORDS: Final = bytes(
    octet | 32 if 65 <= octet <= 90 else octet if 97 <= octet <= 122 else 32 for octet in range(256)
)
_RUNS: Final = bytes(119 if octet in _LETTERS + b"0123456789_-." else 32 for octet in range(256))
_LONGEST_MARKS: Final = 64
_REMEMBERED: Final = 4_096
_CLOSERS: Final = b" \t\r\n\"'`])*\\_.0"
"""What may stand between a name and its delimiter; digits end a name."""
_DELIMITERS: Final = (b"=", b":", b">")


def template(text: str) -> bytes:
    """The text with every digit as ``0``, an octet for each character; other scripts are ``?``."""
    return text.encode("ascii", "replace").translate(_DIGITS)


class Prefilter:
    """The needs of all rows, compiled.

    Args:
        rows: each row's needs; an answer is a number whose bit ``n`` is set if row ``n`` can match.
        endings: how the known names of keys end: their last three letters.
    """

    def __init__(self, rows: Sequence[Needs], endings: frozenset[str]) -> None:
        self._all = (1 << len(rows)) - 1
        self._endings = frozenset(map(template, endings))
        self._by_word: dict[bytes, int] = {}
        self._marks: dict[tuple[bytes, int], int] = {}
        self._any_marks: dict[bytes, int] = {}
        self._parts: list[tuple[tuple[bytes, ...], int]] = []
        self._runs: dict[bytes, int] = {}
        self._named = self._worded = 0
        for number, needs in enumerate(rows):
            self._add(needs, 1 << number)
        self._vocabulary = frozenset(self._by_word)
        self._remembered: dict[bytes, int] = {}

    def _add(self, needs: Needs, bit: int) -> None:
        for word in needs.words.split():
            self._by_word[word.encode()] = self._by_word.get(word.encode(), 0) | bit
        self._worded |= bit if needs.words else 0
        for mark in set(needs.marks):
            self._require((mark.encode("ascii", "replace"), needs.marks.count(mark)), bit)
        if needs.digits:
            self._require((b"0", needs.digits), bit)
        if needs.any_mark:
            marks = needs.any_mark.encode("ascii", "replace")
            self._any_marks[marks] = self._any_marks.get(marks, 0) | bit
        if needs.parts:
            self._parts.append((tuple(template(part) for part in needs.parts), bit))
        if needs.run:
            self._runs[b"w" * needs.run] = self._runs.get(b"w" * needs.run, 0) | bit
        self._named |= bit if needs.name else 0

    def _require(self, need: tuple[bytes, int], bit: int) -> None:
        self._marks[need] = self._marks.get(need, 0) | bit

    def candidates(self, shape: bytes) -> int:
        """The rows that can match a text of this template."""
        rows = self._by_marks(shape.translate(None, _SILENT))
        words = shape.translate(_WORDS).split()
        if self._vocabulary.isdisjoint(words):
            rows &= ~self._worded
        else:
            rows &= self._by_words(words)
        for run, wanting in self._runs.items():
            if rows & wanting and run not in shape.translate(_RUNS):
                rows &= ~wanting
        return self._by_rest(shape, rows) if rows else rows

    def _by_marks(self, marks: bytes) -> int:
        rows = self._remembered.get(marks)
        if rows is not None:
            return rows
        rows = self._all
        for (mark, least), wanting in self._marks.items():
            if marks.count(mark) < least:
                rows &= ~wanting
        for some, wanting in self._any_marks.items():
            if not any(mark in marks for mark in some):
                rows &= ~wanting
        if len(marks) <= _LONGEST_MARKS:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[marks] = rows
        return rows

    def _by_words(self, words: list[bytes]) -> int:
        rows = self._all & ~self._worded
        for word in self._vocabulary.intersection(words):
            rows |= self._by_word[word]
        return rows

    def _by_rest(self, shape: bytes, rows: int) -> int:
        if rows & self._named and not self._holds_name(shape.lower()):
            rows &= ~self._named
        lower = b""
        for parts, bit in self._parts:
            if rows & bit:
                lower = lower or shape.lower()
                if not any(part in lower for part in parts):
                    rows &= ~bit
        return rows

    def _holds_name(self, lower: bytes) -> bool:
        """Whether a word that ends like a known key stands before a delimiter."""
        for delimiter in _DELIMITERS:
            if delimiter in lower:
                *heads, _ = lower.split(delimiter)
                tails = [head[-16:].rstrip(_CLOSERS + b"=-:")[-3:] for head in heads]
                if not self._endings.isdisjoint(tails):
                    return True
        return b"?" in lower  # a delimiter or a name of another script
