"""Whether a value that stands under a private key is private itself, or a word, a count, a place-holder."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from tallow.monitoring.privacy.holders import is_holder
from tallow.monitoring.privacy.keys import Key
from tallow.monitoring.privacy.words import ACCOUNTS, PROSE

SCHEME: Final = re.compile(
    r"(?:Bearer|Basic|Token|ApiKey|Api-Key|Negotiate|NTLM|Splunk|GenieKey|Key|OAuth2?|Digest|SharedKey|Hawk|Signature"
    r"|AWS4-HMAC-SHA256)\s+(?=\S)",
    re.IGNORECASE,
)
"""The name of an authorization scheme before its credentials (RFC 9110, 11.4)."""

_ISSUE: Final = re.compile(r"[A-Z][A-Z0-9]{1,9}-\d{1,6}")
"""The number of a ticket in an issue tracker."""
_MAC: Final = re.compile(r"[0-9A-Fa-f:.\- ]{12,23}")
_CODE: Final = re.compile(r"[A-Z0-9]{4}(?:-[A-Z0-9]{4}){1,3}")
_MEASURED: Final = re.compile(r"\d{1,9}(?:\.\d{1,9})? ?(?:[mµun]?s|m|h|px|%)")
_NUMBER: Final = re.compile(r"[-+]?\d{1,5}(?:\.\d{1,6})?%?")
_PLAIN: Final = re.compile(
    r"[-+]?\d+(?:[.,:]\d+)*(?:\s?(?:[nmuµ]?s|min|h|d|[KMGT]?i?B|bytes|seconds|%))?"
    r"|\d{4}-\d\d-\d\dT[\d:.+\-Z]*|0x[0-9a-fA-F]+"
)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_ID: Final = re.compile(_UUID.pattern + r"|\d+|[0-9a-fA-F]{32}|\d{1,9}[:/].*|\d+[:/]\d*", re.DOTALL)
_VERSION: Final = re.compile(
    r"[v^~=<>! ]{0,4}\d{1,5}(?:\.\d{1,5}){1,3}"
    r"(?:[-.+]?(?:rc|a|b|alpha|beta|dev|post|next|canary)[\w.-]{0,20})?"
)
_NAME: Final = re.compile(r"[a-z]+(?:[-_][a-z]+)*")
_HASHED: Final = re.compile(r"[A-Za-z][\w.]*(?:[-_][\w.]+)*[-:](?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})")
"""Words and the checksum of what they name: the key of a cache."""
_HEX: Final = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_\-+/=.~%:|]{6,}")
_OPAQUE: Final = re.compile(r"(?:sha256=|sha1=|v1=|t=)?[A-Za-z0-9_\-+/=.~%]{16,}")
_STRONG: Final = re.compile(r"[A-Za-z0-9_\-+/=]{20,}")
_SOURCE: Final = re.compile(
    r".*\.(?:pyx?|pyi|pyc|[jt]sx?|mjs|cjs|go|rs|java|kt|rb|c|cc|cpp|h|hpp|cs|php|so|ex|exs|scala|swift|vue|html?"
    r"|css|sql|toml|ya?ml|conf|cfg|ini|lock|log|sock|pid|sh|whl|map|wasm|dll|exe|service)(?::\d+)*|<[\w ]+>",
    re.DOTALL,
)
_PAIR: Final = re.compile(r"\s*[(\[]?[-+]?\d{1,3}\.\d+\s?[,; ]\s?[-+]?\d{1,3}\.\d+[)\]]?\s*")
_PLACE: Final = re.compile(
    r"(?=[^\n]*\d)(?=[^\n]*[^\W\d_]{3})[^\s:/=]+(?:[ ,]+[^\s:/=]+)+|[A-Z][\w.'-]+(?:,? +[A-Z][\w.'-]+)+"
)
_FILE: Final = re.compile(r"(?!\.{1,2}[/\\])[^/\\\n].{0,250}\.[A-Za-z][A-Za-z0-9]{1,4}", re.DOTALL)


def is_private(key: Key, value: str, name: str = "") -> bool:
    """Whether ``value`` is private, standing under ``key`` (called ``name``)."""
    text = value.strip()
    if text.lower() in PROSE or not text or is_holder(text):
        return False
    return _CHECKS[key.trust](key.kind, text, name.lower())


def _any(kind: str, text: str, name: str) -> bool:
    if kind == "credential" and (scheme := SCHEME.match(text)):
        rest = text[scheme.end() :].strip()
        return bool(rest) and rest.lower() not in PROSE and not is_holder(rest)
    if kind == "file_name" and _SOURCE.fullmatch(text):
        return name not in {"filename", "basename"}
    if (kind == "geo" and _MEASURED.fullmatch(text)) or (
        kind in _KEPT_AS and text.count(".") > 1 and is_version(text)
    ):
        return False  # lat=12ms is a latency, cookie: 0.6.0 a package
    if name in {"pwd", "oldpwd"} and text.startswith(("/", "~")):
        return False
    if name in {"pass", "mobile", "tel", "cell", "pw", "zip", "long", "city"} and _NUMBER.fullmatch(text):
        return (kind == "geo" and name != "long") or "." in text
    return _SHAPED.get(kind, _anything)(text)


def _anything(_text: str) -> bool:
    return True


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _address(text: str) -> bool:
    return (_has_digit(text) or ":" in text) and not is_own(text)


def _at(text: str) -> bool:
    return "@" in text or "%40" in text


def _digits(text: str) -> bool:
    return sum(map(str.isdigit, text)) >= 4


_SHAPED: Final[dict[str, Callable[[str], bool]]] = {
    "phone": _digits,
    "mac": lambda text: _MAC.fullmatch(text) is not None,
    "card": _digits,
    "iban": lambda text: _has_digit(text) or text.isupper(),
    "ssn": _digits,
    "email": _at,
    "ip": _address,
}


_KEPT_AS: Final = frozenset({"secret", "cookie", "credential"})
"""Kinds whose names packages have too: ``"cookie": "^0.6.0"`` is the version of one."""


def is_version(text: str) -> bool:
    """Whether a text is a version, or a range of them, as packages are asked for."""
    return _VERSION.fullmatch(text) is not None


def is_own(text: str) -> bool:
    """Whether an address is the machine's own: loopback or unspecified, with a port or without."""
    return text.startswith(("127.", "0.0.0.0", "localhost", "[::1]", "[::]")) or text in {"::1", "::"}


