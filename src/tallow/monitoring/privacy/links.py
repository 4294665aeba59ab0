"""URLs that give access: credentials before the host, share links, capabilities in paths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.spans import Span
from tallow.monitoring.privacy.values import is_random

_USERINFO: Final = re.compile(
    r"(?<=://)([^\s/@:\"'<>]{0,256}:[^\s@\"'<>]{1,256}(?:@[^\s@/\"'<>]{1,64})?|[^\s/@:\"'<>]{4,256})@"
)
_SCHEMELESS: Final = re.compile(
    r"(?<![\w/.@:-])([\w.+-]{1,64}:[^\s@/:\"']{1,64})@(?=(?:tcp|unix)\(|[\w.-]{1,100}:\d)"
)
_FRAGMENT: Final = re.compile(r"://[^\s#\"'<>]{1,256}#([\w-]{3,64}\.[\w-]{16,})")
_SHARED: Final = re.compile(
    r"/(?:share|shared|join|invite|invitations?|rooms?|receive|reset-password|password-reset|reset"
    r"|verify|magic|confirm|"
    r"activate|unsubscribe|s|r|d|t)/([A-Za-z0-9_~-]{5,200})(?![\w{}.])"
)
_CODE_IN_QUERY: Final = re.compile(r"[?&](?:code|key|appid|ticket|hash)=([^&\s\"'<>#]{8,})", re.IGNORECASE)


def links(text: str) -> Iterator[Span]:
    """What in the URLs of a text is a credential or leads to somebody's files."""
    if "@" in text:
        for found in _USERINFO.finditer(text):
            if found[1] not in {"git", "hg", "user"}:
                yield Span(*found.span(1), "url")
        for found in _SCHEMELESS.finditer(text):
            yield Span(*found.span(1), "url")
    if "#" in text:
        for found in _FRAGMENT.finditer(text):
            yield Span(*found.span(1), "share_link")
    for found in _SHARED.finditer(text):
        if is_random(found[1]) or _is_code(found[1]):
            yield Span(*found.span(1), "share_link")
    if "?" in text or "&" in text:
        for found in _CODE_IN_QUERY.finditer(text):
            if any(char.isdigit() for char in found[1]) and any(char.isalpha() for char in found[1]):
                yield Span(*found.span(1), "secret")


def _is_code(value: str) -> bool:
    return value.upper() == value and any(char.isdigit() for char in value) and any(map(str.isalpha, value))
