"""Whether a value that stands under a private key is private itself, or a word, a count, a place-holder."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from tallow.monitoring.privacy.holders import is_holder
from tallow.monitoring.privacy.keys import Key
from tallow.monitoring.privacy.looks import ID, PLAIN, SOURCE, UUID, is_random, is_strong, is_version
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
_NAME: Final = re.compile(r"[a-z]+(?:[-_][a-z]+)*")
_OPAQUE: Final = re.compile(r"(?:sha256=|sha1=|v1=|t=)?[A-Za-z0-9_\-+/=.~%]{16,}")
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
    if kind == "file_name" and SOURCE.fullmatch(text):
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


def is_own(text: str) -> bool:
    """Whether an address is the machine's own: loopback or unspecified, with a port or without."""
    return text.startswith(("127.", "0.0.0.0", "localhost", "[::1]", "[::]")) or text in {"::1", "::"}


def _token(_kind: str, text: str, name: str) -> bool:
    if name.endswith("s") and "pass" not in name and _NAME.fullmatch(text):
        return False  # secrets and tokens in the plural are often names of them
    return not PLAIN.fullmatch(text) or len(text) > 30 or (len(text) > 5 and text.isdigit())


def _named(_kind: str, text: str, _name: str) -> bool:
    return not (ID.fullmatch(text) or text.lower() in ACCOUNTS or text[0] in "/{[(<")


def _opaque(_kind: str, text: str, _name: str) -> bool:
    made = _OPAQUE.fullmatch(text) is not None and _has_digit(text) and not UUID.fullmatch(text)
    return (made and not PLAIN.fullmatch(text)) or (is_random(text) and not _ISSUE.fullmatch(text))


def _strong(_kind: str, text: str, _name: str) -> bool:
    return is_strong(text)


def _place(_kind: str, text: str, _name: str) -> bool:
    return (_PAIR.fullmatch(text) or _PLACE.fullmatch(text)) is not None


def _file(_kind: str, text: str, _name: str) -> bool:
    return _FILE.fullmatch(text) is not None and SOURCE.fullmatch(text) is None and "://" not in text


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
    "plain": lambda _kind, _text, _name: False,
    "vouched": lambda _kind, _text, _name: False,
}
