"""Decodes percent, JSON, Python and HTML escapes and maps positions back to the original text.

A rule that knows ``user@host.example`` would not know ``user%40host.example``. The layers therefore read the
unescaped text as well, and what they find is carried back to the characters it came from.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import Final

from tallow.monitoring.privacy.model import Needs, Span

LEVELS: Final = 3
"""How deep escapes within escapes are followed: JSON in a JSON string in a URL."""
NEEDS: Final = (
    Needs(any_mark="%\\&\x1b", template=r"%[0A-Fa-f]{2}|\\[uxnrtbf\"'/\\`]|&(?:#|[a-z]{2,6};)|\x1b\["),
    Needs(marks="=", template=r"=00(?=[A-Za-z])|=0D"),
)
"""What a text with an escape in it holds."""
_LONG: Final = 2_048
"""Characters from which on lines without escapes are left out: most of a long text has none."""
_ESCAPE: Final = re.compile(
    r"(?:%[0-9A-Fa-f]{2})+|\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[nrtbf\"'/\\`])|=(?:3D|40)"
    r"|\x1b\[[0-9;]{0,16}[A-Za-z]"
    r"|&(?:\#\d{1,7}|\#[xX][0-9A-Fa-f]{1,6}|amp|quot|apos|lt|gt|commat|colon|equals|period);"
)
_SIMPLE: Final = {"n": "\n", "r": "\r", "t": "\t", "b": " ", "f": " "}


class View:
    """A decoded text and the position of each character in the original text."""

    __slots__ = ("places", "text")

    def __init__(self, text: str, places: Sequence[int] | None = None) -> None:
        self.text = text
        self.places = places

    def back(self, spans: list[Span]) -> list[Span]:
        """Spans of this view as spans of the original."""
        places = self.places
        if places is None:
            return spans
        return [(places[start], places[end], kind, rule) for start, end, kind, rule in spans]


def views(text: str) -> Iterator[View]:
    """The text decoded once, twice and three times, as long as escapes are left.

    Of a long text only the lines with escapes are decoded: no escape spans two lines.
    """
    for part in [View(text)] if len(text) < _LONG else _escaped_lines(text):
        view = part
        for _ in range(LEVELS):
            inner = _unescaped(view)
            if inner is None:
                break
            yield inner
            view = inner


def _escaped_lines(text: str) -> Iterator[View]:
    """One view for each group of consecutive lines with escapes, including the line before the group."""
    group_start, before, end = -1, 0, 0
    for line in text.splitlines(keepends=True):
        start, end = end, end + len(line)
        if _ESCAPE.search(line):
            group_start = before if group_start < 0 else group_start
        elif group_start >= 0:
            yield View(text[group_start:start], range(group_start, start + 1))
            group_start = -1
        before = start
    if group_start >= 0:
        yield View(text[group_start:], range(group_start, end + 1))


def _unescaped(view: View) -> View | None:
    text, places = view.text, view.places
    pieces: list[str] = []
    starts: list[int] = []
    position = 0
    for escape in _ESCAPE.finditer(text):
        start, end = escape.span()
        pieces.append(text[position:start])
        starts.extend(range(position, start))
        for char, offset in _characters(escape[0]):
            pieces.append(char)
            starts.append(start + offset)
        position = end
    if not position:
        return None
    pieces.append(text[position:])
    starts.extend(range(position, len(text) + 1))
    return View("".join(pieces), [places[start] for start in starts] if places else starts)


def _characters(escape: str) -> Iterator[tuple[str, int]]:
    """The characters an escape stands for, and where in it each begins."""
    if escape[0] == "%":
        octets = bytes.fromhex(escape.replace("%", ""))
        place = 0
        for char in octets.decode("utf-8", "surrogateescape"):
            yield char, place * 3
            place += len(char.encode("utf-8", "surrogateescape"))
    elif escape[0] == "\x1b":  # a terminal's color (ECMA-48): it has no characters
        return
    elif escape[0] == "&":
        yield html.unescape(escape)[:1], 0
    elif escape[0] == "=":  # quoted-printable
        yield chr(int(escape[1:], 16)), 0
    elif escape[1] in "ux":
        yield chr(int.from_bytes(bytes.fromhex(escape[2:]))), 0
    else:
        yield _SIMPLE.get(escape[1], escape[1]), 0
