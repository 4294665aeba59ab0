"""Where somebody lives and is: names in paths to homes, coordinates in texts that say so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.spans import Span
from tallow.monitoring.privacy.words import ACCOUNTS, SHARED_HOMES

_POSIX: Final = re.compile(
    r"/(?<![\w.]/)(?:home|Users|var/home|mnt/[a-z]/Users|[a-z]/Users|export/home|usr/home|media)"
    r"/([^/\s\"'`:;,<>(){}|*?$\[\]\\&#%]{1,64}(?: [^/\s\"'`:;,<>(){}|*?$\[\]\\&=]{1,30}(?=/)){0,2})",
    re.IGNORECASE,
)
_WINDOWS: Final = re.compile(
    r":(?<=[A-Za-z]:)(?:\\{1,8}|/)(?:Users|Documents and Settings)(?:\\{1,8}|/)"
    r"([^\\/\s\"'`:;,<>|*?%\[\]]{1,64}(?: [^\\/\s\"':<>|*?\[\]]{1,30}){0,2}(?=[\\/])"
    r"|[^\\/\s\"'`:;,<>|*?%()\[\]]{1,64})",
    re.IGNORECASE,
)
_UNC: Final = re.compile(
    r"\\\\{1,7}[\w.$-]{1,64}\\{1,8}(?:users|home|homes|profiles)\$?\\{1,8}([^\\/\s\"'`:;,<>|*?\[\]]{1,64})",
    re.IGNORECASE,
)
_TILDE: Final = re.compile(r"~(?<![\w/.)\]~]~)([a-z][a-z0-9._-]{2,32})/")
_PAIR: Final = re.compile(r"[-+]?\d{1,2}\.\d{4,}(?:[,;/]\s?|\s)[-+]?\d{1,3}\.\d{4,}(?![\w.]*\w)")
_WHERE: Final = re.compile(
    r"(?:location|located|position|gps|geo|coord\w*|lat\w*|lng|lon|long|maps?|near|point|place|ll|center|centre|waypoint"
    r"|destination|pickup|dropoff|fix)\b[^\n]{0,24}$|@$|[?&](?:q|ll|center|loc|daddr|saddr)=$",
    re.IGNORECASE,
)


def homes(text: str) -> Iterator[Span]:
    """Names of users in paths to their homes: POSIX, Windows (escaped or not), UNC, ``~name``."""
    for pattern in (_POSIX, _WINDOWS):
        for found in pattern.finditer(text):
            if _is_person(found[1]):
                yield (*found.span(1), "path")
    if "\\\\" in text:
        for found in _UNC.finditer(text):
            if _is_person(found[1]):
                yield (*found.span(1), "path")


def tildes(text: str) -> Iterator[Span]:
    """``~name/``."""
    for found in _TILDE.finditer(text):
        if _is_person(found[1]):
            yield (*found.span(1), "path")


def _is_person(name: str) -> bool:
    return not (
        name.lower() in SHARED_HOMES or name.lower() in ACCOUNTS or name.isdigit() or name[0] in "[<{%$."
    )


def coordinates(text: str) -> Iterator[Span]:
    """Pairs of a latitude and a longitude behind a word for a place, or in the URL of a map."""
    for found in _PAIR.finditer(text):
        if _WHERE.search(text[max(0, found.start() - 48) : found.start()]):
            yield (*found.span(), "geo")
