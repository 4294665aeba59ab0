"""What a PERSONAL key may ask its value, by the name that the key table gives it.

A check is given a text, or a number as text, and says whether that is private.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Final

from tallow.monitoring.privacy.words import ACCOUNTS, STATUS_WORDS, words

Check = Callable[[str], bool]

UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,20}(?:[.,][0-9]{1,20})?%?")
_SMALL: Final = re.compile(r"[-+]?[0-9]{1,3}(?:\.[0-9]{1,20})?%?")
_MEASURE: Final = re.compile(r"[0-9.]{1,12} ?(?:[mµun]?s|m|h|px|%)")
_MAC: Final = re.compile(r"(?=.*[0-9])[0-9A-Fa-f:.\- ]{12,23}")
_RANDOM: Final = re.compile(r"[A-Za-z0-9_\-+/=.~%:|]{16,}")
_IDENTIFIER_OR_PATH: Final = re.compile(rf"{UUID.pattern}|[0-9a-fA-F]+|.*/.+")
_ROOM: Final = re.compile(
    r"(?=[A-Z-]*[0-9])[A-Z0-9]{6,12}|[A-Z0-9]{4}(?:-[A-Z0-9]{4}){1,3}|[0-9]{1,3}(?:-[a-z]{3,}){2,3}"
)
_VERSION: Final = re.compile(r"[\w+.~^<>=! -]{1,40}")
_POINT: Final = re.compile(r"\s*[(\[]?[-+]?[0-9]{1,3}\.[0-9]+\s?[,; ]\s?[-+]?[0-9]{1,3}\.[0-9]+[)\]]?\s*")
_PLACE: Final = re.compile(
    r"(?=[^\n]*[0-9])(?=[^\n]*[^\W\d_]{3})[^\s:/=]{1,40}(?:[ ,]{1,3}[^\s:/=]{1,40}){1,12}"
    r"|[A-Z][\w.'-]{1,40}(?:,? +[A-Z][\w.'-]{1,40}){1,8}"
)
_FILE: Final = re.compile(r"(?!\.{1,2}[/\\])[^/\\\n][^\n]{0,250}\.[A-Za-z][A-Za-z0-9]{1,4}")
SOURCE_FILE: Final = re.compile(
    r"[^\n]{0,400}\.(?:pyx?|pyi|pyc|[jt]sx?|mjs|cjs|go|rs|java|kt|rb|c|cc|cpp|h|hpp|cs|php|so|ex|exs|scala|swift|vue"
    r"|html?|css|sql|toml|ya?ml|conf|cfg|ini|lock|log|sock|pid|sh|whl|map|wasm|dll|exe|service|pem|crt|key|json|xml)"
    r"(?::[0-9]+)*|<[\w ]+>"
)
"""The name of a file of a program's, also with a line behind it."""
_SCHEMES: Final = words(
    "bearer basic digest negotiate ntlm oauth oauth2 apikey kerberos scram plain login tls"
)
OWN: Final = ("127.", "0.0.0.0", "localhost", "[::1]", "[::]")
"""How the machine's own addresses begin."""


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _is_address(text: str) -> bool:
    own = text.startswith(OWN) or text in {"::1", "::"}
    return not own and ("." in text or ":" in text) and _digits(text) > 0


def _is_account(text: str) -> bool:
    plain = UUID.fullmatch(text) or _NUMBER.fullmatch(text) or text.lower() in ACCOUNTS
    return not plain and text.lower() not in STATUS_WORDS and text[0] not in "/{[(<%$*-?:"


def is_random(text: str) -> bool:
    """Whether a value looks random: long and mixed, but no UUID, checksum, path or number."""
    if not _RANDOM.fullmatch(text) or _IDENTIFIER_OR_PATH.fullmatch(text):
        return False
    upper, lower, digits = text.lower() != text, text.upper() != text, _digits(text)
    if "." in text or ":" in text:
        return digits > 2 and upper and lower
    return digits >= 2 or (digits == 1 and upper and lower)


def _is_file(text: str) -> bool:
    return _FILE.fullmatch(text) is not None and "://" not in text and SOURCE_FILE.fullmatch(text) is None


def is_network_address(text: str) -> bool:
    """Whether a text is an address of version 4 or 6, as :mod:`ipaddress` reads it."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


CHECKS: Final[dict[str, tuple[Check, str]]] = {
    "not-a-count": (lambda text: not _NUMBER.fullmatch(text), "everything but a number"),
    "not-a-small-number": (lambda text: not _SMALL.fullmatch(text), "everything but a number below 1000"),
    "not-a-status": (
        lambda text: text.lower() not in STATUS_WORDS and text.lower() not in _SCHEMES,
        "everything but one of the status words or the name of a scheme",
    ),
    "not-an-address": (lambda text: "://" not in text, "everything without `://`"),
    "not-a-measure": (
        lambda text: _digits(text) > 0 and not _MEASURE.fullmatch(text),
        "what has a digit and is no number with a unit",
    ),
    "random": (is_random, "16 or more mixed characters that are no UUID, checksum or path"),
    "e-mail-address": (lambda text: "@" in text or "%40" in text, "what has an @"),
    "phone-number": (lambda text: _digits(text) >= 4, "at least four digits"),
    "network-address": (_is_address, "digits with dots or colons, not the machine's own address"),
    "hardware-address": (
        lambda text: _MAC.fullmatch(text) is not None,
        "12 to 23 hexadecimal digits and marks",
    ),
    "postal-code": (lambda text: _digits(text) >= 5 and "." not in text, "at least five digits"),
    "place-name": (
        lambda text: (_POINT.fullmatch(text) or _PLACE.fullmatch(text)) is not None,
        "words with a number among them, several capitalised words, or a pair of coordinates",
    ),
    "file-name": (_is_file, "a name with an extension that is none of source code or configuration"),
    "room-code": (
        lambda text: _ROOM.fullmatch(text) is not None,
        "capitals and digits, or a number and words",
    ),
    "personal-account": (_is_account, "no number, UUID, status word or account of a system"),
    "version": (lambda text: _VERSION.fullmatch(text) is not None, "a version, which stays as it is"),
    "number": (lambda text: _NUMBER.fullmatch(text) is not None, "a number, which stays as it is"),
}
"""Checks by name: the function, and what it takes for private."""
