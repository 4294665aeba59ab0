"""What a value looks like by itself: made by a machine, chosen by a person, a version."""

from __future__ import annotations

import re
from typing import Final

PLAIN: Final = re.compile(
    r"[-+]?\d+(?:[.,:]\d+)*(?:\s?(?:[nmuµ]?s|min|h|d|[KMGT]?i?B|bytes|seconds|%))?"
    r"|\d{4}-\d\d-\d\dT[\d:.+\-Z]*|0x[0-9a-fA-F]+"
)
"""A number, a measure, a time."""
UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
ID: Final = re.compile(UUID.pattern + r"|\d+|[0-9a-fA-F]{32}|\d{1,9}[:/].*|\d+[:/]\d*", re.DOTALL)
"""An identifier that says nothing about anybody."""
_VERSION: Final = re.compile(
    r"[v^~=<>! ]{0,4}\d{1,5}(?:\.\d{1,5}){1,3}"
    r"(?:[-.+]?(?:rc|a|b|alpha|beta|dev|post|next|canary)[\w.-]{0,20})?"
)
_HASHED: Final = re.compile(r"[A-Za-z][\w.]*(?:[-_][\w.]+)*[-:](?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})")
"""Words and the checksum of what they name: the key of a cache."""
_HEX: Final = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_\-+/=.~%:|]{6,}")
_STRONG: Final = re.compile(r"[A-Za-z0-9_\-+/=]{20,}")
SOURCE: Final = re.compile(
    r".*\.(?:pyx?|pyi|pyc|[jt]sx?|mjs|cjs|go|rs|java|kt|rb|c|cc|cpp|h|hpp|cs|php|so|ex|exs|scala|swift|vue|html?"
    r"|css|sql|toml|ya?ml|conf|cfg|ini|lock|log|sock|pid|sh|whl|map|wasm|dll|exe|service)(?::\d+)*|<[\w ]+>",
    re.DOTALL,
)
"""The name of a file of a program's."""


def is_strong(text: str) -> bool:
    """Whether a value is long, of small letters, capitals and digits: no word, identifier or checksum."""
    if (
        _STRONG.fullmatch(text) is None
        or UUID.fullmatch(text)
        or ("/" in text and text[0] in "/.")
        or _HASHED.fullmatch(text)
    ):
        return False
    return text.lower() != text != text.upper() and (sum(map(str.isdigit, text)) >= 2 or _is_scrambled(text))


def _is_scrambled(text: str) -> bool:
    """Whether capitals are about as many as small letters: in names of a program's they begin words."""
    capitals, small = sum(map(str.isupper, text)), sum(map(str.islower, text))
    return 3 * (capitals + small) <= 10 * capitals <= 7 * (capitals + small)


def is_random(text: str) -> bool:  # noqa: PLR0911 - a table of cases
    """Whether a value looks made by a machine: mixed letters and digits, and nothing an operator reads."""
    if not _TOKEN.fullmatch(text) or PLAIN.fullmatch(text) or ID.fullmatch(text):
        return False
    if _HASHED.fullmatch(text):
        return False
    if "/" in text[:-1] and not any(char in "+=" for char in text):
        return False
    if _HEX.fullmatch(text):
        return len(text) in {24, 48, 56, 96, 128}
    digits = sum(map(str.isdigit, text))
    if not any(map(str.isalpha, text)):
        return False
    upper, lower = text.lower() != text, text.upper() != text
    if "." in text or ":" in text:
        return len(text) >= 20 and digits >= 3 and upper and lower
    if not digits:
        return len(text) >= 20 and "_" not in text and "-" not in text and _is_scrambled(text)
    return digits >= 2 or (upper and len(text) >= 6)


def is_chosen(text: str) -> bool:
    """Whether a word looks like a password somebody chose: letters and digits or signs, not a plain word."""
    if len(text) < 6 or PLAIN.fullmatch(text) or UUID.fullmatch(text) or "://" in text or text[0] in "/.<":
        return False
    letters = any(map(str.isalpha, text))
    return letters and any(map(str.isdigit, text)) and not SOURCE.fullmatch(text) and "()" not in text


def is_version(text: str) -> bool:
    """Whether a text is a version, or a range of them, as packages are asked for."""
    return _VERSION.fullmatch(text) is not None
