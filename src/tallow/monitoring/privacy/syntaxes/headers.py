"""Values of the headers ``Authorization`` (RFC 9110, 11.4) and ``Cookie`` (RFC 6265, 4)."""

from __future__ import annotations

import re
from typing import Final

_SCHEME: Final = re.compile(
    r"(?:Bearer|Basic|Token|ApiKey|Api-Key|Negotiate|NTLM|Splunk|GenieKey|Key|SSWS|JWT)[ \t]{1,8}(?=\S)",
    re.IGNORECASE,
)
"""Schemes before one token."""
_LIST: Final = re.compile(
    r"(?:Digest|OAuth|AWS4-[\w-]{1,20}|SharedKey(?:Lite)?|Hawk|Signature|hmac|EG1-[\w-]{1,20}|Escher|MAC|ACS3-[\w-]{1,20}"
    r"|TC3-[\w-]{1,20}|GOOG4-[\w-]{1,20})[ \t]{1,8}(?=\S)",
    re.IGNORECASE,
)
"""Schemes before a list up to the end of the line."""
_OTHER: Final = re.compile(r"[A-Za-z][\w+/-]{1,30}[ \t]{1,8}(?=[^\s\"',;]{0,60}[\d=+/])")
"""A scheme that is not known, before what only credentials look like."""
_ONE: Final = re.compile(r"[^\s\"'`,;\\]{1,8000}")
_REST: Final = re.compile(r"(?:[^\s\"'\\]|\"[^\"\n]{0,2000}\"|[ \t](?=[^\n\"']{0,80}=))+")
_COOKIE: Final = re.compile(r"[ \t]*([^\s=;,\"'\\:]{1,100})=([^\s;,\"'\\]*)(;?)")
_ATTRIBUTES: Final = frozenset({"path", "domain", "expires", "max-age", "samesite", "$version", "priority"})
_FLAG: Final = re.compile(r"[ \t]*(?:HttpOnly|Secure|Partitioned)(;?)", re.IGNORECASE)
_EXPIRES: Final = re.compile(r"[^;\n\"']*(;?)")

Extent = tuple[int, int]


def authorization(text: str, start: int) -> list[Extent]:
    """The credentials behind a scheme's name; nothing if none begins here."""
    for scheme, rest in ((_SCHEME, _ONE), (_LIST, _REST)):
        named = scheme.match(text, start)
        found = rest.match(text, named.end()) if named else None
        if found:
            return [found.span()]
    return []


def credentials(text: str, start: int, *, running: bool) -> list[Extent]:
    """The credentials of a known scheme or, in running text, of any other; nothing if none begin here."""
    return authorization(text, start) or (unknown_scheme(text, start) if running else [])


def unknown_scheme(text: str, start: int) -> list[Extent]:
    """A scheme that is not known and what follows it, together; nothing if that looks like no credentials."""
    named = _OTHER.match(text, start)
    found = _ONE.match(text, named.end()) if named else None
    return [(start, found.end())] if found else []


def cookies(text: str, start: int) -> list[Extent]:
    """The value of each cookie, without what a server says about it."""
    found: list[Extent] = []
    more = ";"
    while more:
        flag = _FLAG.match(text, start)
        pair = None if flag else _COOKIE.match(text, start)
        if flag:
            start, more = flag.end(), flag[1]
        elif pair is None:
            break
        elif pair[1].lower() in _ATTRIBUTES:
            rest = _EXPIRES.match(text, pair.start(2))
            start, more = (rest.end(), rest[1]) if rest else (pair.end(), pair[3])
        else:
            found.append(pair.span(2))
            start, more = pair.end(), pair[3]
    return found
