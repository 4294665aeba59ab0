"""Names before a delimiter: ``k=v``, ``k: v``, ``"k": "v"``, ``k => v``, ``k := v``, ``k -> v``.

One reader serves JSON, repr, logfmt, query strings, options, environment dumps, connection strings, YAML,
TOML, INI and headers: all of them write a name, a delimiter and a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from tallow.monitoring.privacy.keys import OWN_LOOK
from tallow.monitoring.privacy.model import Key
from tallow.monitoring.privacy.syntaxes import headers, values, yaml
from tallow.monitoring.privacy.syntaxes.values import Extent
from tallow.monitoring.privacy.tables.words import STATUS_WORDS

Find = Callable[[str], Key | None]
Found = tuple[Key, int, int]
"""A key and where its value stands."""

_BACK: Final = re.compile(
    r"([ \t]{0,40})([+?:!<>*]?)([\])\"'`\\* \t]{0,8})([\w$-][\w.$-]{0,99}(?: [\w.$-]{1,30}){0,2})(.?)",
    re.DOTALL,
)
"""Backwards from a delimiter: blanks, the rest of it, closing marks, the name, the mark before that."""
_DELIMITER: Final = re.compile("[=:>→]")
_REACH: Final = 260
_LONGEST_PERSONAL: Final = 512
"""Characters of a value without quotes that a check is asked about; names in it may name more values."""
_CLOSERS: Final = " \t\"'`])*\\+?:!-_.0123456789"
_STORAGE: Final = frozenset(["key", "keys", "channel", "topic", "lock", "scope", "scopes", "prefix"])
"""Words before a name that begins the key of a cache: ``key session:4711``."""
_TOKEN: Final = re.compile(r"[^\s,;|)\]}\"'`]{1,200}")
_APOSTROPHE: Final = re.compile(r"'\w")
_PUNCTUATION: Final = ".,:;!?)]}'\"`"
_NEXT_NAME: Final = re.compile(r"[ \t]{1,40}[\w.-]{1,60}[=:]")
_LAST_WORD: Final = re.compile(r"[ \t]{1,40}[^\s]{1,200}[ \t]{0,40}(?:\r?\n|$)")
_DEFAULT: Final = re.compile(r":[-=]([^}]{1,200})\}")
_COOKIE_HEADERS: Final = ("cookie", "cookies", "cookie2")
_PLACEHOLDER: Final = re.compile(r"(?:\?\d*|\$\d+|%s|%\(\w{1,60}\)s|[:@]\w{1,60})(?=[\s,;)\"']|$)")
_STATEMENT: Final = re.compile(
    r"\b(?:SELECT|UPDATE|DELETE|INSERT|MERGE)\b[^;]{0,2000}\b(?:WHERE|SET|AND|OR|ON|HAVING)\b", re.IGNORECASE
)
"""An SQL statement up to one of its comparisons: what a parameter stands for is not in the text."""
_CHAIN: Final = re.compile(r"[ \t]{0,8}[\w-]{1,60}[ \t]{0,8}(?:->|→|=>)")
_ARROWS: Final = ("->", "→", "=>")
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


def assignments(text: str, find: Find, endings: frozenset[str]) -> Iterator[Found]:
    """Keys that the table knows, each with its value."""
    heads = _DELIMITER.split(text)[:-1]
    ends = [head[-46:].rstrip(_CLOSERS)[-6:].lower() for head in heads]
    if text.isascii() and endings.isdisjoint(ends) and endings.isdisjoint([end[-4:] for end in ends]):
        return
    done, place = 0, -1
    for head, end in zip(heads, ends, strict=True):
        place += len(head) + 1
        if place < done or not (end in endings or end[-4:] in endings or not end.isascii()):
            continue
        for found in _read(text, place, text[place], find):
            done = max(done, found[2]) if found[0].secret else done
            yield found


def _read(text: str, place: int, delimiter: str, find: Find) -> Iterator[Found]:
    """The value behind a delimiter, if the name before it is known."""
    back = _BACK.match(text[place - 1 : place - _REACH : -1] if place > _REACH else text[:place][::-1])
    if back is None:
        return
    name, before = back[4][::-1].strip("-."), back[5]
    key = find(name)
    if key is None or not key.kind or key.kind in OWN_LOOK:
        return
    start = _start(text, place, delimiter, back, name)
    if start is None:
        return
    comparison = text[place : place + 2] == "==" or (back[2] in "!<>" and back[2] != "")
    marked = any(mark in back[3] for mark in "\"'`])")
    running = delimiter == ":" and not marked
    if default := _DEFAULT.match(text, place) if before == "{" else None:
        yield key, default.start(1), default.end(1)
        return
    for extent in _extents(text, start, key, name, running=running, strict=marked and before in "\"'`"):
        if comparison and not _is_quoted(text, extent):
            return
        yield key, *extent


def _start(text: str, place: int, delimiter: str, back: re.Match[str], name: str) -> int | None:
    """Where the value begins, or None if this is no assignment."""
    before, behind = back[5], text[place + 1 : place + 3]
    if delimiter == "=":
        return _behind_equals(text, place, behind, back)
    if delimiter == ":":
        return _behind_colon(text, place, behind, back, name)
    if delimiter == ">" and text[place - 1] != "-":
        return None
    chained = before and text[max(0, place - _REACH) : place - back.end(4)].rstrip(" ").endswith(_ARROWS)
    return None if chained or _CHAIN.match(text, place + 1) else place + 1


def _behind_equals(text: str, place: int, behind: str, back: re.Match[str]) -> int | None:
    if behind[:1] == "=":
        return place + (3 if behind == "==" else 2)
    if behind[:1] == "~":
        return place + 2
    start = place + 1 + (behind[:1] == ">")
    empty = not back[1] and not back[3].strip(" \t") and text[start : start + 1] in {" ", "\t"}
    if empty and (_NEXT_NAME.match(text, start) or not _LAST_WORD.match(text, start)):
        return None  # the value is empty; what follows is the next thing
    first = values.blanks_end(text, start)
    if _PLACEHOLDER.match(text, first) and _STATEMENT.search(text, max(0, place - 2_000), place):
        return None
    return start


def _behind_colon(text: str, place: int, behind: str, back: re.Match[str], name: str) -> int | None:
    before = " " if " " in name else back[5]
    if behind in {"\\n", "\\r", "\\t"}:
        return None  # an escaped end of the line: the value is empty
    if behind[:1] == ":":
        return place + 2 if behind == ": " else None  # LDIF's base64; not the scope of a name
    if behind == "//" or before == "/" or back[2] == ":":
        return None
    if behind[:1] == "=":
        return place + 2
    if behind[:1] in {"?", "+"} and before == "{":
        return None  # what a shell is to do about a variable
    tight = behind[:1] not in {" ", "\t", "\r", "\n", ""}
    return None if tight and _is_path(text, place, back, name) else place + 1


def _is_path(text: str, place: int, back: re.Match[str], name: str) -> bool:
    """Whether ``name:value`` without a blank is a part of a longer name: of a cache, a scope, a module."""
    if any(mark in back[3] for mark in "\"'`])"):
        return False
    words = name.split(" ")
    before = " " if len(words) > 1 else back[5]
    in_storage = len(words) > 1 and words[-2].lower() in _STORAGE
    if in_storage or before in {":", "@", "#", "\\"} or "." in words[-1]:
        return True
    token = _TOKEN.match(text, place + 1)
    return token is not None and ":" in token[0].rstrip(":")


def _is_quoted(text: str, extent: Extent) -> bool:
    return text[extent[0] - 1] in "\"'`"


def _extents(text: str, start: int, key: Key, name: str, *, running: bool, strict: bool) -> list[Extent]:
    """Where the value, or the values, of a key stand."""
    first = values.blanks_end(text, start)
    end = None if key.secret else first + _LONGEST_PERSONAL
    if running and name.lower().endswith(_COOKIE_HEADERS) and (found := headers.cookies(text, first)):
        return found
    if text[first : first + 1] in "\"'`\\" and values.quoted(text, first):
        return values.extents(text, first, end, strict=strict)
    if text[start - 1] == ":" and (found := yaml.nested(text, first, end)):
        return found
    if running and (found := yaml.several_words(text, first) if key.secret else []):
        return found
    if running and _is_status(text, first):
        return []
    found = _until_mark(text, start, first, key, name, running=running)
    if not found and key.id == "passphrase" and not strict:
        found = _phrase(text, first)
    return found or values.extents(text, first, end, strict=strict)


def _until_mark(text: str, start: int, first: int, key: Key, name: str, *, running: bool) -> list[Extent]:
    """A value that holds blanks, because of where it stands or what it is."""
    if text[start - 1] == "=" and (found := _until_semicolon(text, start, name)):
        return found
    if key.kind == "credential":
        found = headers.authorization(text, first) or (headers.unknown_scheme(text, first) if running else [])
        if found:
            return found
    shape = _SHAPES.get(key.kind)
    shaped = shape.match(text, first) if shape else None
    return [shaped.span()] if shaped else []


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
