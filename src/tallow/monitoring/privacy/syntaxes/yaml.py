"""Values in YAML beyond one word on the line of their name: several words, and what is nested below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.syntaxes import values
from tallow.monitoring.privacy.syntaxes.values import Extent

_LINE: Final = re.compile(r"([ \t]{0,80})(?:- )?[\"']?[\w.-]{1,80}[\"']?:(?=\s|$)[ \t]{0,80}(?:\r?\n)?")
"""A line with a name, up to its value, which may begin in the next line."""
_END: Final = re.compile(r"\r?\n")
_LONGEST_NAME: Final = 240
"""Characters of a line up to its value, in which its begin is looked for."""
_TO_COMMENT: Final = re.compile(r"[^\s#'\"\[{|>&!*](?:[^\s#]|#(?<![ \t].)|[ \t]{1,80}(?![#\s]))*")
_ENTRY: Final = re.compile(
    r"(?P<indent>[ \t]*)(?P<mark>(?:- +)*)(?P<name>[\"']?[\w./-]{1,80}[\"']?:(?=\s|$)[ \t]*)?"
)
_COMMENT: Final = re.compile(r"[ \t]#")
_AFTER_QUOTE: Final = re.compile(r"\s*(?:$|[ \t]#)")
_INDICATOR: Final = re.compile(r"[|>][+-]?\d?")
"""Begins a block of text in the lines below."""


def several_words(text: str, start: int) -> list[Extent]:
    """Several words up to the end of a line, if it and its neighbour are lines of a YAML document.

    The name must begin the line: the rest of a line is read once, whatever stands in it.
    """
    begin = _line_of_name(text, start)
    found = None if begin is None else _TO_COMMENT.match(text, start)
    if begin is None or found is None or " " not in found[0]:
        return []
    before = text.rfind("\n", max(0, begin - _LONGEST_NAME), max(0, begin - 1)) + 1
    behind = text.find("\n", found.end())
    neighbours = (begin and _LINE.match(text, before)) or (behind >= 0 and _LINE.match(text, behind + 1))
    return [found.span()] if neighbours else []


def nested(text: str, start: int, limit: int | None) -> list[Extent]:
    """The values in the indented lines below a name with nothing behind its colon.

    The first line must be an entry of a mapping or a list: below ``Enter a password:`` may stand a sentence.

    Args:
        text: the whole text.
        start: behind the colon and blanks.
        limit: how far is read; None reads to the end of the text.
    """
    end_of_line = _END.match(text, start)
    begin = _line_of_name(text, end_of_line.end()) if end_of_line else None
    head = None if begin is None else _ENTRY.match(text, begin)
    if end_of_line is None or head is None:
        return []
    own = len(head["indent"] + head["mark"])
    found: list[Extent] = []
    first = True
    for place, end in _lines(text, end_of_line.end(), limit):
        entry = _ENTRY.match(text, place, end)
        if entry is None or not _is_below(entry, own, first=first):
            break
        first = False
        found += _leaf(text, entry.end(), end)
    return found


def _lines(text: str, start: int, limit: int | None) -> Iterator[Extent]:
    """The lines from a place on that are not blank."""
    while start < len(text) and (limit is None or start < limit):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        if text[start:end].strip():
            yield start, end
        start = end + 1


def _line_of_name(text: str, start: int) -> int | None:
    """Where the line begins whose name ends before ``start``; None if the name does not begin it."""
    end = start - 1 if text[start - 1 : start] == "\n" else start
    begin = text.rfind("\n", max(0, start - _LONGEST_NAME), end) + 1
    own = _LINE.match(text, begin)
    return begin if own is not None and own.end() == start else None


def _is_below(entry: re.Match[str], own: int, *, first: bool) -> bool:
    """Whether a line belongs to the name that stands ``own`` characters from the left."""
    if first and not entry["mark"] and not entry["name"]:
        return False
    indent = len(entry["indent"])
    return indent > own or (indent == own and entry["mark"] != "")


def _leaf(text: str, start: int, end: int) -> list[Extent]:
    """The value of a line, without a comment."""
    if start == end or text[start] == "#" or values.is_literal(text, start):
        return []
    quoted = values.quoted(text, start)
    if quoted is not None and _AFTER_QUOTE.match(text, quoted[1] + 1, end):
        return [quoted]
    comment = _COMMENT.search(text, start, end)
    end = comment.start() if comment else end
    while end > start and text[end - 1] in " \t\r":
        end -= 1
    return [] if _INDICATOR.fullmatch(text, start, end) else [(start, end)]
