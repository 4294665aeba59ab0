"""Private values that a text names: ``password=…``, ``"token": "…"``, headers, flags, URLs' queries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from tallow.monitoring.privacy.keys import Key
from tallow.monitoring.privacy.spans import Span
from tallow.monitoring.privacy.values import is_private, is_random

Classify = Callable[[str], Key | None]

_DELIMITER: Final = re.compile(r"=>|:=|={1,2}|:(?!:|//)")
_BACK: Final = re.compile(r"(?:[\])\"'`\\]|\s){0,6}([A-Za-z0-9_.\-]{1,100})(.?)")
_OPEN: Final = re.compile(r"[ \t]{0,8}(?:\r?\n[ \t]{1,8}(?=[\"']))?[brufL]{0,2}(\\{0,7})([\"'`])")
_SCHEME: Final = r"(?:(?:Bearer|Basic|Token|ApiKey|Api-Key|Negotiate|NTLM|Splunk|Key|OAuth2?)[ \t]+)?"
_BARE: Final = re.compile(
    r"[ \t]{0,8}(" + _SCHEME + r"(?:[^\s&;\"'<>,)}\]\\`]|[,)}\]](?![\s,;)}\]\"'&\\]|$|[\w.\-]{1,40}[=:])"
    r"|[&;'](?![\s\"']|$|[\w.\-]{1,40}=|\w+;)|\\(?![nrt\"'\\]))++)",
    re.IGNORECASE,
)  # fmt: skip
_DONE: Final = re.compile(r"\[[a-z_]{2,12}(?::[0-9a-f]{6})?\]:?(?!\s?[=\w]{1,2}>)")
_LINE: Final = re.compile(r"[ \t]*([^\r\n]+)")
_COOKIES: Final = re.compile(
    r"[ \t]*([^\s=;,\"'\\]+=[^\s;,\"'\\]*(?:;[ \t]*[^\s=;,\"'\\]+(?:=[^\s;,\"'\\]*)?)*)"
)
_PHONE: Final = re.compile(r"[ \t]*([+(]?\d[\d ().\-/]{5,24}\d)")
_FILE: Final = re.compile(r"[ \t]*([^\s\"'=;,]{1,80}(?: [^\s\"'=;,]{1,80}){0,8}?\.[A-Za-z0-9]{1,6})(?![\w.])")
_NAMED: Final = re.compile(r"[ \t]*([A-Z][\w'.-]*(?: [A-Z][\w'-]+(?![\w.-]*[=:])){1,3})")
_PAIR: Final = re.compile(r"[ \t]*([-+]?\d{1,3}\.\d+,\s?[-+]?\d{1,3}\.\d+)")
_WORDS: Final = re.compile(r"[ \t]*([a-z]+(?: [a-z]+(?![\w.-]*[=:])){3,23})(?![\w])")
_PARENS: Final = re.compile(r"\(([^()]{1,200})\)=\(([^()]{0,400})\)")
_SHAPES: Final = {"cookie": _COOKIES, "phone": _PHONE, "file_name": _FILE, "user": _NAMED, "geo": _PAIR}
_FLAG: Final = re.compile(
    r"(?<![\w-])--?([A-Za-z][\w-]{1,60})[ \t]+(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'\-]\S*))"
)
_COMMAND: Final = re.compile(
    r"\b(?:sshpass|mysql\w*|mariadb\w*|docker login|podman login)\b[^\n|;]{0,200}?\s-p\s?([^\s-]\S*)"
    r"|\bredis-cli\b[^\n|;]{0,200}?\s-a\s+(\S+)|\bcurl\b[^\n|;]{0,400}?\s(?:-u"
    r"|--user)[ =]?[\"']?([^\s\"':]+:[^\s\"']+)"
    r"|(?<![\w-])-(?:u|-user)[ =][\"']?([^\s\"':/]+:[^\s\"']+)|\bpass:(\S+)"
)
_PROSE: Final = re.compile(
    r"\b(password|passphrase|passwd|secret|token|api[ -]key|access key|passcode|pin|otp|room code"
    r"|share code|"
    r"verification code|pairing code|invite code|identified by|user|session|code)"
    r"(?:\s(?:is|was|to|of|for user|set to|changed to|used|using)"
    r"|\()?\s{0,2}(?:([\"'])([^\"'\n]{1,200})\2|([^\s\"',;()]{4,}))",
    re.IGNORECASE,
)
_XML: Final = re.compile(r"<(?:\w{1,20}:)?([A-Za-z][\w.\-]{1,60})(?:\s[^<>]{0,200})?>([^<>]{1,2000})</")
_TUPLE: Final = re.compile(r"[(\[]\s?b?([\"'])([\w.\-]{2,60})\1,\s?b?([\"'])([^\"'\n]{1,2000})\3\s?[)\]]")
_NAMED_VALUE: Final = re.compile(
    r"\b(?:name|key)[\"']?\s?[:=]\s?[\"']?([\w.\-]{2,80})[\"']?\s{0,3}[,\n]\s{0,40}[\"']?value[\"']?\s?[:=]\s?"
    r"[\"']?([^\"'\n,}]{1,2000})",
    re.IGNORECASE,
)
_INSERT: Final = re.compile(r"\(([\w\s,.\"`\[\]]{3,1000})\)\s*VALUES\s*\(([^()]{1,4000})\)", re.IGNORECASE)
_ITEM: Final = re.compile(r"\s*(?:N?'((?:[^']|'')*)'|\"([^\"]*)\"|([^,]*))\s*(?:,|$)")
_PARAMETERS: Final = re.compile(
    r"\[parameters: (\([^\n]{1,4000}\))\]|Failing row contains (\([^\n]{1,4000}\))"
)


def assigned(text: str, classify: Classify) -> Iterator[Span]:
    """Values behind ``=``, ``:`` and ``=>``. Looks 110 characters back from each, so time is linear."""
    done = 0
    for delimiter in _DELIMITER.finditer(text):
        start = delimiter.start()
        if start < done or text[start - 1 : start] == ":":
            continue
        back = _BACK.match(text[max(0, start - 110) : start][::-1])
        if back is None or back[2] == "/" or (back[2] == "[" and _DONE.match(text, start - back.end())):
            continue
        name = back[1][::-1].strip(".-")
        key = classify(name)
        if key is None or not key.kind:
            continue
        span = _value(text, delimiter.end(), key, name, start - back.end(1))
        if span:
            done = span.end
            yield span


def _value(text: str, position: int, key: Key, name: str, begun: int) -> Span | None:
    opened = _OPEN.match(text, position)
    if opened:
        start = opened.end()
        end = _closing(text, start, opened[1], opened[2])
        private = is_private(key, text[start:end], name)
    else:
        start, end = _bare(text, position, key, begun)
        private = start < end and is_private(key, text[start:end], name)
    return Span(start, end, key.kind) if private else None


def _closing(text: str, start: int, slashes: str, quote: str) -> int:
    end = text.find(slashes + quote, start)
    while not slashes and end > start and text[end - 1] == "\\":
        end = text.find(quote, end + 1)
    if end < 0:
        line = text.find("\n", start)
        return line if line >= 0 else len(text)
    return end


def _bare(text: str, position: int, key: Key, begun: int) -> tuple[int, int]:
    shape = _SHAPES.get(key.kind)
    found = shape.match(text, position) if shape else None
    if found is None and key.kind == "secret":
        found = _WORDS.match(text, position) if text[begun:position].lower().find("phrase") >= 0 else None
    if found is None and key.kind == "credential":
        words = text[position : position + 24].split(None, 1)
        if words and words[0].lower() in {
            "digest",
            "oauth",
            "aws4-hmac-sha256",
            "sharedkey",
            "hawk",
            "signature",
        }:
            found = _LINE.match(text, position)
    if found is None:
        found = _BARE.match(text, position)
    return found.span(1) if found else (position, position)


def mentioned(text: str, classify: Classify) -> Iterator[Span]:
    """Values behind flags, words and tags: ``--token X``, ``password is 'X'``,
    ``<password>X</password>``."""
    if "-" in text:
        yield from _keyed(_FLAG, text, classify)
        for found in _COMMAND.finditer(text):
            group = found.lastindex or 0
            yield Span(*found.span(group), "credential" if group in {3, 4} else "secret")
    if "</" in text:
        yield from _keyed(_XML, text, classify)
    for found in _PROSE.finditer(text):
        group = 3 if found[3] else 4
        word, value = found[1].lower(), found[group].rstrip(".:!?")
        key = (
            Key("user", "name")
            if word == "user"
            else Key("room_code" if "code" in word[4:] else "secret", "token")
        )
        quoted = group == 3 and word not in {"code", "session"} and " " not in value.strip()
        if (quoted and is_private(key, value)) or (word != "user" and "=" not in value and is_random(value)):
            yield Span(found.start(group), found.start(group) + len(value), key.kind)


def listed(text: str, classify: Classify) -> Iterator[Span]:
    """Values whose names stand elsewhere: header tuples, name/value pairs, SQL inserts and their
    parameters."""
    yield from _keyed(_TUPLE, text, classify, name_group=2)
    if "value" in text or "VALUE" in text:
        yield from _keyed(_NAMED_VALUE, text, classify)
        for found in _INSERT.finditer(text):
            columns = [column.strip(' \n\t"`[]') for column in found[1].split(",")]
            for column, item in zip(columns, _ITEM.finditer(found[2]), strict=False):
                group = item.lastindex or 3
                key = classify(column)
                if key and key.kind and is_private(key, item[group] or "", column):
                    yield Span(found.start(2) + item.start(group), found.start(2) + item.end(group), key.kind)
    for found in _PARENS.finditer(text) if ")=(" in text else ():
        key = classify(found[1].split(",")[0].strip())
        if key and key.kind and is_private(key, found[2], found[1]):
            yield Span(*found.span(2), key.kind)
    for found in _PARAMETERS.finditer(text):
        group = found.lastindex or 1
        yield Span(found.start(group) + 1, found.end(group) - 1, "secret")


def _keyed(pattern: re.Pattern[str], text: str, classify: Classify, *, name_group: int = 1) -> Iterator[Span]:
    for found in pattern.finditer(text):
        name, group = found[name_group], found.lastindex or 0
        key = classify(name)
        if key and key.kind and group > name_group and is_private(key, found[group], name):
            yield Span(*found.span(group), key.kind)
