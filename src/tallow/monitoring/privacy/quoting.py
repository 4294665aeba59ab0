"""Values in quotes, and what programs print around them: ``Some("…")``, ``string(8) "…"``, ``[…, …]``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_WRAP: Final = (
    r"(?:(?:string|str|text|binary)\(\d{1,7}\) |\(\*?string\) ?(?:\(len=\d{1,7}\) )?"
    r"|(?:Some|Just|Ok|Right|Optional(?:\.of)?|Secret(?:Str(?:ing)?)?|Sensitive|Zeroizing|Redacted|StringValue"
    r"|String::from|(?:new )?String|Box|Arc|Rc|Owned|Borrowed|Known|Present|NonEmptyString"
    r"|aws\.String|proto\.String"
    r"|to\.Ptr|ptr\.To|StringPtr|NSString|CFString|std::string|RawString)[(\[{]"
    r"|!(?:!str|!binary|unsafe|sensitive|secret|vault) |<<|\[\](?:string|byte)\{|&(?=[\"'])|@(?=\")|\*(?=\"))"
)
_QUOTE: Final = (
    r"(?:[brufL]{0,2}|[Uu][Tt][Ff]-8'\w{0,5})(\\{0,7})"
    r"(\"{3}|'{3}|\"\"(?=[^\"\s,;:)}\]&][^\"\n]{0,300}\"\")|''(?=[^'\s,;:)}\]&][^'\n]{0,300}'')|[\"'`])"
)
_OPEN: Final = re.compile(r"[ \t]{0,8}(?:\r?\n[ \t]{1,8}(?=[\"']))?([\[(])?" + _QUOTE)
_OPEN_WRAPPED: Final = re.compile(
    r"[ \t]{0,8}(?:\r?\n[ \t]{1,40}(?=[\"']|string\())?(?:([\[(])\s{0,40})?" + _WRAP + r"{0,3}" + _QUOTE
)
_TYPED: Final = re.compile(
    r"\s{0,8}\{\s{0,40}(?:(\\{0,7})\"(?:sensitive|type)\1\"\s?:\s?(?:true|false|\1\"string\1\"),\s{0,40}){0,2}"
    r"(\\{0,7})\"(?:S|B|stringValue|value|string|\$t|_text|#text|plain|raw|default)\2\"\s?:\s?(\\{0,7})(\")"
)
_NEXT: Final = re.compile(r"\s{0,40}(,|->|=>)\s{0,40}[brufL]{0,2}(\\{0,7})([\"'`])")
_BLOCK: Final = re.compile(
    r"[ \t]{0,8}(?:![\w!:-]{1,20} )?[|>][+-]?\d?[ \t]*\r?\n([ \t]+)(\S[^\n]*(?:\n\1[^\n]*)*)"
)
_WRAPPED: Final = re.compile(r"[ \t]{0,8}" + _WRAP + r"{1,3}((?![|>])[^\s()\[\]{}<>,;\"']{1,200})")


Quoted = tuple[int, int, int, bool]
"""Where a value in quotes starts and ends, where its quotes do, and whether it is the first of a list."""


def is_wrapped(head: str) -> bool:
    """Whether something can stand around a value that begins like that."""
    return "(" in head or "[" in head or "{" in head or "!" in head or "<<" in head or head[:1] in "\r\n&@*"


def quoted(text: str, position: int, *, wrapped: bool) -> Quoted | None:
    """The value in quotes that begins behind a delimiter; None if none does."""
    opened = _OPEN.match(text, position) or (_OPEN_WRAPPED.match(text, position) if wrapped else None)
    if opened:
        end = _closing(text, opened.end(), opened[2], opened[3])
        return opened.end(), end, end + len(opened[2]) + len(opened[3]), opened[1] == "["
    typed = _TYPED.match(text, position) if wrapped else None
    if typed:
        end = _closing(text, typed.end(), typed[3], typed[4])
        return typed.end(), end, end + len(typed[3]) + 1, False
    return None


def following(text: str, after: int, *, listed: bool) -> Iterator[tuple[int, int]]:
    """More values of the same key: the other items of a list, what it is to be changed to."""
    while (found := _NEXT.match(text, after)) and (listed or found[1] != ","):
        end = _closing(text, found.end(), found[2], found[3])
        yield found.end(), end
        after = end + len(found[2]) + 1


def block(text: str, position: int) -> tuple[int, int] | None:
    """A block of indented lines behind ``|`` or ``>`` (YAML 1.2, 8.1)."""
    found = _BLOCK.match(text, position)
    return found.span(2) if found else None


def unwrapped(text: str, position: int) -> tuple[int, int] | None:
    """The value in ``Some(…)`` without quotes; None if nothing is around it."""
    found = _WRAPPED.match(text, position)
    return found.span(1) if found else None


def _closing(text: str, start: int, slashes: str, quote: str) -> int:
    end = text.find(slashes + quote, start)
    while not slashes and end > start and text[end - 1] == "\\":
        end = text.find(quote, end + 1)
    if end < 0:
        line = text.find("\n", start)
        return line if line >= 0 else len(text)
    return end
