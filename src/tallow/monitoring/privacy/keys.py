"""What a key says about its value: ``X-Api-Key``, ``userPassword`` and ``room_code`` in any spelling.

A key counts by its last words, so that ``password_reset_requested``, ``token_count`` and
``auth_failures_total`` keep their values.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tallow.monitoring.privacy import key_names as names
from tallow.monitoring.privacy.words import words


class Key(NamedTuple):
    """What a key holds, and how sure that is.

    Attributes:
        kind: of the private data; empty for a key whose value is no more private than any text.
        trust: ``any`` value is private; ``token``: any but counts and durations; ``name``: any but numbers,
            UUIDs and the names of system accounts; ``opaque``: a long value made by a machine; ``random``:
            one that is no checksum or identifier either; ``strong``: only one of mixed letters and digits;
            ``place``: what reads like a place; ``file``: what reads like a file's name; ``plain``: what any
            text is; ``vouched``: the same, but ``1.2.3.4`` is a version.
    """

    kind: str
    trust: str


def _table() -> dict[str, Key]:
    table: dict[str, Key] = {}
    levels = (
        ("random", names.RANDOM),
        ("opaque", names.OPAQUE),
        ("name", names.NAME),
        ("token", names.TOKEN),
    )
    for trust, kinds in (*levels, ("any", names.ANY)):
        table |= {name: Key(kind, trust) for kind, members in kinds.items() for name in members}
    table |= dict.fromkeys(names.PLACE, Key("geo", "place"))
    table |= dict.fromkeys(names.FILES, Key("file_name", "file"))
    table |= dict.fromkeys(names.HARMLESS, Key("", "plain"))
    return table | dict.fromkeys(names.VOUCHED, Key("", "vouched"))


_TABLE: Final = _table()
_SPELLED: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\W_]+")
_ALONE: Final = frozenset({"code", "state", "nonce", "hash", "k", "d", "p", "q", "key"})
_DOUBTFUL: Final = frozenset(
    {
        "hash",
        "nonce",
        "salt",
        "state",
        "d",
        "p",
        "q",
        "k",
        "long",
        "account",
        "mail",
        "pw",
        "bearer",
        "position",
    }
)
_COMPOUND: Final = words(
    "password passwd passphrase passwort pwd secret token apikey secretkey sessionid sessid cookie cookies"
)


def _endings() -> tuple[frozenset[str], frozenset[str]]:
    known = {*_TABLE, *names.TAILS, *_COMPOUND, "key", "keys", "code", "codes", "in", "id"} - names.VOUCHED
    return frozenset(name[-3:] for name in known), frozenset(name for name in known if len(name) == 2)


ENDINGS, SHORT_ENDINGS = _endings()
"""What private keys end with: their last three letters, and those that have but two."""
_LIMIT: Final = 100
"""No key is longer than this many characters; what is, is text."""


def classify(name: str) -> Key | None:
    """What a key of this name holds, or None if nothing private."""
    if not name or len(name) > _LIMIT:
        return None
    parts = [word.lower() for word in _SPELLED.split(name) if word]
    while len(parts) > 1 and parts[-1].isdigit():
        parts.pop()
    if not parts:
        return None
    parts[-1] = parts[-1].rstrip("0123456789") or parts[-1]
    while len(parts) > 1 and parts[-1] in names.TAILS and (parts[-1] != "hash" or parts[-2] in names.BEARERS):
        parts.pop()
    for count in (4, 3, 2, 1):
        key = _TABLE.get("".join(parts[-count:])) if len(parts) >= count else None
        if key is not None:
            return _qualified(key, parts, count)
    return _compound(parts)


def _qualified(key: Key, words: list[str], count: int) -> Key | None:  # noqa: PLR0911 - cases
    """The same key seen with the word before it: ``api_key`` and ``cache_key`` both end in ``key``."""
    last = words[-1]
    if count > 1 or (len(words) == 1 and last in _ALONE):
        return key
    before = words[-2] if len(words) > 1 else ""
    if last in {"secret", "secrets"} and before in names.SECRET_REFERENCES:
        return Key("secret", "strong")
    if last in {"key", "code"} and before:
        return _key(before) if last == "key" else _code(before)
    if last in _DOUBTFUL:
        return key if before in names.BEARERS or (len(words) == 1 and last in {"mail", "pw"}) else None
    if last in {"pass", "pin"} and before in {"first", "second", "test", "gpio"}:
        return None
    if last in {"mac", "city", "login"} and before in {"h", "velo", "os", *names.MAIL_PROGRAMS}:
        return None
    if key.trust in {"place", "file"} and before in {
        "memory",
        "module",
        "base",
        "bind",
        "log",
        "pid",
        "lock",
    }:
        return None
    return key


def _key(before: str) -> Key | None:
    if before in names.KEY_OWNERS:
        return Key("api_key" if before in {"api", "access"} else "secret", "token")
    if before in {"routing", "license", "sas", "user", "x", "pair"}:
        return Key("secret", "opaque")
    return None if before in names.PLAIN_KEYS else Key("secret", "strong")


def _code(before: str) -> Key | None:
    if before in names.ROOM_CODES:
        return Key("room_code", "any")
    return Key("secret", "any") if before in names.SECRET_CODES else None


_SESSIONS: Final = frozenset({("session", "id"), ("logged", "in"), ("sess", "id"), ("aspnetcore", "cookies")})


def _compound(words: list[str]) -> Key | None:
    """Words run together: ``PGPASSWORD``, ``authtoken``, ``dbpwd``; cookies of frameworks."""
    last = words[-1]
    if last.endswith(("password", "passwd", "passphrase", "passwort", "pwd")):
        return Key("secret", "any")
    if last.endswith(("secret", "token", "apikey", "secretkey")):
        return Key("secret", "token")
    if last.endswith(("sessionid", "sessid", "cookie")) or last.startswith("aspsessionid"):
        return Key("cookie", "any")
    if len(words) > 1 and (words[-2], last) in _SESSIONS:
        return Key("cookie", "token")
    return None
