"""Private values that a sentence, a command line or a tag names: ``--token X``, ``password is 'X'``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.assignments import Classify
from tallow.monitoring.privacy.keys import Key
from tallow.monitoring.privacy.looks import is_chosen, is_random, is_strong
from tallow.monitoring.privacy.spans import Span
from tallow.monitoring.privacy.values import is_private
from tallow.monitoring.privacy.words import ACCOUNTS, PROSE

_FLAG: Final = re.compile(
    r"-(?<![\w-]-)-?([A-Za-z][\w-]{1,60})[ \t]+(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'\-]\S*))"
)
_AFTER: Final = re.compile(
    r"s?( #?\d{1,3}(?: ?\([a-z0-9]{2,8}\))?(?=[ :=]))?(?: for [\w.@'-]{1,64})?"
    r"(?: (?:id|is now|is|was|to|of|set to|changed to|used|using|provided|value)(?=[ :]))?"
    r"(?::?\s{1,4}(?:\((?=[^\s()]{4,200}\)))?|\()(?:([\"'`])([^\"'`\n]{1,200})\2|([^\s\"',;()]{4,}))",
    re.IGNORECASE,
)
_CODE: Final = re.compile(
    r"(?:room|share|verification|pairing|invite|invitation|join|join with|access|security|login|confirmation"
    r"|sms|mfa|2fa|otp|auth|activation|reset|backup|recovery|authentication|one-time|temporary|passcode)[ -]$"
)
_KEY: Final = re.compile(r"(?:api|access|private|secret|master|encryption|signing)[ -]$")
_SSHD: Final = re.compile(
    r"(?:(?:Failed|Accepted|Invalid) [\w/-]{1,40} for (?:invalid user )?|[Ii]nvalid user )(\S{1,64}) from "
)
_PAM: Final = re.compile(r"session (?:opened|closed) for user ([\w.-]{1,64})")
_QUOTED: Final = re.compile(r"[Uu](?<!\w.)ser:? [\"'`]([^\"'`\s]{1,64})[\"'`]")
_NETRC: Final = re.compile(r"machine \S{1,100} login (\S{1,64}) password")
_DATABASE: Final = re.compile(r"[Uu]ser [Ii][Dd]=([^;\s]{1,64})")
_AUTH: Final = re.compile(r"\bAUTH[\"']? (?:[\"']?default[\"']? )?[\"']?([^\s\"']{4,})")
_ROOM: Final = re.compile(r"(?=[A-Z]*\d)[A-Z0-9]{6,12}|(?=[A-Z-]*\d)[A-Z0-9]{4}(?:-[A-Z0-9]{4}){1,3}")
_CHOSEN: Final = (
    "password",
    "passphrase",
    "passwd",
    "passcode",
    "identified by",
    "requirepass",
    "masterauth",
)
WORDS: Final = (
    *_CHOSEN,
    "token",
    "secret",
    "session",
    "sessionid",
    "session id",
    "phpsessid",
    "cookie",
    "key",
    "code",
    "pin",
    "otp",
    "room",
)
"""What a text with a mentioned value holds, in lower case."""
_XML: Final = re.compile(r"<(?:\w{1,20}:)?([A-Za-z][\w.\-]{1,60})(?:\s[^<>]{0,200})?>([^<>]{1,2000})</")


def flagged(text: str, classify: Classify) -> Iterator[Span]:
    """Options of commands and their values."""
    for found in _FLAG.finditer(text):
        group = found.lastindex or 0
        key, value = classify(found[1]), found[group].rstrip("])")
        if (
            key
            and key.kind
            and group > 1
            and not _is_metavar(value, found[1])
            and is_private(key, value, found[1])
        ):
            yield found.start(group), found.start(group) + len(value), key.kind


def _is_metavar(value: str, name: str) -> bool:
    return value.isupper() and value.lower().replace("_", "-") in name.lower().replace("_", "-")


def mentioned(text: str, lower: str) -> Iterator[Span]:
    """Values that follow a word for them, with or without quotes: ``password is "X"``, ``pairing code X``."""
    for word in WORDS:
        place = lower.find(word)
        while place >= 0:
            end = place + len(word)
            found = _AFTER.match(text, end)
            if found:
                group = 3 if found[2] else 4
                value = found[3] if found[2] else found[4].rstrip(".:!?")
                kind = _kind_of(lower, word, place, value, quoted=bool(found[2]))
                if not kind and found[1] and _is_counted(value):
                    kind = "secret"
                if kind:
                    yield found.start(group), found.start(group) + len(value), kind
            place = lower.find(word, end)


def _kind_of(lower: str, word: str, place: int, value: str, *, quoted: bool) -> str:
    """What a value after a word is; empty if it is nothing private."""
    if not value or value.lower() in PROSE or "=" in value.rstrip("=") or _DOTTED.fullmatch(value):
        return ""
    if word in _CHOSEN:
        private = (
            is_chosen(value)
            or (value.isdigit() and 4 <= len(value) <= 12)
            or (quoted and " " not in value and is_private(_SECRET, value))
        )
    elif word in {"code", "pin", "otp"}:
        named = word != "code" or _CODE.search(lower, max(0, place - 24), place)
        private = bool(named) and (
            is_random(value) or (value.isdigit() and 4 <= len(value) <= 8) or _is_code(value)
        )
        if private and word == "code" and lower[max(0, place - 24) : place].endswith(_ROOMS):
            return "room_code"
    elif word == "room":
        return "room_code" if _ROOM.fullmatch(value) else ""
    elif word == "key":
        made = is_random(value) or _HEX.fullmatch(value) is not None
        private = made and _KEY.search(lower, max(0, place - 16), place) is not None
    elif word in {"sessionid", "session id"}:
        private = is_random(value) or len(value) >= 24
    else:
        private = is_random(value) or (
            word in {"token", "secret", "cookie"} and _HEX.fullmatch(value) is not None
        )
    return "secret" if private else ""


def _is_counted(value: str) -> bool:
    """Whether a value behind a counted word is a key: ``Unseal Key 1: …``, ``Backup code #2: …``."""
    digits = value.replace("-", "")
    return (
        (is_random(value) and len(value) > 9)
        or is_strong(value)
        or _HEX.fullmatch(value) is not None
        or (digits.isdigit() and 5 < len(digits) < 13)
    )


