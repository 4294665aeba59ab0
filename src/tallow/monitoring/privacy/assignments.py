"""Private values that a text names by a key: ``password=…``, ``"token": "…"``, headers, URLs' queries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from tallow.monitoring.privacy.keys import ENDINGS, SHORT_ENDINGS, Key
from tallow.monitoring.privacy.spans import Span
from tallow.monitoring.privacy.values import SCHEME, is_private, is_random

Classify = Callable[[str], Key | None]

_BACK: Final = re.compile(r"(?:[\])\"'`\\*]|\s){0,6}([\w.\-]{1,100})(.?)")
_REACH: Final = 110
"""How far a key is looked for before its delimiter, so that time is linear."""

_LONGEST: Final = 48
_COUNT: Final = "0123456789.-"
_CLOSERS: Final = "])\"'`\\* \t"
_DOUBLE: Final = {"=": "=>", ":": "="}
"""What may follow a delimiter as part of it."""

_OPEN: Final = re.compile(
    r"[ \t]{0,8}(?:\r?\n[ \t]{1,8}(?=[\"']))?[\[(]?(?:[brufL]{0,2}|[Uu][Tt][Ff]-8'\w{0,5})(\\{0,7})([\"'`])"
)
_BARE: Final = re.compile(
    r"[ \t]{0,8}((?:[^\s&;\"'<>,()}\]\[{\\`]"
    r"|[,)}\]](?![\s,;)}\]\"'&\\]|$|[\w.\-]{1,40}[=:])|[(\[{](?=[^\s)\]}])"
    r"|[&;'](?![\s\"']|$|[\w.\-]{1,40}=|\w+;)|\\(?![nrt\"'\\])|<(?=[^\s<>]*\s|[^<>]*$))++)"
)
_LINE: Final = re.compile(r"[ \t]*([^\r\n]+)")
_NESTED: Final = re.compile(r"[ \t]{0,8}[(\[{<]")
_DONE: Final = re.compile(r"\[[a-z_]{2,12}(?::[0-9a-f]{6})?\]:?(?!\s?[=\w]{1,2}>)")

_COOKIE: Final = re.compile(r"[ \t]*([^\s=;,\"'\\]{1,100})=([^\s;,\"'\\]*)(?:;|(?=[\s\"'\\,]|$))")
_ATTRIBUTES: Final = frozenset({"path", "domain", "expires", "max-age", "samesite", "$version", "priority"})
_FLAG: Final = re.compile(r"[ \t]*(?:HttpOnly|Secure|Partitioned);?", re.IGNORECASE)
_PHONE: Final = re.compile(r"[ \t]*([+(]?\d[\d ().\-/]{5,24}\d)")
_FILE: Final = re.compile(r"[ \t]*([^\s\"'=;,]{1,80}(?: [^\s\"'=;,]{1,80}){0,8}?\.[A-Za-z0-9]{1,6})(?![\w.])")
_NAMED: Final = re.compile(r"[ \t]*([A-Z][\w'.-]*(?: [A-Z][\w'-]+(?![\w.-]*[=:])){1,3})")
_PAIR: Final = re.compile(r"[ \t]*([-+]?\d{1,3}\.\d+,\s?[-+]?\d{1,3}\.\d+)")
_WORDS: Final = re.compile(r"[ \t]*([a-z]+(?: [a-z]+(?![\w.-]*[=:])){3,23})(?![\w])")
_SHAPES: Final = {"phone": _PHONE, "file_name": _FILE, "user": _NAMED, "geo": _PAIR}
_WHOLE: Final = frozenset({"digest", "oauth", "aws4-hmac-sha256", "sharedkey", "hawk", "signature"})
"""Schemes whose credentials are a list up to the end of the line."""


def assigned(text: str, classify: Classify) -> Iterator[Span]:
    """Values behind ``=``, ``:``, ``=>``, ``:=`` and ``->``.

    Most keys are harmless, and the last three letters before the delimiter say so of most of them.
    """
    for mark in ("=", ":", "->"):
        place, done = text.find(mark), 0
        while place >= 0:
            if place >= done and place and _ends_like_a_key(text, place):
                for span in _behind(text, place, mark, classify):
                    done = span[1]
                    yield span
            place = text.find(mark, place + 1)


def _ends_like_a_key(text: str, place: int) -> bool:
    end = text[place - 3 if place > 3 else 0 : place].lower()
    if not end[-1].isalnum():
        end = text[max(0, place - 12) : place].rstrip(_CLOSERS)[-3:].lower()
    if end in ENDINGS or end[-2:] in SHORT_ENDINGS:
        return True
    if end[-1:].isdigit():
        return not (end[-2:].isdigit() and end[0] in " T:[.")  # a time of day, an address
    return len(end) < 3 or not end[-2].isalnum()


def _behind(text: str, place: int, mark: str, classify: Classify) -> Iterator[Span]:
    """The private value behind a delimiter, if the word before it names one."""
    back = _BACK.match(text[place - 1 : place - _REACH : -1] if place > _REACH else text[place - 1 :: -1])
    end = place + len(mark)
    following = text[end : end + 2]
    if back is None or (mark == ":" and (following == "//" or following[:1] == ":")):
        return
    name = back[1][::-1]
    if name[-1].isdigit() and not name.strip(_COUNT):
        return
    key = classify(name if len(name) <= _LONGEST else name[-_LONGEST:])
    if (
        key is None
        or not key.kind
        or back[2] == "/"
        or (back[2] == "[" and _DONE.match(text, place - back.end()))
    ):
        return
    if following[:1] in _DOUBLE.get(mark, ()):
        end += 1
    name = name.strip(".-")
    if key.kind == "cookie" and "cook" in name.lower() and _COOKIE.match(text, end):
        yield from _cookies(text, end)
    else:
        found = _value(text, end, key, name, mark)
        if found:
            yield found


def _cookies(text: str, position: int) -> Iterator[Span]:
    """The value of each cookie, but for what a server says about it."""
    while True:
        pair = _COOKIE.match(text, position)
        if pair is not None:
            if pair[1].lower() not in _ATTRIBUTES and pair[2]:
                yield (*pair.span(2), "cookie")
            position = pair.end()
        elif flag := _FLAG.match(text, position):
            position = flag.end()
        else:
            return


def _value(text: str, position: int, key: Key, name: str, delimiter: str) -> Span | None:
    kind = key.kind
    opened = _OPEN.match(text, position)
    if opened:
        start = opened.end()
        end = _closing(text, start, opened[1], opened[2])
        if kind in {"email", "ip"}:
            return None  # told by their own look, with what stands around them kept
        if not is_private(key, text[start:end], name):
            return None
    else:
        if kind in {"email", "ip"} or _NESTED.match(text, position):
            return None
        start, end = _bare(text, position, key, name)
        value = text[start:end]
        if not value or not is_private(key, value.rstrip("]"), name) or _is_word(key, value, delimiter, name):
            return None
    if kind == "credential" and (scheme := SCHEME.match(text, start, end)):
        start = scheme.end()
    return start, end, kind


def _is_word(key: Key, value: str, delimiter: str, name: str) -> bool:
    """Whether an unquoted value is rather a word of the sentence, or of a scope such as ``token:read``."""
    if key.kind == "cookie" and "cook" in name.lower():
        return not is_random(value)
    if value.upper() == value and value.rstrip("]").lower() == name.lower():
        return True
    return key.trust == "token" and delimiter == ":" and value.isalpha() and value.islower()


def _closing(text: str, start: int, slashes: str, quote: str) -> int:
    end = text.find(slashes + quote, start)
    while not slashes and end > start and text[end - 1] == "\\":
        end = text.find(quote, end + 1)
    if end < 0:
        line = text.find("\n", start)
        return line if line >= 0 else len(text)
    return end


def _bare(text: str, position: int, key: Key, name: str) -> tuple[int, int]:
    shape = _SHAPES.get(key.kind)
    found = shape.match(text, position) if shape else None
    if found is None and key.kind == "secret" and "phrase" in name.lower():
        found = _WORDS.match(text, position)
    if key.kind == "credential":
        head = text[position : position + 24].split(None, 1)
        scheme = SCHEME.match(
            text, position + len(text[position : position + 8]) - len(text[position : position + 8].lstrip())
        )
        if head and head[0].lower() in _WHOLE:
            found = _LINE.match(text, position)
        elif scheme:
            rest = _BARE.match(text, scheme.end())
            return (scheme.start(), rest.end(1)) if rest else (position, position)
    if found is None:
        found = _BARE.match(text, position)
    return found.span(1) if found else (position, position)
