"""The scrubber: text or nested record in, the same shape out, nothing private left."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final, Protocol

from tallow.monitoring.privacy.keys import Key, classify
from tallow.monitoring.privacy.shapes import DIGITS, ID_SIZES, Shapes, is_id, is_word
from tallow.monitoring.privacy.shapes import LONGEST as LONGEST_SHAPE
from tallow.monitoring.privacy.spans import replaced
from tallow.monitoring.privacy.text import find
from tallow.monitoring.privacy.walk import DROPPED, SMALLEST_CARD, Walk

LONGEST: Final = 262_144
"""Characters of one text that are read; the rest is dropped."""
_CUT: Final = 4_096
"""How far before :data:`LONGEST` a gap is looked for, so that no value is cut in two."""
_REMEMBERED: Final = 4_096


class Counts(Protocol):
    """Counts redactions: :class:`tallow.monitoring.metrics.Metrics` does."""

    def record_redaction(self, kind: str, count: int = 1) -> None:
        """``count`` values of a kind were replaced."""


class Scrubber:
    """Replaces private values by their kind: ``[email]``. Safe to share between threads.

    What keys mean is remembered, a bounded number of them; values never are.

    Args:
        metrics: told of each redaction; None counts nowhere.
        hash_key: adds a keyed hash, ``[email:1f0c3a]``, so that equal values can be told apart from others.
            Make it at random for each process and keep it nowhere.
    """

    def __init__(self, metrics: Counts | None = None, hash_key: bytes | None = None) -> None:
        self._metrics = metrics
        self._hash_key = hash_key[: hashlib.blake2s.MAX_KEY_SIZE] if hash_key else None
        self._keys: dict[str, Key | None] = {}
        self._shapes = Shapes(lambda text: not find(text, self.key))
        self.harmless: set[str] = set()

    def text(self, text: str) -> str:
        """The text, its private spans replaced. Never raises."""
        try:
            return self.read(text)
        except Exception:  # noqa: BLE001 - whatever went wrong, the text must not leave unread
            return DROPPED

    def record(self, record: Mapping[Any, Any]) -> dict[str, Any]:
        """A mapping as a new dictionary, scrubbed by key and by value. Never raises."""
        scrubbed = self.value(record)
        return scrubbed if isinstance(scrubbed, dict) else {}

    def value(self, value: Any) -> Any:
        """Any value in its own shape, scrubbed; the caller's is left alone. Never raises."""
        try:
            if type(value) is str:
                return self.read(value)
            if type(value) is dict and self._is_plain(value):
                return value.copy()
            return Walk(self).value(value, None, "")
        except Exception:  # noqa: BLE001 - see text()
            return DROPPED

    def key(self, name: str) -> Key | None:
        """What a key of this name holds."""
        try:
            return self._keys[name]
        except KeyError:
            found = classify(name)
            if len(name) <= 64:
                if len(self._keys) >= _REMEMBERED:
                    self._keys.clear()
                self._keys[name] = found
            return found

    def name(self, name: str) -> str:
        """A key that holds nothing private, without what is private in its own name."""
        shown = self.read(name)
        if shown == name and len(name) <= 64 and name != "value":
            if len(self.harmless) >= _REMEMBERED:
                self.harmless.clear()
            self.harmless.add(name)
        return shown

    def named(self, kind: str, private: str) -> str:
        """The replacement of a private value, counted."""
        if self._metrics is not None:
            self._metrics.record_redaction(kind)
        if self._hash_key is None:
            return f"[{kind}]"
        octets = private.encode("utf-8", "surrogatepass")
        return f"[{kind}:{hashlib.blake2s(octets, digest_size=3, key=self._hash_key).hexdigest()}]"

    def read(self, text: str, *, versioned: bool = False) -> str:
        """The text, its private spans replaced.

        Args:
            text: of any length; what is beyond :data:`LONGEST` is dropped.
            versioned: it stands under a key that vouches for it: ``1.2.3.4`` is no address.
        """
        size = len(text)
        if size < 15 and (text.isidentifier() or is_word(text)):
            return text
        tail, octets, shape = "", b"", 0
        if size <= LONGEST_SHAPE and text.isascii():
            if size in ID_SIZES and is_id(text):
                return text
            octets = text.encode().translate(DIGITS)
            shape = hash(octets)
            if shape in self._shapes.harmless:
                return text
        elif size > LONGEST:
            cut = max(text.rfind(mark, LONGEST - _CUT, LONGEST) for mark in " \n,")
            text, tail = text[: cut if cut > 0 else LONGEST - _CUT], DROPPED
        spans = find(text, self.key, versioned=versioned)
        if spans:
            return replaced(text, spans, self.named) + tail
        if octets and not versioned:
            self._shapes.vouch(shape, octets)
        return text + tail

    def _is_plain(self, record: dict[Any, Any]) -> bool:
        """Whether a flat record is seen at a glance to hold nothing private: its keys were read before, its
        texts are words, identifiers or of harmless shape, its numbers too small for a card."""
        if not self.harmless.issuperset(record):
            return False
        shapes = self._shapes.harmless
        for item in record.values():
            kind = type(item)
            if kind is str:
                size = len(item)
                if size < 15 and (item.isidentifier() or is_word(item)):
                    continue
                if size > LONGEST_SHAPE or not item.isascii():
                    return False
                if size in ID_SIZES and is_id(item):
                    continue
                if hash(item.encode().translate(DIGITS)) not in shapes:
                    return False
            elif kind is int:
                if item >= SMALLEST_CARD:
                    return False
            elif kind is not float and kind is not bool and item is not None:
                return False
        return True