_HEX: Final = re.compile(r"[0-9a-f]{32,}")
_SECRET: Final = Key("secret", "any")
_ROOMS: Final = ("room ", "share ", "pairing ", "invite ", "invitation ", "join ", "join with ")
_DOTTED: Final = re.compile(
    r"[a-z_]\w*(?:[.:][a-z_]\w*)+(?::\d+)?|[a-z]+[-_]v?\d+|\[[a-z_]+\].*|[a-z_-]+\[\d+\]"
)


def _is_code(value: str) -> bool:
    """``K7QX-93PZ``, ``7-falcon-kettle``."""
    return "-" in value and (value.isupper() or (value[0].isdigit() and any(map(str.isalpha, value))))


def logins(text: str, lower: str) -> Iterator[Span]:
    """Names of people logging in, as sshd, PAM, databases and .netrc write them."""
    for sign, pattern in (
        (" from ", _SSHD),
        ("for user ", _PAM),
        ("user", _QUOTED),
        ("user id=", _DATABASE),
        (" login ", _NETRC),
    ):
        for found in pattern.finditer(text) if sign in lower else ():
            name = found[1].lower()
            if name not in ACCOUNTS and name not in PROSE and not name.isdigit() and name[0] not in "[<$%":
                yield (*found.span(1), "user")


def redis_auth(text: str) -> Iterator[Span]:
    """Passwords after the AUTH command of Redis and of mail servers."""
    for found in _AUTH.finditer(text):
        if is_chosen(found[1]) or is_random(found[1]):
            yield (*found.span(1), "secret")


def tagged(text: str, classify: Classify) -> Iterator[Span]:
    """XML elements with a private name."""
    for found in _XML.finditer(text):
        key = classify(found[1])
        if key and key.kind and is_private(key, found[2], found[1]):
            yield (*found.span(2), key.kind)
