"""The rules over one text, behind the cheap questions that spare most texts most rules.

The questions are string methods written in C: is a character there, how often, and does the text hold a run
of digits or of word characters long enough. A rule runs only if its question says that it can find something.
"""

from __future__ import annotations

import re
from typing import Final

from tallow.monitoring.privacy import (
    assignments,
    emails,
    links,
    mentions,
    network,
    notations,
    numbers,
    places,
    tokens,
)
from tallow.monitoring.privacy.assignments import Classify
from tallow.monitoring.privacy.spans import Span, merged
from tallow.monitoring.privacy.views import views
from tallow.monitoring.privacy.words import words

_KNOWN: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}|(?=\d*[a-f])[0-9a-f]{16}|[0-9a-f]{40}"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?|\d{1,7}"
)
_LETTERS: Final = bytes(range(65, 91)) + bytes(range(97, 123))
_PLAIN: Final = b" ,;!_." + _LETTERS
_BETWEEN_DIGITS: Final = b" -()/"
_LONG: Final = b"w" * 16
_SEVEN, _NINE, _TEN, _THIRTEEN = (b"0" * count for count in (7, 9, 10, 13))


def _table(**kinds: bytes) -> bytes:
    """A table for ``bytes.translate``: the octets of each kind become its letter, all others a space."""
    letters = {octet: ord(letter[-1]) for letter, octets in kinds.items() for octet in octets}
    return bytes(letters.get(octet, 32) for octet in range(256))


_WORDS: Final = _table(w=_LETTERS + b"0123456789_-.")
"""What names and keys are made of."""
_DIGITS: Final = _table(_0=b"0123456789")
_GROUPS: Final = _table(_0=b"0123456789", a=_LETTERS, _=b" .-/()")
"""Digits, letters, and what stands between groups of digits."""


