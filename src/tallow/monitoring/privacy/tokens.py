"""Credentials one can tell by their look: provider keys, JSON web tokens, PEM keys, authorization schemes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.prefixes import KEYED, UNNAMED
from tallow.monitoring.privacy.providers import BY_START, COLON, ENDS, MARKED, REFRESH, TAILED, WEBHOOK
from tallow.monitoring.privacy.spans import Span

_SCHEMES: Final = ("bearer", "basic", "token", "key", "negotiate", "ntlm", "oauth", "splunk")
_LONG: Final = b"w" * 16
_IDENTIFIER: Final = re.compile(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
    r"|(?=\d*[a-f])(?:[0-9a-f]{16}|[0-9a-f]{24}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})"
)
"""UUIDs, trace ids, hashes."""
_EDGE: Final = re.compile(r"[_.\-](?=[A-Za-z0-9])")
_HEAD: Final = re.compile(r"[A-Za-z0-9_-]{11,}+={0,2}")
_PARTS: Final = re.compile(r"(?>(?:\.[A-Za-z0-9_-]*+={0,2}){1,4})")
_PEM: Final = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?>(?:(?!-----(?:BEGIN|END) ).)*)"
    r"(?:-----END [A-Z0-9 ]{3,40}-----)?|PuTTY-User-Key-File-\d:.*",
    re.DOTALL,
)
_HASHED: Final = re.compile(
    r"\$(?:2[abxy]?\$\d\d\$[./A-Za-z0-9]{20,}|(?:[156]|apr1)\$(?:rounds=\d{1,9}\$)?[^$\s]{1,40}\$[./A-Za-z0-9]{20,}|y\$[^\s'\"]{20,}"
    r"|argon2(?:id?|d)\$[^\s'\"]{20,}|scrypt\$[^\s'\"]{20,})|pbkdf2_sha\d+\$\d+\$[^\s'\"]{20,}"
    r"|\{(?:SSHA|SHA|SMD5|MD5|CRYPT|PBKDF2|SSHA\d{3})\}[\w+/=$.]{16,}"
)
_WORDPRESS: Final = re.compile(r"_logged_in_[0-9a-f]{32}=([^;\s\"']{8,})")
_VALUE: Final = re.compile(r"[ \t,]{1,4}[\"']?([A-Za-z0-9_\-+/.~|:=]{6,})")


def pem(text: str) -> Iterator[Span]:
    """Private keys in PEM armour, up to the end of the text where the armour is not closed; PuTTY's files."""
    for found in _PEM.finditer(text):
        yield (*found.span(), "private_key")


def provider_keys(text: str, octets: bytes, runs: bytes, start: int, spans: list[Span]) -> bytes:
    """Keys whose prefix says who issued them, and webhook addresses, which are keys too.

    Args:
        text: to be searched.
        octets: one for each character.
        runs: for each character ``w`` if a key can hold it, else a space.
        start: of the first run of at least 16.
        spans: where what is found is added.

    Returns:
        ``octets`` without identifiers, whose digits are nobody's telephone.
    """
    masked: bytearray | None = None
    while start >= 0:
        end = runs.find(b" ", start)
        end = len(runs) if end < 0 else end
        if _IDENTIFIER.fullmatch(text, start, end):
            masked = masked or bytearray(octets)
            masked[start:end] = b"x" * (end - start)
        else:
            spans += _issued(text, start, end)
        start = runs.find(_LONG, end)
    if ":AA" in text:
        spans += ((*found.span(), "api_key") for found in COLON.finditer(text))
    if "1//0" in text:
        spans += ((*found.span(), "api_key") for found in REFRESH.finditer(text))
    if "hook" in text:
        spans += ((*found.span(), "api_key") for found in WEBHOOK.finditer(text))
    if "$" in text or "|" in text or "~" in text or "!A" in text or "1/1" in text or "2/1" in text:
        spans += _marked(text)
    return bytes(masked) if masked else octets


def _marked(text: str) -> Iterator[Span]:
    """Keys that hold marks which other keys do not."""
    for mark, form in MARKED:
        if mark in text:
            for found in form.finditer(text):
                yield (*found.span(), "api_key")


def _issued(text: str, start: int, end: int) -> Iterator[Span]:
    """Keys that begin inside a run of letters, digits and marks: at its start or after a mark."""
    place, known = start, False
    while True:
        forms = BY_START.get(text[place : place + 2])
        found = forms.match(text, place) if forms else None
        if found:
            known = True
            yield (*found.span(), "private_key" if found[0].startswith("AGE-") else "api_key")
            place = found.end() - 1
        edge = _EDGE.search(text, place, end)
        if edge is None or edge.end() > end - 12:
            break
        place = edge.end()
    if known:
        return
    if end - start > 24 and text[end - 20 : end - 1].isalnum() and not text[start : start + 20].isalnum():
        found = UNNAMED.match(text, start, end) or KEYED.match(text, start, end)
        if found:
            yield (*found.span(), "api_key")
    if (
        text.find("-us", start, end) >= 0
        or (end - start > 50 and text.count(".", start, end) > 1)
        or text[end - 4 : end] in ENDS
    ):
        yield from ((*found.span(), "api_key") for found in TAILED.finditer(text, start, end))


def web_tokens(text: str) -> Iterator[Span]:
    """JSON web tokens, signed, encrypted or neither (RFC 7519, RFC 7516)."""
    place = text.find("eyJ")
    while place >= 0:
        head = _HEAD.match(text, place)
        end = head.end() if head else place + 3
        parts = _PARTS.match(text, end) if head else None
        if parts:
            end = parts.end()
            yield place, end, "jwt"
        place = text.find("eyJ", end)


def wordpress(text: str) -> Iterator[Span]:
    """Cookies of WordPress: the user's name, a time and two codes, under a name that ends in a hash."""
    for found in _WORDPRESS.finditer(text):
        yield (*found.span(1), "cookie")


def password_hashes(text: str) -> Iterator[Span]:
    """Password hashes in the formats of crypt(3), LDAP, argon2 and Django."""
    for found in _HASHED.finditer(text):
        yield (*found.span(), "secret")


def schemes(text: str, lower: str) -> Iterator[Span]:
    """Credentials after the name of their scheme (RFC 9110, 11.4), wherever they stand."""
    for scheme in _SCHEMES:
        place = lower.find(scheme)
        while place >= 0:
            end = place + len(scheme)
            found = _VALUE.match(text, end)
            if found:
                value = found[1].rstrip(".:")
                if _is_basic(value) if scheme == "basic" else _is_bearer(value):
                    yield found.start(1), found.start(1) + len(value), "credential"
            place = lower.find(scheme, end)


def _is_bearer(value: str) -> bool:
    if not any(map(str.isdigit, value)):
        return len(value) >= 20 and value.lower() != value
    return (len(value) >= 16 or (len(value) >= 8 and "/" not in value)) and "=" not in value[:-2]


def _is_basic(value: str) -> bool:
    try:
        return b":" in base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
