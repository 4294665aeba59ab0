"""Names and values side by side in the notations of forms, markup, Lisp, Erlang and configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.assignments import Classify
from tallow.monitoring.privacy.looks import is_chosen
from tallow.monitoring.privacy.spans import Span
from tallow.monitoring.privacy.values import SCHEME, is_private

_PART: Final = re.compile(
    r"form-data; ?name=\\{0,3}\"?([\w.\[\]-]{1,80})\\{0,3}\"?"
    r"(?:\r?\n[A-Z][^\r\n]{1,200}){0,3}\r?\n\r?\n([^\r\n]{1,2000})"
)
_SIBLINGS: Final = re.compile(
    r"<(key|name|td|th|dt|Key|Name|ParameterKey)(?:\s[^<>]{0,100})?>"
    r"\s{0,9}([\w.\- ]{1,80}?):?\s{0,9}</\1>\s{0,40}"
    r"<(?:value|string|td|dd|Value|ParameterValue)(?:\s[^<>]{0,100})?>\s{0,40}(?:<(?:string|code|b)>)?([^<>]{1,2000}?)\s{0,40}</"
)
_ATTRIBUTED: Final = re.compile(
    r"<\w{1,40}\s(?:[^<>]{0,100}\s)?(?:name|key|id)=\"([\w.-]{1,80})\"[^<>]{0,200}>\s{0,40}"
    r"(?:<(?:value|string)>\s{0,40})?([^<>\s][^<>]{0,2000}?)\s{0,40}</"
)
_CDATA: Final = re.compile(
    r"<(?:\w{1,20}:)?([A-Za-z][\w.\-]{1,60})(?:\s[^<>]{0,200})?>\s{0,40}<!\[CDATA\[([^\]]{1,2000})\]"
)
_LISP: Final = re.compile(
    r"[(\[{ ,\n](?::|\(\"?)([A-Za-z][\w.-]{1,60})\"?\s{1,4}(?:\. )?\"([^\"\n]{1,2000})\""
)
_ERLANG: Final = re.compile(
    r"\{\s?(?:<<)?[\"']?([A-Za-z][\w.-]{1,60})[\"']?(?:>>)?,\s?(?:<<)?([\"'])([^\"'\n]{1,2000})\2(?:>>)?\s?\}"
)
_VALUE_FIRST: Final = re.compile(
    r"[{,(]\s{0,40}[\"']?value[\"']?\s?[:=]\s?[\"']([^\"'\n]{1,2000})[\"']\s{0,3},\s{0,40}[\"']?(?:name|key)[\"']?\s?[:=]\s?"
    r"[\"']?([\w.\-]{2,80})",
    re.IGNORECASE,
)
_DIRECTIVE: Final = re.compile(
    r"(?:^|[\n;])[ \t]{0,40}(?:ENV|ARG|SetEnv|setenv|set -g?x|set -Ux|setx|fastcgi_param|uwsgi_param|env"
    r"|(?:proxy_set|add|proxy_add|grpc_set)_header|RequestHeader set|http-request set-header|Header set)"
    r"[ \t]{1,8}([\w.-]{2,80})[ \t]{1,8}"
    r"(?:\"([^\"\n]{1,2000})\"|'([^'\n]{1,2000})'|([^\s;\"'=]{1,2000}))(?=[;\s]|$)"
)
_LOGIN: Final = re.compile(
    r"\b(?:auth=|basic_?auth|(?:Network|UsernamePassword|Basic)Credentials?|HTTP\w{0,8}Auth|PasswordAuthentication)"
    r"\(\s?[\"']([^\"'\n]{1,100})[\"'],\s?[\"']([^\"'\n]{1,200})[\"']",
    re.IGNORECASE,
)
"""How programs write an account and its password."""
_PGPASS: Final = re.compile(
    r"^[\w.*-]{1,100}:(?:\d{2,5}|\*):(?:[A-Za-z_]\w{0,60}|\*):[A-Za-z_][\w.-]{0,60}:(\S{6,200})$",
    re.MULTILINE,
)


def written(text: str, classify: Classify, *, marked: bool) -> Iterator[Span]:
    """Private values in these notations.

    Args:
        text: to be searched.
        classify: tells what a key holds.
        marked: it holds quotes or angle brackets.
    """
    if "form-data" in text:
        yield from _named(text, _PART, classify)
    if "</" in text:
        for pattern in (_SIBLINGS, _ATTRIBUTED, _CDATA):
            yield from _named(text, pattern, classify)
    if marked:
        if '("' in text or " :" in text or "{:" in text or "(:" in text or ' . "' in text:
            yield from _named(text, _LISP, classify)
        if '("' in text or "('" in text:
            for found in _LOGIN.finditer(text):
                yield (*found.span(1), "user")
                yield (*found.span(2), "secret")
        if "{" in text and "," in text:
            yield from _named(text, _ERLANG, classify)


def pgpass(text: str) -> Iterator[Span]:
    """The passwords in PostgreSQL's ``.pgpass``: host, port, database, user and password."""
    for found in _PGPASS.finditer(text):
        if is_chosen(found[1]):
            yield (*found.span(1), "secret")


def directed(text: str, classify: Classify) -> Iterator[Span]:
    """Variables and headers that lines of configuration set: ``ENV API_TOKEN …``."""
    yield from _named(text, _DIRECTIVE, classify)


def value_first(text: str, classify: Classify) -> Iterator[Span]:
    """``{"value": "…", "name": "password"}``."""
    for found in _VALUE_FIRST.finditer(text):
        key = classify(found[2])
        if key and key.kind and is_private(key, found[1], found[2]):
            yield (*found.span(1), key.kind)


def _named(text: str, pattern: re.Pattern[str], classify: Classify) -> Iterator[Span]:
    """What a pattern finds: its first group but one is the name, its last the value."""
    for found in pattern.finditer(text):
        last = found.lastindex or 2
        name = found[2] if pattern is _SIBLINGS else found[1]
        key = classify(name.strip("[]").replace(" ", "_"))
        if key and key.kind and is_private(key, found[last], name):
            start, end = found.span(last)
            scheme = SCHEME.match(text, start, end) if key.kind == "credential" else None
            yield scheme.end() if scheme else start, end, key.kind