_CONFIGURES: Final = words("ENV ARG Set set fas uws pro add Req htt Hea grp")
"""What a line begins with that sets a variable or a header."""
_SPACES: Final = (0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
_FOLDED: Final = {**dict.fromkeys(_SPACES, " "), **{code + 0xFEE0: chr(code) for code in range(0x21, 0x7F)}}
"""Other spaces, and the full-width forms of ASCII, as ASCII: a character for each, so that places agree."""


def find(text: str, classify: Classify, *, versioned: bool = False) -> list[Span]:
    """The private spans of a text, in order, none overlapping.

    Args:
        text: no longer than the caller can wait for; time is linear in it.
        classify: tells what a key holds.
        versioned: the text stands under a key that vouches for it, so ``1.2.3.4`` is no address.
    """
    if len(text) <= 40 and text[0] in "0123456789abcdef" and _KNOWN.fullmatch(text):
        return []
    if not text.isascii():
        text = text.translate(_FOLDED)
    spans = _rules(text, classify, versioned)
    if "%" in text or "\\" in text or "&" in text or "\x1b" in text or "=40" in text or "=3D" in text:
        for view in views(text):
            spans += view.back(_rules(view.text.translate(_FOLDED), classify, versioned))
    return merged(spans) if spans else spans


def _rules(text: str, classify: Classify, versioned: bool) -> list[Span]:
    spans: list[Span] = []
    octets = text.encode("ascii", "replace")  # one for each character, so that places agree
    runs = octets.translate(_WORDS)
    long = runs.find(_LONG)
    if long >= 0:
        octets = tokens.provider_keys(text, octets, runs, long, spans)
        if "eyJ" in text:
            spans += tokens.web_tokens(text)
        if "_logged_in_" in text:
            spans += tokens.wordpress(text)
    marks = octets.translate(None, _PLAIN)
    if not marks:
        if long >= 0 and " " in text:  # words may say of an identifier that it is a secret
            _about_words(text, text.lower(), classify, spans)
        return spans  # words and nothing else
    marks = marks.translate(None, b"0123456789/-")
    groups = octets.translate(_GROUPS)
    numeric = b"0" in groups
    if numeric:
        _about_numbers(text, octets, groups, spans, versioned)
    quoted = bool(marks) and _about_marks(text, classify, spans)
    lower = text.lower()
    if "/" in text or "\\" in text:
        _about_paths(text, lower, long, spans)
    if (" " in text and (numeric or long >= 0 or "ode " in text or "ode: " in text)) or quoted or "(" in text:
        _about_words(text, lower, classify, spans)
    if "-" in text:
        _about_hyphens(text, quoted, classify, spans)
    return spans


def _about_keys(text: str, classify: Classify, spans: list[Span]) -> None:
    if "@" in text:
        taken = links.userinfo(text) if ":" in text else []
        spans += taken
        spans += emails.emails(text, {end for _, end, _ in taken})
    if "=" in text or ":" in text or "->" in text or "→" in text:
        spans += assignments.assigned(text, classify)
        if "::" in text or text.count(":") > 4:
            spans += network.ipv6(text)


def _about_numbers(text: str, octets: bytes, groups: bytes, spans: list[Span], versioned: bool) -> None:
    together = octets.translate(_DIGITS, _BETWEEN_DIGITS) if groups.count(b"0") > 6 else b""
    if together and (_SEVEN in together or b"000_000_0000" in groups or b"00_00_00_00" in groups):
        if _THIRTEEN in together:
            spans += numbers.cards(text)
        if b"aa00" in groups:
            spans += numbers.accounts(text)
        spans += numbers.phones(text, groups)
        if _NINE in together and text.count("-") > 1:
            spans += numbers.social_security(text)
        spans += numbers.called(text)
    dots = text.count(".")
    if dots > 1:
        if dots > 2 and not versioned:
            spans += network.ipv4(text)
            if dots > 3:
                spans += network.ported(text)
        if groups.count(b"_0000") > 1:
            spans += places.coordinates(text)
    if dots == 2 or (":" in text and text.count(":") > 4) or ("-" in text and text.count("-") > 4):
        spans += network.macs(text)


def _about_paths(text: str, lower: str, long: int, spans: list[Span]) -> None:
    if "home" in lower or "users" in lower or "profiles" in lower or "documents and" in lower:
        spans += places.homes(text)
    if "/" in text:
        spans += links.shared(text)
        if "://" in text:
            spans += links.hosted(text)
        if "~" in text:
            spans += places.tildes(text)
        if "#" in text and long >= 0:
            spans += links.fragments(text)
    if "?" in text or "&" in text:
        spans += links.queried(text)


def _about_words(text: str, lower: str, classify: Classify, spans: list[Span]) -> None:
    if (
        "pass" in lower
        or "token" in lower
        or "secret" in lower
        or "key" in lower
        or "code" in lower
        or "sess" in lower
        or "cookie" in lower
        or "pin" in lower
        or "otp" in lower
        or "identif" in lower
        or "room " in lower
    ):
        spans += mentions.mentioned(text, lower)
    if (
        "auth" in lower
        or "token" in lower
        or "key" in lower
        or "bearer" in lower
        or "basic" in lower
        or "splunk" in lower
    ):
        spans += tokens.schemes(text, lower)
    if "user" in lower or " for " in lower or " login " in lower:
        spans += mentions.logins(text, lower)
    if "pass" in lower or "auth" in lower or "login" in lower or "inline" in lower or "334" in text:
        notations.spoken(text, spans)
    notations.words(text, lower, classify, spans)


def _about_hyphens(text: str, quoted: bool, classify: Classify, spans: list[Span]) -> None:
    notations.hyphens(text, classify, spans, quoted=quoted)
    if "PRIVATE KEY" in text or "PuTTY-User-Key" in text:
        spans += tokens.pem(text)


def _about_marks(text: str, classify: Classify, spans: list[Span]) -> bool:
    """What a text of more than words, numbers and paths can hold; whether there are quotes in it."""
    quoted = "'" in text or '"' in text or "`" in text
    _about_keys(text, classify, spans)
    if "$" in text or "{S" in text or "{M" in text or "{C" in text:
        spans += tokens.password_hashes(text)
    if quoted or "<" in text or "{" in text or ")=(" in text:
        notations.marks(text, classify, spans, quoted=quoted)
    if "\n" in text:
        notations.lines(text, classify, spans)
    elif text[:3] in _CONFIGURES:
        notations.line(text, classify, spans)
    return quoted