def _token(_kind: str, text: str, name: str) -> bool:
    if name.endswith("s") and _NAME.fullmatch(text):
        return False  # secrets and tokens in the plural are often names of them
    return not _PLAIN.fullmatch(text) or len(text) > 30 or (len(text) > 5 and text.isdigit())


def _named(_kind: str, text: str, _name: str) -> bool:
    return not (_ID.fullmatch(text) or text.lower() in ACCOUNTS or text[0] in "/{[(<")


def _opaque(_kind: str, text: str, _name: str) -> bool:
    made = _OPAQUE.fullmatch(text) is not None and _has_digit(text) and not _UUID.fullmatch(text)
    return (made and not _PLAIN.fullmatch(text)) or (is_random(text) and not _ISSUE.fullmatch(text))


def _strong(_kind: str, text: str, _name: str) -> bool:
    return is_strong(text)


def _place(_kind: str, text: str, _name: str) -> bool:
    return (_PAIR.fullmatch(text) or _PLACE.fullmatch(text)) is not None


def _file(_kind: str, text: str, _name: str) -> bool:
    return _FILE.fullmatch(text) is not None and _SOURCE.fullmatch(text) is None and "://" not in text


def _random(kind: str, text: str, _name: str) -> bool:
    return is_random(text) or (kind == "room_code" and _CODE.fullmatch(text) is not None)


_CHECKS: Final[dict[str, Callable[[str, str, str], bool]]] = {
    "any": _any,
    "token": _token,
    "name": _named,
    "opaque": _opaque,
    "random": _random,
    "strong": _strong,
    "place": _place,
    "file": _file,
    "vouched": lambda _kind, _text, _name: False,
}


def is_strong(text: str) -> bool:
    """Whether a value is long, of small letters, capitals and digits: no word, identifier or checksum."""
    if (
        _STRONG.fullmatch(text) is None
        or _UUID.fullmatch(text)
        or ("/" in text and text[0] in "/.")
        or _HASHED.fullmatch(text)
    ):
        return False
    return text.lower() != text != text.upper() and sum(map(str.isdigit, text)) >= 2


def is_random(text: str) -> bool:  # noqa: PLR0911 - a table of cases
    """Whether a value looks made by a machine: mixed letters and digits, and nothing an operator reads."""
    if not _TOKEN.fullmatch(text) or _PLAIN.fullmatch(text) or _ID.fullmatch(text):
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
        return upper and lower and len(text) >= 20 and "_" not in text and "-" not in text
    return digits >= 2 or (upper and len(text) >= 6)


def is_chosen(text: str) -> bool:
    """Whether a word looks like a password somebody chose: letters and digits or signs, not a plain word."""
    if len(text) < 6 or _PLAIN.fullmatch(text) or _UUID.fullmatch(text) or "://" in text or text[0] in "/.<":
        return False
    letters = any(map(str.isalpha, text))
    return letters and _has_digit(text) and not _SOURCE.fullmatch(text) and "()" not in text
