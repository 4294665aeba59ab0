"""How far a value reaches that begins at a place of a text: quoted, in brackets, in a block, or bare.

These functions decide where a value ends, not what it is. Every pattern continues where it ended or looks
ahead a bounded number of characters, so time is linear.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST_CONTAINER: Final = 4_000
"""Characters in which the end of a container is looked for."""
_BLANKS: Final = re.compile(r"[ \t]{0,200}")
_LITERAL: Final = re.compile(r"(?:null|None|nil|true|false|True|False)(?=[\s,;)\]}&|\"'`<\\]|$)")
"""Nothing and the booleans, as JSON, Python, Ruby and Go write them."""
_WRAPPER: Final = re.compile(
    r"\r?\n[ \t]{1,40}(?=[\"']|(?:string|str)\(\d)"  # a dump's value in the next line
    r"|\(\*?string\) (?:\(len=\d{1,7}\) )?"  # Go's spew
    r"|(?:string|str|text|binary)\(\d{1,7}\) "  # PHP's var_dump
    r"|!(?:!str|!binary|vault|unsafe|sensitive|secret) "  # YAML's tags
)
_QUOTE: Final = re.compile(r"(?:[brufLBRUF@$&*]{0,2}|UTF-8'\w{0,5})(\\{0,15})(\"\"\"|'''|[\"'`])")
_CLOSING: Final = {
    mark: re.compile(rf"(\\*){mark}" if len(mark) == 3 else rf"(\\*){mark}|\n")
    for mark in ('"""', "'''", '"', "'", "`")
}
_MOST_QUOTES: Final = 16
"""Quotes inside a value that are passed over in search of one that structure follows."""
_STRUCTURE: Final = re.compile(r"\s|$|[,;)\]}&:>|/.!?+%\\\"'`]")
"""What follows the end of a quoted value."""
_OPENING: Final = re.compile(r"\$?[(\[{]")
_BRACKET: Final = re.compile(
    r"\\.|\"(?:[^\"\\\n]|\\.){0,400}\"|'(?:[^'\\\n]|\\.){0,400}'|[()\[\]{}]", re.DOTALL
)
_PARTNER: Final = {"(": ")", "[": "]", "{": "}"}
_BLOCK: Final = re.compile(r"[|>][+-]?\d?[ \t]*\r?\n([ \t]+)(\S[^\n]*(?:\n\1[^\n]*)*)")
_UNIT: Final = (
    r"(?:[^\s&;,|\"'`<>(){}\[\]\\?]"
    r"|\\(?![nrt\"'\\`])"
    r"|\\[nrt](?![\w.-]{1,60}[=:]|\s|$|[\"'`]|\\[nrt\"'`\\])"
    r"|[(\[{](?:\"[^\"\n]{0,400}\"|'[^'\n]{0,400}')?"
    r"|[)\]}](?![\s,;:.)\]}\"'`&\\]{0,8}(?:\s|$)|[,;&\"'`)\]}])"
    r"|&(?![\w.\[\]%-]{1,60}=|amp;|\s|$|[\"'`])"
    r"|;(?!\s?[A-Za-z][\w.\[\]%-]{0,60}(?: [A-Za-z]\w{0,20}){0,2}=|\s|$|[\"'`]"
    r"|(?i:httponly|secure|partitioned)(?:;|\s|$))"
    r"|,(?![\w.-]{1,60}[=:]|\s|$|[\"'`{(\[])"
    r"|\|(?![\w.-]{1,60}[=:]|\d{1,5}(?:[|\s]|$)|\s|$)"
    r"|\?(?![\w.-]{1,60}=)"
    r"|[\"'`](?![\s,;:)\]}&>\\|]|$|\.\s|\.$)"
    r"|<(?!/[A-Za-z][\w:.-]{0,60}\s{0,9}>)|>(?!\s|<|$))"
)
"""One character of a bare value, or a quoted text behind a bracket."""
_BARE: Final = re.compile(rf"(?:;(?![\w.\[\]%-]{{1,60}}=|\s|$|[\"'`])|{_UNIT}){_UNIT}*")
_UNITS: Final = re.compile(rf"{_UNIT}*")
_LINE: Final = 400
"""Characters of a line before a value in which quotes are counted."""
_OUTSIDE_WORDS: Final = {mark: re.compile(rf"{mark}(?<!\w.)|{mark}(?!\w)") for mark in "\"'`"}
"""Quotes, without the apostrophe in a word."""
_OPENED_BY: Final = {closing: opening for opening, closing in _PARTNER.items()}
_GOES_ON: Final = re.compile(r"[\"'`)\]}][\"'`)\]},;.&]{0,15}[^\s\"'`)\]},;.&]")
"""Closing marks with something behind them before the next blank."""
_TRAILING: Final = ".,:;"
_CHANGED: Final = re.compile(r"[ \t]{0,8}(?:->|=>|→)[ \t]{0,8}")

Extent = tuple[int, int]
"""Where a value starts and ends."""


def blanks_end(text: str, start: int) -> int:
    """Where the blanks end that begin at a place."""
    found = _BLANKS.match(text, start)
    return found.end() if found else start


def is_literal(text: str, start: int) -> bool:
    """Whether nothing or a boolean begins here."""
    return _LITERAL.match(text, start) is not None


