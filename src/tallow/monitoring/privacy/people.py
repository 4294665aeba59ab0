"""Who somebody is and how to reach them: e-mail, telephone, social security, cards, accounts, homes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.spans import Span
from tallow.monitoring.privacy.validators import is_card, is_iban, is_international, is_ssn
from tallow.monitoring.privacy.values import _ACCOUNTS

_LOCAL: Final = re.compile(r"[\w.!#$&'*+^`{|}~-]{1,64}")
_DOMAIN: Final = re.compile(
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[\w-]{2,59}|[^\W\d_]{2,24})(?![\w-])"
)
_NO_DOMAIN: Final = frozenset(
    [
        "service",
        "socket",
        "timer",
        "target",
        "mount",
        "slice",
        "scope",
        "device",
        "png",
        "jpg",
        "jpeg",
        "svg",
        "webp",
        "gif",
        "prod",
        "staging",
    ]
)
_DIGITS: Final = re.compile(r"(?<![\dA-Za-z.])\d(?:[ -]?\d){12,18}(?![\d]|[.]\d)")
_IBAN: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_SSN: Final = re.compile(r"(?<![\d-])(\d{3})-(\d{2})-(\d{4})(?![\d-]*\d)")
_INTERNATIONAL: Final = re.compile(r"(?<![\w.+])(?:\+|00(?=[1-9]))\s?(\(?\d(?:[ ().\-/]{0,2}\d){7,14})(?!\d)")
_NATIONAL: Final = re.compile(
    r"(?<![\w.+\-/:])(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}(?![\w-]|\.\d)"
    r"|(?<![\w.+\-/:])\(?0[1-9]\d{1,3}\)?[ /-]\d{3,8}(?:[ -]\d{3,4}){0,2}(?![\w:-]|\.\d)"
    r"|(?<![\w.+\-/:])0[1-9](?:[ .-]\d{2}){4}(?![\w:-])"
)
_CALLED: Final = re.compile(
    r"\b(?:phone|tel|telephone|mobile|cell|sms|call|fax|whatsapp)(?: (?:number|to|at|no\.?))?[ :=]{1,3}"
    r"(\(?\d(?:[ ().-]{0,2}\d){6,14})(?![\w])",
    re.IGNORECASE,
)
_DATE: Final = re.compile(r"\d{1,2}[-/]\d{1,2}[-/]\d{4}|\d{4}[-/]\d\d[-/]\d\d")
_UNIT: Final = re.compile(r"\s?(?:[KMGT]?i?B|bytes|[nmuµ]?s|seconds|items|rows)\b")
_NUMBERED: Final = re.compile(
    r"(?:_id|Id|ID|[ _-]ns|seq|offset|time|ts|count|bytes|size|nonce)[\"']?[=: ]{1,3}$"
)
_HOME: Final = re.compile(
    r"(?:(?<![\w.])|(?<=file://))/(?:home|Users|var/home|mnt/c/Users"
    r"|export/home)/([^/\s\"'`:;,<>(){}|*?$\[\]]{1,64})"
    r"|[A-Za-z]:(?:\\{1,4}|/)(?:Users|Documents and Settings)(?:\\{1,4}|/)"
    r"([^\\/\s\"'`:;,<>|*?%\[\]]{1,64}(?: [^\\/\s\"':<>|*?\[\]]{1,30}){0,2}(?=[\\/])"
    r"|[^\\/\s\"'`:;,<>|*?%()\[\]]{1,64})"
    r"|\\\\{1,3}[\w.$-]{1,64}\\{1,4}(?:users|home|homes"
    r"|profiles)\$?\\{1,4}([^\\/\s\"'`:;,<>|*?\[\]]{1,64})",
    re.IGNORECASE,
)  # fmt: skip
_SHARED: Final = frozenset({"public", "shared", "default", "all users", "user", "username", "runner", "you"})


def emails(text: str) -> Iterator[Span]:
    """E-mail addresses (RFC 5321, RFC 6531). Looks 64 characters back from each ``@``, so time is
    linear."""
    at = text.find("@")
    while at >= 0:
        local = _LOCAL.match(text[max(0, at - 64) : at][::-1])
        domain = _DOMAIN.match(text, at + 1, at + 256)
        if domain and (local or text[at - 1 : at] == '"') and _is_domain(domain[0]):
            start = at - len(local[0]) if local else max(text.rfind('"', 0, at - 1), at - 66, 0)
            while start < at - 1 and text[start] in "'`{|&":
                start += 1
            if not (text[start:at] == "git" and text[domain.end() : domain.end() + 1] in ":/"):
                yield Span(start, domain.end(), "email")
        at = text.find("@", at + 1)


def _is_domain(domain: str) -> bool:
    labels, _, top = domain.rpartition(".")
    return top.lower() not in _NO_DOMAIN and any(char.isalpha() for char in labels)


def numbers(text: str) -> Iterator[Span]:
    """Cards, social security numbers and telephones: digits that pass their checks."""
    for found in _DIGITS.finditer(text):
        digits = re.sub(r"[ -]", "", found[0])
        before = text[max(0, found.start() - 16) : found.start()]
        if is_card(digits) and not _NUMBERED.search(before) and not _UNIT.match(text, found.end()):
            yield Span(*found.span(), "card")
    for found in _SSN.finditer(text):
        if is_ssn(*found.groups()):
            yield Span(*found.span(), "ssn")
    if "+" in text or "00" in text:
        for found in _INTERNATIONAL.finditer(text):
            digits = re.sub(r"\D", "", found[1])
            if is_international(digits) and not _UNIT.match(text, found.end()):
                yield Span(*found.span(), "phone")
    for found in _NATIONAL.finditer(text):
        count = sum(char.isdigit() for char in found[0])
        if 9 <= count <= 12 and not _DATE.match(found[0]):
            yield Span(*found.span(), "phone")
    for found in _CALLED.finditer(text):
        if not _UNIT.match(text, found.end()):
            yield Span(*found.span(1), "phone")


def accounts(text: str) -> Iterator[Span]:
    """Bank accounts (ISO 13616)."""
    for found in _IBAN.finditer(text):
        parts = found[0]
        while len(parts) >= 15:
            if is_iban(re.sub(r"[ -]", "", parts)):
                yield Span(found.start(), found.start() + len(parts), "iban")
                break
            parts = parts[:-1]


def homes(text: str) -> Iterator[Span]:
    """Names of users in paths to their homes: POSIX, Windows, UNC."""
    for found in _HOME.finditer(text):
        group = found.lastindex or 1
        name = found[group]
        known = name.lower() in _SHARED or name.lower() in _ACCOUNTS or name.isdigit()
        if not known:
            yield Span(*found.span(group), "path")
