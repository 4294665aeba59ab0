"""Names before a delimiter: ``k=v``, ``k: v``, ``"k": "v"``, ``k => v``, ``k := v``, ``k -> v``.

One reader serves JSON, repr, logfmt, query strings, options, environment dumps, connection strings, YAML,
TOML, INI and headers: all of them write a name, a delimiter and a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.model import Key
from tallow.monitoring.privacy.prefilter.name_endings import LONGEST_ENDING, NameEndings
from tallow.monitoring.privacy.syntaxes import headers, values, yaml
from tallow.monitoring.privacy.syntaxes.delimiters import Find, Name, name_before, value_start
from tallow.monitoring.privacy.syntaxes.values import Extent
from tallow.monitoring.privacy.words import STATUS_WORDS

Found = tuple[Key, int, int]
"""A key and where its value stands."""

_DELIMITER: Final = re.compile("[=:>→]")
_LONGEST_PERSONAL: Final = 512
"""Characters of a value without quotes that a check is asked about; names in it may name more values."""
_CLOSERS: Final = " \t\"'`])*\\+?:!-_.0123456789"
_TOKEN: Final = re.compile(r"[^\s,;|)\]}\"'`]{1,200}")
_APOSTROPHE: Final = re.compile(r"'\w")
_PUNCTUATION: Final = ".,:;!?)]}'\"`"
_DEFAULT: Final = re.compile(r":[-=]([^}]{1,200})\}")
_COOKIE_HEADERS: Final = ("cookie", "cookies", "cookie2")
_SHAPES: Final[dict[str, re.Pattern[str]]] = {
    "phone": re.compile(r"[+(]?\d[\d ().\-/]{5,24}\d"),
    "file_name": re.compile(r"[^\s\"'=;,]{1,80}(?: [^\s\"'=;,:]{1,80}){0,8}?\.[A-Za-z0-9]{1,6}(?![\w.])"),
    "user": re.compile(r"[A-Z][\w'.-]*(?: [A-Z][\w'-]+(?![\w.-]*[=:])){1,3}"),
    "geo": re.compile(r"[-+]?\d{1,3}\.\d{1,12}[,;] ?[-+]?\d{1,3}\.\d{1,12}"),
    "iban": re.compile(r"[A-Za-z]{2}\d\d(?: ?[A-Za-z0-9]{2,4}){2,8}(?![\w])"),
    "card": re.compile(r"\d(?:[ -]?\d){11,18}(?![\w])"),
    "ssn": re.compile(r"\d{3}[ .-]\d{2}[ .-]\d{4}(?![\w])"),
}
"""How far a bare value of a kind reaches that may hold blanks."""


def assignments(text: str, find: Find, endings: NameEndings[str]) -> Iterator[Found]:
    """Keys that the table knows, each with its value."""
    heads = _DELIMITER.split(text)[:-1]
    ends = [head[-46:].rstrip(_CLOSERS)[-LONGEST_ENDING:].lower() for head in heads]
    if text.isascii() and not endings.match_any(ends):
        return
    done, place = 0, -1
    for head, end in zip(heads, ends, strict=True):
        place += len(head) + 1
        if place < done or not (endings.match(end) or not end.isascii()):
            continue
        for found in _read(text, place, find):
            done = max(done, found[2]) if found[0].secret else done
            yield found


def _read(text: str, place: int, find: Find) -> Iterator[Found]:
    """The value behind a delimiter, if the name before it is known."""
    name = name_before(text, place, find)
    start = None if name is None else value_start(name)
    if name is None or start is None:
        return
    default = _DEFAULT.match(text, place) if name.before == "{" else None
    if default is not None:
        yield name.key, *default.span(1)
        return
    for extent in _extents(name, start):
        if name.compared and not _is_quoted(text, extent):
            return
        yield name.key, *extent


def _is_quoted(text: str, extent: Extent) -> bool:
    return text[extent[0] - 1] in "\"'`"


def _extents(name: Name, start: int) -> list[Extent]:
    """Where the value, or the values, of a key stand."""
    text, key = name.text, name.key
    first = values.blanks_end(text, start)
    end = None if key.secret else first + _LONGEST_PERSONAL
    if (
        name.running
        and name.name.lower().endswith(_COOKIE_HEADERS)
        and (found := headers.cookies(text, first))
    ):
        return found
    if text[first : first + 1] not in "\"'`\\" or not values.quoted(text, first):
        found_in_lines = _in_lines(name, start, first, end)
        if found_in_lines is not None:
            return found_in_lines
        if found := _with_blanks(name, start, first):
            return found
    return values.extents(text, first, end, strict=name.strict)


def _in_lines(name: Name, start: int, first: int, end: int | None) -> list[Extent] | None:
    """Values in YAML; none if a status word stands here; None if neither."""
    if name.text[start - 1] == ":" and (found := yaml.nested(name.text, first, end)):
        return found
    if not name.running:
        return None
    if name.key.secret and (found := yaml.several_words(name.text, first)):
        return found
    return [] if _is_status(name.text, first) else None


def _with_blanks(name: Name, start: int, first: int) -> list[Extent]:
    """A value that holds blanks, because of where it stands or what it is."""
    text, key = name.text, name.key
    if text[start - 1] == "=" and (found := _until_semicolon(text, start, name.name)):
        return found
    if key.kind == "credential" and (found := headers.credentials(text, first, running=name.running)):
        return found
    shape = _SHAPES.get(key.kind)
    shaped = shape.match(text, first) if shape else None
    if shaped:
        return [shaped.span()]
    return _phrase(text, first) if key.id == "passphrase" and not name.strict else []


_PART: Final = re.compile(r"[^;=\n\"'{][^;=\n\"']{0,400}(?=;)")


def _until_semicolon(text: str, start: int, name: str) -> list[Extent]:
    """A value with blanks in a connection string: between the semicolons before its name and behind it."""
    place = start - 2 - len(name)
    found = _PART.match(text, start) if place >= 0 and text[place] == ";" else None
    return [found.span()] if found and " " in found[0] else []


_PHRASE: Final = re.compile(
    r"[^\n,;|\"]{1,400}?(?=[ \t]{0,40}(?:[,;|\"\n]|$| [\w.-]{1,40}[=:]))|[^\n,;|\"]{400,}"
)


def _phrase(text: str, start: int) -> list[Extent]:
    """Several words: up to a mark, the next name or the end of the line. None if they begin with a mark."""
    found = _PHRASE.match(text, start)
    return [found.span()] if found else []


def _is_status(text: str, start: int) -> bool:
    """Whether one of the documented status words stands here."""
    token = _TOKEN.match(text, start)
    if token is None or _APOSTROPHE.match(text, token.end()):
        return False
    return token[0].rstrip(_PUNCTUATION).lower() in STATUS_WORDS
