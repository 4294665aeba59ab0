"""Layer 1: what the name of a key says about its value. Nothing here looks at a value but a named check.

A name is split into words, at changes of case and at marks, and its last words decide: ``db_password``,
``X-Api-Key`` and ``totpSecret`` name secrets; ``password_attempts``, ``token_count`` and ``key_id`` name
facts about them. What the table does not know is neither secret nor personal.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Final

from tallow.monitoring.privacy.checks import CHECKS
from tallow.monitoring.privacy.model import Key, KeyRow
from tallow.monitoring.privacy.prefilter.name_endings import NameEndings, endings_of
from tallow.monitoring.privacy.tables import key_names as tables

LONGEST_NAME: Final = 100
"""Characters of a name that are read, its last ones."""
MOST_NAMES: Final = 4_096
"""Names whose meaning is remembered."""
_BREAK: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\W_]+")
_ENDINGS: Final = tuple((row, ending) for row, endings in tables.ENDINGS for ending in endings.split())
_MOST_WORDS: Final = 6
OWN_LOOK: Final = frozenset({"email", "ip", "mac"})
"""Kinds that detectors find in a text more exactly, with a port or a name beside them."""


def split(name: str) -> list[str]:
    """The words of a name, in lower case: ``X-Api-Key2`` is x, api, key."""
    words = [word.lower() for word in _BREAK.split(name[-LONGEST_NAME:]) if word]
    while len(words) > 1 and words[-1].isdigit():
        words.pop()
    if words:
        words[-1] = words[-1].rstrip("0123456789") or words[-1]
    return words


class Keys:
    """The key table as one scrubber uses it.

    Args:
        disable: ids of rows that are left out.
        extra: more secret names, and the kind of each: ``{"patient": "user"}``.
        keep: names that are neither secret nor personal here.

    Raises:
        ValueError: a kept name belongs to the SECRET table.
    """

    def __init__(
        self, disable: Iterable[str] = (), extra: Mapping[str, str] | None = None, keep: Iterable[str] = ()
    ) -> None:
        disabled = frozenset(disable)
        self._table: dict[str, Key] = {}
        self._found: dict[str, Key | None] = {}
        self._extra = dict(extra or {})
        for rows, secret in ((tables.PLAIN, False), (tables.PERSONAL, False), (tables.SECRET, True)):
            self._add([row for row in rows if row.enabled and row.id not in disabled], secret=secret)
        self._endings = self._secret_endings()
        for name in keep:
            self._keep(name)
        for name, kind in self._extra.items():
            self._put(name, Key("extra-key", kind, None, secret=True))

    def _add(self, rows: Iterable[KeyRow], *, secret: bool) -> None:
        for row in rows:
            key = _key(row, secret=secret)
            for name in row.names.split():
                self._put(name, key)

    def _secret_endings(self) -> tuple[tuple[str, Key], ...]:
        """The endings of joined words that name a secret, with their keys."""
        secrets = {key.id: key for key in self._table.values() if key.secret}
        return tuple((ending, secrets[id_]) for id_, ending in _ENDINGS if id_ in secrets)

    def _put(self, name: str, key: Key) -> None:
        self._table["".join(split(name))] = key

    def _keep(self, name: str) -> None:
        key = self.find(name)
        if key is not None and key.secret:
            raise ValueError(
                f"the key {name!r} cannot be kept: it names a secret; accepted: keys of the PERSONAL table"
            )
        self._found.clear()
        self._put(name, Key("kept-key", "", None, secret=False))

    def endings(self) -> NameEndings[str]:
        """How names end that make a value in a text private, for the prefilter."""
        return NameEndings(_endings_of_tables() | _endings(self._extra))

    def find(self, name: str) -> Key | None:
        """The table's row for a key of this name, or None."""
        try:
            return self._found[name]
        except KeyError:
            key = self._classify(name)
            if len(name) <= LONGEST_NAME:
                if len(self._found) >= MOST_NAMES:
                    self._found.clear()
                self._found[name] = key
            return key

    def _classify(self, name: str) -> Key | None:
        words = split(name)
        if len(words) > 1 and words[0] in tables.NOT_HOLDERS and " " not in name:
            return self._table.get("".join(words))
        key = self._by_last_words(words) or self._without_tails(words)
        return None if key is None or key.id in {"kept-key", "plain-name"} else key

    def _without_tails(self, words: list[str]) -> Key | None:
        """The row of a name without last words that do not change its meaning."""
        while len(words) > 1 and words[-1] in tables.TAILS:
            words = words[:-1]
            key = self._by_last_words(words)
            if key is not None:
                return key if key.secret else None
        return None

    def _by_last_words(self, words: list[str]) -> Key | None:
        """The row of the longest known ending of a name, whole words before words run together."""
        for first in range(max(0, len(words) - _MOST_WORDS), len(words)):
            key = self._table.get("".join(words[first:]))
            if key is not None:
                return key
        last = words[-1] if words else ""
        return next((key for ending, key in self._endings if last.endswith(ending) and len(last) > 3), None)


@functools.cache
def _endings_of_tables() -> frozenset[str]:
    rows = (row for row in (*tables.SECRET, *tables.PERSONAL) if row.kind not in OWN_LOOK)
    names = [*(name for row in rows for name in row.names.split()), *tables.TAILS]
    return _endings(names) | _endings(ending for _, ending in _ENDINGS)


def _endings(names: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(endings_of(split(name)) for name in names))


def _key(row: KeyRow, *, secret: bool) -> Key:
    return Key(row.id, row.kind, None if secret or not row.check else row.check, secret)


def is_private(key: Key, text: str) -> bool:
    """Whether a value under a key is private: always under a secret key, else if the key's check says so.

    A check is asked about what is inside quotes: the values of local variables come as their ``repr``.
    """
    if key.check is None:
        return bool(key.kind)
    inside = text.strip(" \t\r\n'\"")
    return bool(key.kind and inside) and CHECKS[key.check][0](inside)
