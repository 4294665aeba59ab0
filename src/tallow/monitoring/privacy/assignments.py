"""Private values that a text names by a key: ``password=…``, ``"token": "…"``, headers, URLs' queries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from tallow.monitoring.privacy.keys import ENDINGS, SHORT_ENDINGS, Key
from tallow.monitoring.privacy.looks import is_chosen, is_random, is_version
from tallow.monitoring.privacy.quoting import block, following, is_wrapped, quoted, unwrapped
from tallow.monitoring.privacy.source import is_expression
from tallow.monitoring.privacy.spans import Span
from tallow.monitoring.privacy.values import SCHEME, is_private

Classify = Callable[[str], Key | None]

_BACK: Final = re.compile(r"[ \t]{0,64}+(?:[\])\"'`\\*]|\s){0,6}([\w.\-]{1,100})(.?)")
_REACH: Final = 172
"""How far a key is looked for before its delimiter, so that time is linear."""

_LONGEST: Final = 48
_COUNT: Final = "0123456789.-"
_CLOSERS: Final = "])\"'`\\* \t"
_DOUBLE: Final = {"=": ("=", ">"), ":": ("=", "-")}
"""What may follow a delimiter as part of it."""

_BARE: Final = re.compile(
    r"[ \t]{0,8}((?>(?:[^\s&;\"'<>,()}\]\[{\\`|]"
    r"|\|(?![\w.-]{1,40}[=:]|\d{1,5}(?:[|\s]|$)|\s|$)"
    r"|[,)}\]](?![\s,;)}\]\"'&\\]|$|[\w.\-]{1,40}[=:])|[(\[{](?=[^\s)\]}])"
    r"|[&;'](?![\s\"']|$|[\w.\-]{1,40}=|\w+;)|\\(?![nrt\"'\\])|<(?=[^\s<>]*\s|[^<>]*$))+))"
)
_OTHER_SCHEME: Final = re.compile(
    r"[ \t]{0,8}[A-Za-z][\w/+-]{1,30}[ \t]+(?=\[[a-z_]{4,12}|[\w.-]{1,40}="
    r"|(?=[A-Za-z_.+/-]{0,60}[\d=])[^\s,;\"']{8})"
)
"""The name of a scheme that is not known, before what only credentials look like."""
_PARAMETERS: Final = re.compile(
    r"[\w.-]{1,40}=(?:\"[^\"\n]*\"|[^\s,;\"]++)(?:[,;][ \t]{0,4}[\w.-]{1,40}=(?:\"[^\"\n]*\"|[^\s,;\"]++))*"
)
_QUERY: Final = re.compile(r"\?[A-Za-z][\w.-]{0,40}=")
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
_BLOCKS: Final = frozenset("|>!")
_SHAPES: Final = {"phone": _PHONE, "file_name": _FILE, "user": _NAMED, "geo": _PAIR}
_WHOLE: Final = frozenset({"digest", "oauth", "aws4-hmac-sha256", "sharedkey", "hawk", "signature"})
"""Schemes whose credentials are a list up to the end of the line."""


def assigned(text: str, classify: Classify) -> Iterator[Span]:
    """Values behind ``=``, ``:``, ``=>``, ``:=``, ``->`` and ``→``.

    Most keys are harmless, and the last three letters before the delimiter say so of most of them.
    """
    for mark in ("=", ":", "->", "→"):
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
        end = text[max(0, place - 70) : place].rstrip(_CLOSERS)[-3:].lower()
    if end in ENDINGS or end[-2:] in SHORT_ENDINGS:
        return True
    if end[-1:].isdigit():
        return not (end[-2:].isdigit() and end[0] in " T:[.")  # a time of day, an address
    return len(end) < 3 or not end[-2].isalnum()


def _behind(text: str, place: int, mark: str, classify: Classify) -> Iterable[Span]:
    """The private value behind a delimiter, if the word before it names one."""
    back = _BACK.match(text[place - 1 : place - _REACH : -1] if place > _REACH else text[place - 1 :: -1])
    end = place + len(mark)
    behind = text[end : end + 2]
    if back is None or (mark == ":" and (behind == "//" or behind[:1] == ":")):
        return ()
    name = back[1][::-1]
    if name[-1].isdigit() and not name.strip(_COUNT):
        return ()
    key = classify(name if len(name) <= _LONGEST else name[-_LONGEST:])
    if (
        key is None
        or not key.kind
        or back[2] == "/"
        or (back[2] == "[" and _DONE.match(text, place - back.end()))
        or (back[2] == ":" and "arn:" in text[max(0, place - 120) : place])  # the name of a secret
        or (len(name) == 1 and mark == ":" and behind[:1] in "/\\")  # the letter of a drive
    ):
        return ()
    if back[2] == "{" and behind[:1] == "?":
        return ()  # ${PASSWORD:?what is to be said without it}
    while text[end : end + 1] in _DOUBLE.get(mark, ()) and end < place + 3:
        end += 1
    name = name.strip(".-")
    if key.kind == "cookie" and "cook" in name.lower() and _COOKIE.match(text, end):
        return _cookies(text, end)
    return _values(text, end, key, name, mark)


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


def _values(text: str, position: int, key: Key, name: str, delimiter: str) -> Iterable[Span]:
    """The private value at a place, and those that follow it in a list."""
    if key.kind in {"email", "ip"}:
        return ()  # told by their own look, with what stands around them kept
    wrapped = is_wrapped(text[position : position + 24])
    first = quoted(text, position, wrapped=wrapped)
    if first is None:
        return _unquoted(text, position, key, name, delimiter, wrapped=wrapped)
    start, end, after, listed = first
    spans = [_span(text, start, end, key)] if is_private(key, text[start:end], name) else []
    if listed or text.startswith((" ->", " =>"), after):
        for start, end in following(text, after, listed=listed):
            if is_private(key, text[start:end], name):
                spans.append(_span(text, start, end, key))
    return spans


def _unquoted(
    text: str, position: int, key: Key, name: str, delimiter: str, *, wrapped: bool
) -> Iterable[Span]:
    inner = unwrapped(text, position) if wrapped else None
    if not inner and (_NESTED.match(text, position) or is_expression(text, position)):
        return ()
    lines = block(text, position) if text[position : position + 2].lstrip()[:1] in _BLOCKS else None
    start, end = inner or lines or _bare(text, position, key, name)
    value = text[start:end]
    if not value or not is_private(key, value.rstrip("]"), name) or _is_word(key, value, delimiter, name):
        return ()
    if inner and not (is_chosen(value) or is_random(value)):
        return ()
    if text[position - 1] == "=" == text[position - 2] and is_version(value):
        return ()
    return (_span(text, start, end, key),)


def _span(text: str, start: int, end: int, key: Key) -> Span:
    """A private value without the name of its scheme."""
    scheme = SCHEME.match(text, start, end) if key.kind == "credential" else None
    return scheme.end() if scheme else start, end, key.kind


def _is_word(key: Key, value: str, delimiter: str, name: str) -> bool:
    """Whether an unquoted value is rather a word of the sentence, or of a scope such as ``token:read``."""
    if key.kind == "cookie" and "cook" in name.lower():
        return not is_random(value)
    if value.upper() == value and value.rstrip("]").lower() == name.lower():
        return True
    if delimiter in {"->", "→"} and value.replace("_", "").isalpha():
        return True  # a step of a flow: login -> token -> done
    return key.trust == "token" and delimiter == ":" and value.isalpha() and value.islower()


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
        elif other := _OTHER_SCHEME.match(text, position):
            rest = _PARAMETERS.match(text, other.end()) or _BARE.match(text, other.end())
            if rest:
                return other.end(), rest.end()
    if found is None:
        found = _BARE.match(text, position)
    if found and key.kind == "cookie" and (query := _QUERY.search(text, *found.span(1))):
        return found.start(1), query.start()  # /page;jsessionid=…?sort=asc
    return found.span(1) if found else (position, position)
