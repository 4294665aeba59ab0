"""Which rows can match a text at all, decided once a text for all of them.

The answer depends on the text with every digit as ``0``, its *template*, and on nothing else. So it may be
remembered by template: two texts of one template have the same answer, whatever their digits.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any, Final

from tallow.monitoring.privacy.model import Needs
from tallow.monitoring.privacy.prefilter.name_endings import LONGEST_ENDING, NameEndings

_LETTERS: Final = bytes(range(65, 91)) + bytes(range(97, 123))
_SILENT: Final = _LETTERS + b" ,0"
"""Characters that are no marks that a need could ask about."""
DIGITS: Final = bytes.maketrans(b"123456789", b"0" * 9)
"""Makes every digit a ``0``."""
_WORDS: Final = bytes(
    octet | 32 if 65 <= octet <= 90 else octet if 97 <= octet <= 122 else 32 for octet in range(256)
)
_RUNS: Final = bytes(119 if octet in _LETTERS + b"0123456789_-." else 32 for octet in range(256))
_LETTERED: Final = bytes.maketrans(_LETTERS, b"a" * 52)
_HEXED: Final = bytes.maketrans(b"0abcdefABCDEF", b"h" * 13)
_LONGEST_MARKS: Final = 160
_MOST_DIGITS: Final = 18
"""No need asks for more."""
_CHAIN: Final = re.compile(rb"[0(][0 ()./-]{7,60}0")
_REMEMBERED: Final = 4_096
_CLOSERS: Final = b" \t\r\n\"'`])*\\_.0=-:+?!"
"""What may stand between a name and its delimiter; digits may end a name."""
_UNESCAPED: Final = re.compile(r"\\.|[A-Z]+", re.DOTALL)
_DELIMITED: Final = bytes.maketrans(b":>", b"==")


def template(text: str) -> bytes:
    """The text with every digit as ``0``, an octet for each character; other scripts are ``?``."""
    return text.encode("ascii", "replace").translate(DIGITS)


@functools.cache
def _compiled(pattern: str) -> tuple[re.Pattern[bytes], bool]:
    """A pattern over templates, and whether it is one for lower case: one that ignores case is slow."""
    folded = "(?i:" in pattern
    if folded:
        pattern = _UNESCAPED.sub(
            lambda found: found[0] if found[0][0] == "\\" else found[0].lower(),
            pattern.replace("(?i:", "(?:"),
        )
    return re.compile(pattern.encode("ascii")), folded


class Prefilter:
    """The needs of all rows, compiled.

    Args:
        rows: each row's needs; an answer is a number whose bit ``n`` is set if row ``n`` can match.
        endings: how the known names of keys end.
    """

    def __init__(self, rows: Sequence[Needs], endings: NameEndings[str]) -> None:
        self._all = (1 << len(rows)) - 1
        self._endings = NameEndings(template(ending) for _, known in endings.by_length for ending in known)
        self._marks = _Marks()
        self._digits = [self._all] * (_MOST_DIGITS + 1)
        self._words: list[_Vocabulary] = []
        self._runs: dict[int, int] = {}
        self._chains = _Chains()
        self._forms: list[_Forms] = [_Forms(view) for view in range(4)]
        self._patterns: dict[int, tuple[re.Pattern[bytes], bool]] = {}
        self._tried: dict[int, list[tuple[int, re.Pattern[bytes], bool]]] = {}
        self._named = 0
        self._without_capitals = self._all
        for number, needs in enumerate(rows):
            self._add(needs, 1 << number)
        self._longer = [(b"w" * size, self._runs[size]) for size in sorted(self._runs)]
        self._running = functools.reduce(int.__or__, self._runs.values(), 0)
        self._patterned = functools.reduce(int.__or__, self._patterns, 0)

    def _add(self, needs: Needs, bit: int) -> None:
        self._marks.add(needs, bit)
        if needs.capital:
            self._without_capitals &= ~bit
        for number in range(needs.digits):
            self._digits[number] &= ~bit
        for place, words in enumerate(needs.words.split("|") if needs.words else ()):
            if place == len(self._words):
                self._words.append(_Vocabulary())
            self._words[place].add(words, bit)
        self._add_forms(needs, bit)
        if needs.template:
            self._patterns[bit] = _compiled(needs.template)
        self._named |= bit if needs.name else 0

    def _add_forms(self, needs: Needs, bit: int) -> None:
        if needs.run:
            self._runs[needs.run] = self._runs.get(needs.run, 0) | bit
        if needs.chains:
            self._chains.add(needs.chains, bit)
        for view, forms in enumerate((needs.parts, needs.forms, needs.hex_forms, needs.numbers)):
            for form in forms:
                self._forms[view].add(form, bit)

    def candidates(self, shape: bytes) -> int:
        """The rows that can match a text of this template."""
        rows = self._marks.find(shape.translate(None, _SILENT), self._all)
        rows &= self._digits[min(shape.count(b"0"), _MOST_DIGITS)]
        if shape.islower():
            rows &= self._without_capitals
        words = shape.translate(_WORDS).split()
        for vocabulary in self._words:
            rows = vocabulary.reduce(rows, words)
        if rows & self._running:
            rows = self._by_runs(rows, shape.translate(_RUNS))
        if rows & self._chains.wanting:
            rows = self._chains.reduce(rows, shape)
        for forms in self._forms:
            if rows & forms.wanting:
                rows = forms.reduce(rows, shape)
        if rows & self._patterned:
            rows = self._by_patterns(rows, shape)
        if rows & self._named and not self._holds_name(shape.lower()):
            rows &= ~self._named
        return rows

    def _by_patterns(self, rows: int, shape: bytes) -> int:
        wanted = rows & self._patterned
        patterns = self._tried.get(wanted)
        if patterns is None:
            patterns = [(bit, *self._patterns[bit]) for bit in self._patterns if wanted & bit]
            _remember(self._tried, wanted, patterns)
        lower = shape.lower()
        for bit, pattern, folded in patterns:
            if pattern.search(lower if folded else shape) is None:
                rows ^= bit
        return rows

    def _by_runs(self, rows: int, runs: bytes) -> int:
        left = self._running
        for run, wanting in self._longer:
            if run not in runs:
                return rows & ~left
            left ^= wanting
        return rows

    def _holds_name(self, lower: bytes) -> bool:
        """Whether a word that ends like a known key stands before a delimiter."""
        *heads, _ = lower.translate(_DELIMITED).split(b"=")
        ends = [head[-26:].rstrip(_CLOSERS)[-LONGEST_ENDING:] for head in heads]
        # A question mark stands for a delimiter or a name of another script.
        return self._endings.match_any(ends) or b"?" in lower


def _remember(known: dict[Any, Any], question: Any, answer: Any) -> None:
    """Cache an answer. The cache is bounded, and an answer depends on its question alone."""
    if len(known) >= _REMEMBERED:
        known.clear()
    known[question] = answer


class _Marks:
    """How often each mark has to be there, and the rows that need it."""

    def __init__(self) -> None:
        self._least: dict[bytes, list[int]] = {}
        self._any: dict[bytes, int] = {}
        self._wanting = 0
        self._remembered: dict[bytes, int] = {}

    def add(self, needs: Needs, bit: int) -> None:
        """The row of ``bit`` needs these marks."""
        for mark in set(needs.marks):
            least = needs.marks.count(mark)
            without = self._least.setdefault(template(mark), [])
            without += [0] * (least - len(without))
            for number in range(least):
                without[number] |= bit
        for mark in needs.any_mark:
            self._any[template(mark)] = self._any.get(template(mark), 0) | bit
            self._wanting |= bit

    def find(self, marks: bytes, rows: int) -> int:
        """Of ``rows``, which are all, those that are left, given the marks of a text."""
        found = self._remembered.get(marks)
        if found is not None:
            return found
        found = rows & self._with_any(marks)
        for mark, without in self._least.items():
            number = marks.count(mark)
            if number < len(without):
                found &= ~without[number]
        if len(marks) <= _LONGEST_MARKS:
            _remember(self._remembered, marks, found)
        return found

    def _with_any(self, marks: bytes) -> int:
        found = ~self._wanting
        for mark, wanting in self._any.items():
            if mark in marks:
                found |= wanting
        return found


class _Chains:
    """Forms of numbers in groups, and the rows that need one of theirs."""

    def __init__(self) -> None:
        self._forms: dict[bytes, int] = {}
        self._remembered: dict[bytes, int] = {}
        self.wanting = 0

    def add(self, forms: Sequence[str], bit: int) -> None:
        """One of ``forms`` is needed by the row of ``bit``."""
        for form in forms:
            self._forms[template(form)] = self._forms.get(template(form), 0) | bit
        self.wanting |= bit

    def _of(self, chain: bytes) -> int:
        joined = b"~" + chain.translate(None, b" -")
        rows = (bit for form, bit in self._forms.items() if form in chain or form in joined)
        return functools.reduce(int.__or__, rows, 0)

    def reduce(self, rows: int, shape: bytes) -> int:
        """The rows that are left, given a template."""
        found = ~self.wanting
        for chain in _CHAIN.findall(shape):
            known = self._remembered.get(chain)
            if known is None:
                known = self._of(chain)
                _remember(self._remembered, chain, known)
            found |= known
        return rows & found


class _Vocabulary:
    """Words, and the rows that need one of theirs."""

    def __init__(self) -> None:
        self._rows: dict[bytes, int] = {}
        self._known: set[bytes] = set()
        self._without = -1

    def add(self, words: str, bit: int) -> None:
        """One of ``words`` is needed by the row of ``bit``."""
        for word in words.split():
            self._rows[word.encode()] = self._rows.get(word.encode(), 0) | bit
        self._known = set(self._rows)
        self._without &= ~bit

    def reduce(self, rows: int, words: list[bytes]) -> int:
        """The rows that are left, given the words of a text."""
        if self._known.isdisjoint(words):
            return rows & self._without
        found = self._without
        for word in self._known.intersection(words):
            found |= self._rows[word]
        return rows & found


class _Forms:
    """Parts of one view of a template, and the rows that need one of theirs.

    Args:
        view: 0 in lower case, 1 every letter as ``a``, 2 every hexadecimal digit as ``h``, 3 every run of
            digits as one ``0``.
    """

    def __init__(self, view: int) -> None:
        self._view = view
        self._rows: dict[bytes, int] = {}
        self._tried: dict[int, list[tuple[bytes, int]]] = {}
        self.wanting = 0

    def add(self, form: str, bit: int) -> None:
        """``form`` is one of those that the row of ``bit`` needs."""
        self._rows[template(form)] = self._rows.get(template(form), 0) | bit
        self.wanting |= bit

    def reduce(self, rows: int, shape: bytes) -> int:
        """The rows that are left, given a template."""
        wanted = rows & self.wanting
        forms = self._tried.get(wanted)
        if forms is None:
            forms = [(form, wanting) for form, wanting in self._rows.items() if wanted & wanting]
            _remember(self._tried, wanted, forms)
        seen = b" " + self._seen(shape)
        found = ~self.wanting
        for form, wanting in forms:
            if form in seen:
                found |= wanting
        return rows & found

    def _seen(self, shape: bytes) -> bytes:
        if self._view == 0:
            return shape.lower()
        if self._view == 1:
            return shape.translate(_LETTERED)
        if self._view == 2:
            return shape.translate(_HEXED)
        while b"00" in shape:
            shape = shape.replace(b"00", b"0")
        return shape
