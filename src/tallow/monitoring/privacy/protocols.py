"""Passwords in the commands of protocols: SMTP, POP3, IMAP, FTP, IRC, Redis, SQL and SDP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.looks import is_chosen
from tallow.monitoring.privacy.spans import Span
from tallow.monitoring.privacy.words import PROSE

_SASL: Final = re.compile(
    r"\bAUTH(?:ENTICATE)?[ :]{1,2}"
    r"\"?(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|CRAM-MD5|DIGEST-MD5|NTLM|SCRAM-SHA-\d+|GSSAPI|EXTERNAL)\"?"
    r"(?: |\r?\n[>C<: +-]{0,6})(?!PLAIN|LOGIN)([A-Za-z0-9+/]{8,4000}={0,2})(?![\w-])"
)
"""What is said to the server (RFC 4422, RFC 4954)."""
_PROMPTED: Final = re.compile(
    r"\b334[ -](?:[\w+/]{0,40}={0,2}|\S{0,40})\s{0,4}"
    r"\r?\n(?:[C>][:>]? ?|-> ?|<- ?)?([A-Za-z0-9+/]{4,400}={0,2})\r?$",
    re.MULTILINE,
)
_PASS: Final = re.compile(r"(?:^|[>:\n-] ?)PASS :?([^\s:]\S{2,200})(?=\r?$|\r?\n| \()", re.MULTILINE)
_TALKS: Final = ("USER ", "331", "+OK", "NICK ", "C: ", "ftp", "pop3", "irc", "FTP", "POP3", "IRC")
_LOGIN: Final = re.compile(
    r"(?:^|\s)[A-Za-z]{0,8}\.?\d{1,6} LOGIN"
    r" (\"[^\"\n]{1,200}\"|\S{1,200}) (\"[^\"\n]{1,200}\"|[^\s\"]{1,200})"
)
_IDENTIFY: Final = re.compile(
    r"\b(?:nickserv|ns|chanserv|q@\S{1,40})\b[ :]{1,3}(?:identify|auth|register|login)"
    r"\s(?:\S{1,40}\s)?(\S{4,200})",
    re.IGNORECASE,
)
_ACL: Final = re.compile(r"\bSETUSER\s\S{1,64}[^\n]{0,200}?\s>(\S{1,200})", re.IGNORECASE)
_IDENTIFIED: Final = re.compile(
    r"\bIDENTIFIED\s(?:WITH\s\S{1,60}\s)?(?:BY|AS)\s[\"']([^\"'\n]{1,200})", re.IGNORECASE
)
_CRYPTO: Final = re.compile(r"\binline:([A-Za-z0-9+/]{20,200}={0,2})")
"""Keys of media streams (RFC 4568)."""


def spoken(text: str) -> Iterator[Span]:
    """What a client says to prove who it is."""
    if "AUTH" in text:
        yield from _found(text, _SASL, "credential")
    if "334" in text:
        yield from _found(text, _PROMPTED, "secret")
    if "PASS " in text and any(talk in text for talk in _TALKS):
        for found in _PASS.finditer(text):
            if is_chosen(found[1]) or (not found[1].isalpha() and "/" not in found[1]):
                yield (*found.span(1), "secret")
    if " LOGIN " in text:
        for found in _LOGIN.finditer(text):
            yield (*found.span(1), "user")
            yield (*found.span(2), "secret")
    if "inline:" in text:
        yield from _found(text, _CRYPTO, "secret")


def commanded(text: str, lower: str) -> Iterator[Span]:
    """What services of chat and databases are told about accounts."""
    if "identify" in lower or "register" in lower:
        yield from _found(text, _IDENTIFY, "secret")
    if "setuser" in lower:
        yield from _found(text, _ACL, "secret")
    if "identified" in lower:
        yield from _found(text, _IDENTIFIED, "secret")


def _found(text: str, pattern: re.Pattern[str], kind: str) -> Iterator[Span]:
    for found in pattern.finditer(text):
        if found[1].lower() not in PROSE and found[1][0] not in "[<$*":
            yield (*found.span(1), kind)
