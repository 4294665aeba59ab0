"""Names before a delimiter: ``k=v``, ``k: v``, ``"k": "v"``, ``k => v``, ``k := v``, ``k -> v``.

One reader serves JSON, repr, logfmt, query strings, options, environment dumps, connection strings, YAML,
TOML, INI and headers: all of them write a name, a delimiter and a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from tallow.monitoring.privacy.keys import OWN_LOOK
from tallow.monitoring.privacy.model import Key
from tallow.monitoring.privacy.syntaxes import headers, values, yaml
from tallow.monitoring.privacy.syntaxes.values import Extent
from tallow.monitoring.privacy.words import STATUS_WORDS

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
_ENCLOSING: Final = frozenset("\"'`])")
_COMPARING: Final = frozenset("!<>")
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


class _Name(NamedTuple):
    """A known name before a delimiter.

    Attributes:
        text: the whole text.
        begin: of the name.
        place: of the delimiter.
        name: as it stands there.
        key: what the table says of it.
        operator: a mark that belongs to the delimiter: ``+=``, ``!=``.
        closers: marks and blanks between the name and the delimiter.
        spaced: blanks stand before the delimiter.
    """

    text: str
    begin: int
    place: int
    name: str
    key: Key
    operator: str
    closers: str
    spaced: bool

    @property
    def before(self) -> str:
        """The character before the name."""
        return self.text[self.begin - 1 : self.begin] if self.begin else ""

    @property
    def marked(self) -> bool:
        """Whether the name stands in quotes or brackets."""
        return not _ENCLOSING.isdisjoint(self.closers)

    @property
    def running(self) -> bool:
        """Whether the name and a colon stand in running text."""
        return self.text[self.place] == ":" and not self.marked

    @property
    def strict(self) -> bool:
        """Whether the name stands in quotes, as in JSON."""
        return self.marked and self.before in "\"'`"

    @property
    def compared(self) -> bool:
        """Whether the value is compared, not assigned."""
        return self.text.startswith("==", self.place) or self.operator in _COMPARING


def assignments(text: str, find: Find, endings: frozenset[str]) -> Iterator[Found]:
    """Keys that the table knows, each with its value."""
    heads = _DELIMITER.split(text)[:-1]
    ends = [head[-46:].rstrip(_CLOSERS)[-6:].lower() for head in heads]
    if text.isascii() and not _any_known(ends, endings):
        return
    done, place = 0, -1
    for head, end in zip(heads, ends, strict=True):
        place += len(head) + 1
        if place < done or not _can_be_known(end, endings):
            continue
        for found in _read(text, place, find):
            done = max(done, found[2]) if found[0].secret else done
            yield found


def _any_known(ends: list[str], endings: frozenset[str]) -> bool:
    return not (endings.isdisjoint(ends) and endings.isdisjoint([end[-4:] for end in ends]))


def _can_be_known(end: str, endings: frozenset[str]) -> bool:
    return end in endings or end[-4:] in endings or not end.isascii()


def _read(text: str, place: int, find: Find) -> Iterator[Found]:
    """The value behind a delimiter, if the name before it is known."""
    name = _name(text, place, find)
    start = None if name is None else _start(name)
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


def _name(text: str, place: int, find: Find) -> _Name | None:
    """The name before a delimiter; None if a value under it is none of layer 2's."""
    back = _BACK.match(text[place - 1 : place - _REACH : -1] if place > _REACH else text[:place][::-1])
    if back is None:
        return None
    name = back[4][::-1].strip("-.")
    key = find(name)
    if key is None or not key.kind or key.kind in OWN_LOOK:
        return None
    return _Name(text, place - back.end(4), place, name, key, back[2], back[3], spaced=back[1] != "")


def _start(name: _Name) -> int | None:
    """Where the value begins, or None if this is no assignment."""
    text, place = name.text, name.place
    if text[place] == "=":
        return _behind_equals(name)
    if text[place] == ":":
        return _behind_colon(name)
    if text[place] == ">" and text[place - 1] != "-":
        return None
    chained = name.before and text[max(0, place - _REACH) : name.begin].rstrip(" ").endswith(_ARROWS)
    return None if chained or _CHAIN.match(text, place + 1) else place + 1


def _behind_equals(name: _Name) -> int | None:
    text, place = name.text, name.place
    behind = text[place + 1 : place + 3]
    if behind[:1] == "=":
        return place + (3 if behind == "==" else 2)
    if behind[:1] == "~":
        return place + 2
    start = place + 1 + (behind[:1] == ">")
    empty = not name.spaced and not name.closers.strip(" \t") and text[start : start + 1] in {" ", "\t"}
    if empty and (_NEXT_NAME.match(text, start) or not _LAST_WORD.match(text, start)):
        return None  # the value is empty; what follows is the next thing
    return None if _is_parameter(text, place, start) else start


def _is_parameter(text: str, place: int, start: int) -> bool:
    """Whether a parameter of an SQL statement stands here: what it stands for is not in the text."""
    placed = _PLACEHOLDER.match(text, values.blanks_end(text, start))
    return placed is not None and _STATEMENT.search(text, max(0, place - 2_000), place) is not None


def _behind_colon(name: _Name) -> int | None:
    text, place = name.text, name.place
    behind = text[place + 1 : place + 3]
    if behind == ": ":
        return place + 2  # LDIF's base64
    if _is_no_assignment(name, behind):
        return None
    if behind[:1] == "=":
        return place + 2
    tight = behind[:1] not in {" ", "\t", "\r", "\n", ""}
    return None if tight and _is_path(name) else place + 1


def _is_no_assignment(name: _Name, behind: str) -> bool:
    """Whether a colon ends an empty value, belongs to a scope or an address, or tells a shell what to do."""
    before = " " if " " in name.name else name.before
    empty = behind in {"\\n", "\\r", "\\t"}
    scope = behind[:1] == ":" or name.operator == ":"
    address = behind == "//" or before == "/"
    return empty or scope or address or (behind[:1] in {"?", "+"} and before == "{")


def _is_path(name: _Name) -> bool:
    """Whether ``name:value`` without a blank is a part of a longer name: of a cache, a scope, a module."""
    if name.marked:
        return False
    words = name.name.split(" ")
    before = " " if len(words) > 1 else name.before
    in_storage = len(words) > 1 and words[-2].lower() in _STORAGE
    if in_storage or before in {":", "@", "#", "\\"} or "." in words[-1]:
        return True
    token = _TOKEN.match(name.text, name.place + 1)
    return token is not None and ":" in token[0].rstrip(":")


def _is_quoted(text: str, extent: Extent) -> bool:
    return text[extent[0] - 1] in "\"'`"


def _extents(name: _Name, start: int) -> list[Extent]:
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


def _in_lines(name: _Name, start: int, first: int, end: int | None) -> list[Extent] | None:
    """Values in YAML; none if a status word stands here; None if neither."""
    if name.text[start - 1] == ":" and (found := yaml.nested(name.text, first, end)):
        return found
    if not name.running:
        return None
    if name.key.secret and (found := yaml.several_words(name.text, first)):
        return found
    return [] if _is_status(name.text, first) else None


def _with_blanks(name: _Name, start: int, first: int) -> list[Extent]:
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
