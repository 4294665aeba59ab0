"""Reads a known name before a delimiter and finds where its value begins."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from tallow.monitoring.privacy.keys import OWN_LOOK
from tallow.monitoring.privacy.model import Key
from tallow.monitoring.privacy.syntaxes import values

Find = Callable[[str], Key | None]
"""Looks up the name of a key in layer 1."""

_BACK: Final = re.compile(
    r"([ \t]{0,40})([+?:!<>*]?)([\])\"'`\\* \t]{0,8})([\w$-][\w.$-]{0,99}(?: [\w.$-]{1,30}){0,2})(.?)",
    re.DOTALL,
)
"""Backwards from a delimiter: blanks, the rest of it, closing marks, the name, the mark before that."""
_REACH: Final = 260
_ENCLOSING: Final = frozenset("\"'`])")
_COMPARING: Final = frozenset("!<>")
_STORAGE: Final = frozenset(["key", "keys", "channel", "topic", "lock", "scope", "scopes", "prefix"])
"""Words before a name that begins the key of a cache: ``key session:4711``."""
_TOKEN: Final = re.compile(r"[^\s,;|)\]}\"'`]{1,200}")
_NEXT_NAME: Final = re.compile(r"[ \t]{1,40}[\w.-]{1,60}[=:]")
_LAST_WORD: Final = re.compile(r"[ \t]{1,40}[^\s]{1,200}[ \t]{0,40}(?:\r?\n|$)")
_PLACEHOLDER: Final = re.compile(r"(?:\?\d*|\$\d+|%s|%\(\w{1,60}\)s|[:@]\w{1,60})(?=[\s,;)\"']|$)")
_STATEMENT: Final = re.compile(
    r"\b(?:SELECT|UPDATE|DELETE|INSERT|MERGE)\b[^;]{0,2000}\b(?:WHERE|SET|AND|OR|ON|HAVING)\b", re.IGNORECASE
)
"""An SQL statement up to one of its comparisons: what a parameter stands for is not in the text."""
_CHAIN: Final = re.compile(r"[ \t]{0,8}[\w-]{1,60}[ \t]{0,8}(?:->|→|=>)")
_ARROWS: Final = ("->", "→", "=>")


class Name(NamedTuple):
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


def name_before(text: str, place: int, find: Find) -> Name | None:
    """The name before a delimiter; None if a value under it is none of layer 2's."""
    back = _BACK.match(text[place - 1 : place - _REACH : -1] if place > _REACH else text[:place][::-1])
    if back is None:
        return None
    name = back[4][::-1].strip("-.")
    key = find(name)
    if key is None or not key.kind or key.kind in OWN_LOOK:
        return None
    return Name(text, place - back.end(4), place, name, key, back[2], back[3], spaced=back[1] != "")


def value_start(name: Name) -> int | None:
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


def _behind_equals(name: Name) -> int | None:
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


def _behind_colon(name: Name) -> int | None:
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


def _is_no_assignment(name: Name, behind: str) -> bool:
    """Whether a colon ends an empty value, belongs to a scope or an address, or tells a shell what to do."""
    before = " " if " " in name.name else name.before
    empty = behind in {"\\n", "\\r", "\\t"}
    scope = behind[:1] == ":" or name.operator == ":"
    address = behind == "//" or before == "/"
    return empty or scope or address or (behind[:1] in {"?", "+"} and before == "{")


def _is_path(name: Name) -> bool:
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
