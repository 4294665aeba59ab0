"""URLs that give access: credentials before the host, share links, capabilities in paths and fragments."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.looks import is_random
from tallow.monitoring.privacy.spans import Span
from tallow.monitoring.privacy.words import words

_USERINFO: Final = re.compile(
    r"://(?:([^\s/@:\"'<>]{0,256}:[^\s@\"'<>]{1,256}(?:@[^\s@/\"'<>]{1,64})?)|([^\s/@:\"'<>]{4,256}))@"
)
_SCHEMELESS: Final = re.compile(
    r"(?<![\w/.@:-])(?!sips?:|mailto:|xmpp:|acct:)([\w.+-]{1,64}:[^\s@/:\"']{1,64})@(?!sha\d{3}:|md5:)(?=(?:tcp|unix)\(|[\w.-]{1,100}:\d)"
)
_ORACLE: Final = re.compile(
    r"jdbc:oracle:(?:thin|oci8?):([\w$#.-]{1,64}/[^\s@]{1,64})(?=[@\s\"']|$)"
    r"|(?<![\w/.:@-])([\w$#]{1,64}/[^\s@/\"'=&?]{1,64})@(?://|[\w.-]{1,100}:\d{1,5}/)"
)
_START: Final = re.compile(r"[^\s\"'`=(\[{<,;]*\Z")
_ROOT: Final = re.compile(
    r"(?:file://)?(?:/(?:var|usr|etc|opt|srv|tmp|lib|lib64|data|mnt|media|home|proc|sys|run|dev|root|Users|private|Library"
    r"|Volumes|app|workspace|builds|nix|snap|boot|bin|sbin|storage)/|~/|\.{1,2}/|[A-Za-z]:[/\\]|s3://|gs://)"
)
_FRAGMENT: Final = re.compile(r"#(?:([\w-]{3,64}\.[\w-]{16,200})|([\w=&-]{16,200}))")
_PARAMETER: Final = re.compile(r"=([\w-]{16,200})")
_BEFORE: Final = re.compile(r"\??/?([\w~-]{4,128})")
_SHARED: Final = re.compile(
    r"/(?:share|shared|join|invite|invitations?|rooms?|receive|reset-password|password-reset|reset|verify|magic"
    r"|confirm|activate|unsubscribe|s|r|d|t)/([A-Za-z0-9_~-]{5,200})(?![\w{}.])"
)
_FOLDERS: Final = words(
    """
    share shared join invite invitation invitations room rooms receive reset-password password-reset
    reset verify magic confirm activate unsubscribe s r d t
    """
)
_HOSTED: Final = re.compile(
    r"/(?:www\.)?(?:we\.tl/t-|1drv\.ms/\w/s!|(?:drive|docs)\.google\.com/(?:\w{1,20}/){1,3}(?:d|folders)/|discord\.gg/|t\.me/\+"
    r"|t\.me/joinchat/|chat\.whatsapp\.com/|meet\.google\.com/|zoom\.us/j/|wetransfer\.com/downloads/"
    r"|mega\.nz/(?:file|folder)/|pastebin\.com/|dropbox\.com/(?:scl/f[io]|sh?|t)/)([\w~#-]{5,200})"
)
_HOSTS: Final = (
    "we.tl", "1drv", ".google.com", "discord.gg", "t.me", "whatsapp", "zoom.us", "wetransfer", "mega.nz",
    "pastebin", "dropbox",
)  # fmt: skip
_QUERY: Final = re.compile(
    r"[?&](?:code|key|appid|ticket|hash|state|Key-Pair-Id|X-Amz-Credential|auth)=([^&\s\"'<>#]{8,})",
    re.IGNORECASE,
)


def userinfo(text: str) -> list[Span]:
    """Credentials before the ``@`` of a URL's host."""
    spans: list[Span] = []
    for found in _USERINFO.finditer(text):
        group = 1 if found[1] is not None else 2
        if found[group] not in {"git", "hg", "user"} and not found[group].startswith("["):
            spans.append((*found.span(group), "url"))
    spans += ((*found.span(1), "url") for found in _SCHEMELESS.finditer(text))
    if "@//" in text or "jdbc:oracle" in text or ":1521" in text:
        spans += ((*found.span(found.lastindex or 1), "url") for found in _ORACLE.finditer(text))
    return spans


def shared(text: str) -> Iterator[Span]:
    """Codes and capabilities in the paths of URLs."""
    parts = text.split("/")
    if _FOLDERS.isdisjoint(parts) or not any(
        folder in _FOLDERS and 4 < len(code) != 36 and not code.isalpha()
        for folder, code in itertools.pairwise(parts)
    ):
        return
    for found in _SHARED.finditer(text):
        if (is_random(found[1]) or _is_code(found[1])) and not _is_on_disk(text, found.start()):
            yield (*found.span(1), "share_link")


def hosted(text: str) -> Iterator[Span]:
    """Share links of well-known services."""
    if not any(host in text for host in _HOSTS):
        return
    for found in _HOSTED.finditer(text):
        yield (*found.span(1), "share_link")


def fragments(text: str) -> Iterator[Span]:
    """Keys after the ``#`` of a share link, which no server is to see, and the code before it."""
    for found in _FRAGMENT.finditer(text):
        group = 1 if found[1] else 2
        if "=" in found[0][:-2]:
            yield from _parameters(text, *found.span(2))
        elif group == 1 or _is_mixed(found[2]):
            start = found.start()
            yield (*found.span(group), "share_link")
            code = _BEFORE.match(text[start - 1 : start - 132 : -1] if start > 132 else text[start - 1 :: -1])
            if start and code and (any(map(str.isdigit, code[1])) or not code[1].islower()):
                yield start - code.end(1), start - code.start(1), "share_link"


def _parameters(text: str, start: int, end: int) -> Iterator[Span]:
    """The values in a fragment that is a query: ``#access_token=…&expires_in=3600``."""
    for found in _PARAMETER.finditer(text, start, end):
        if _is_mixed(found[1]):
            yield (*found.span(1), "share_link")


def queried(text: str) -> Iterator[Span]:
    """Query parameters that are harmless elsewhere: ``code`` and ``state`` of OAuth, ``key`` of an API."""
    for found in _QUERY.finditer(text):
        value = found[1]
        if any(map(str.isdigit, value)) and any(map(str.isalpha, value)):
            yield (*found.span(1), "secret")


def _is_on_disk(text: str, end: int) -> bool:
    """Whether what stands before is a path in a file system: ``/var/lib/…``."""
    found = _START.search(text[max(0, end - 200) : end + 1])
    return found is not None and _ROOT.match(found[0]) is not None


def _is_code(value: str) -> bool:
    return value.upper() == value and any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _is_mixed(value: str) -> bool:
    return any(map(str.isdigit, value)) and value.lower() != value != value.upper()