def quoted(text: str, start: int) -> Extent | None:
    """The value between quotes that begin here; None if none do, or if they are never closed in this line."""
    found = _QUOTE.match(text, start)
    if found is None:
        return None
    end = _closing(text, found.end(), len(found[1]), found[2])
    return None if end is None else (found.end(), end)


def _closing(text: str, start: int, slashes: int, mark: str) -> int | None:
    """Where the quote is closed: the first one that structure follows, else the first one.

    Inside ``slashes`` levels of backslashes, a quote with any other number of them belongs to the value.
    """
    passed: list[int] = []
    for found in _CLOSING[mark].finditer(text, start):
        if found[1] is None or len(passed) >= _MOST_QUOTES:
            break
        if len(found[1]) % (2 * slashes + 2) != slashes:
            continue
        end = found.end() - len(mark) - slashes
        if _STRUCTURE.match(text, found.end()):
            return end
        passed.append(end)
    return passed[0] if passed else None


def container(text: str, start: int) -> Extent | None:
    """The whole of a container that begins here: ``[…]``, ``{…}``, ``(…)``, ``$(…)``; None without an end."""
    opened = _OPENING.match(text, start)
    if opened is None:
        return None
    open_ones: list[str] = []
    for found in _BRACKET.finditer(text, opened.end() - 1, start + LONGEST_CONTAINER):
        mark = found[0]
        if mark in _PARTNER:
            open_ones.append(_PARTNER[mark])
        elif open_ones and mark == open_ones[-1]:
            open_ones.pop()
            if not open_ones:
                return (start, found.end()) if _STRUCTURE.match(text, found.end()) else None
        elif mark in ")]}":
            return None
    return None


def block(text: str, start: int, end: int) -> Extent | None:
    """A block of indented lines behind ``|`` or ``>`` (YAML 1.2, 8.1)."""
    found = _BLOCK.match(text, start, end)
    return found.span(2) if found else None


def bare(text: str, start: int, end: int) -> Extent | None:
    """A value without quotes: up to a blank, or to a mark that the next name, or an end, follows."""
    stop = _bare_end(text, start, end)
    if stop == start:
        return None
    while stop > start + 1 and text[stop - 1] in _TRAILING:
        stop -= 1
    return start, _with_closers(text, start, stop)


def _bare_end(text: str, start: int, end: int) -> int:
    """Where the characters of a bare value end. A closing mark that was never opened is one of them."""
    found = _BARE.match(text, start, end)
    stop = found.end() if found else start
    for _ in range(_MOST_QUOTES):
        if stop >= end or not _GOES_ON.match(text, stop) or _is_open(text, start, text[stop]):
            break
        more = _UNITS.match(text, stop + 1, end)
        stop = more.end() if more else stop + 1
    return stop


def _with_closers(text: str, start: int, end: int) -> int:
    """The end of a value, with the brackets behind it that close those in it."""
    for closing, opening in (*_OPENED_BY.items(), (">", "<")):
        while text[end : end + 1] == closing and text.count(opening, start, end) > text.count(
            closing, start, end
        ):
            end += 1
    return end


def _is_open(text: str, start: int, mark: str) -> bool:
    """Whether a quote or bracket that ``mark`` closes was opened in this line before ``start``.

    Where the line begins too far before, it is taken to be open: a bounded way is searched.
    """
    begin = text.rfind("\n", max(0, start - _LINE), start) + 1
    if not begin and start > _LINE:
        return True
    if mark in _OPENED_BY:
        return text.count(_OPENED_BY[mark], begin, start) > text.count(mark, begin, start)
    return len(_OUTSIDE_WORDS[mark].findall(text, begin, start)) % 2 == 1


def line(text: str, start: int) -> Extent:
    """The rest of the line."""
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    while end > start and text[end - 1] in " \t\r":
        end -= 1
    return start, end


def extents(text: str, start: int, end: int | None = None, *, strict: bool) -> list[Extent]:
    """The value that begins here, behind blanks, and what it is changed to: ``"old" -> "new"``.

    Args:
        text: the whole text.
        start: behind the delimiter.
        end: the last position of a value without quotes; None for the end of the text.
        strict: the name stands in quotes, as in JSON: a value whose quotes are not closed goes on to the end
            of the line.
    """
    start = blanks_end(text, start)
    for _ in range(2):
        wrapped = _WRAPPER.match(text, start)
        start = wrapped.end() if wrapped else start
    if is_literal(text, start):
        return []
    found = quoted(text, start)
    if found is not None:
        return [found, *_joined(text, start, found), *_changed(text, found[1])]
    if strict and _QUOTE.match(text, start):
        return [line(text, start)]
    found = _unquoted(text, start, len(text) if end is None else min(end, len(text)))
    return [] if found is None else [found]


def _unquoted(text: str, start: int, end: int) -> Extent | None:
    return container(text, start) or block(text, start, end) or bare(text, start, end)


def _joined(text: str, start: int, found: Extent) -> list[Extent]:
    """What stands at once behind a closing quote, as a shell joins it to the value: ``'ab'cd``."""
    opening = _QUOTE.match(text, start)
    end = found[1] + (len(opening[1]) + len(opening[2]) if opening else 0)
    rest = None if _STRUCTURE.match(text, end) else bare(text, end, len(text))
    return [] if rest is None else [rest]


def _changed(text: str, end: int) -> list[Extent]:
    arrow = _CHANGED.match(text, end + 1)
    new = quoted(text, arrow.end()) if arrow else None
    return [] if new is None else [new]
