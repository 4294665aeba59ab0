"""The scrubber: text or nested record in, the same shape out, nothing private left."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import hashlib
import ipaddress
import uuid
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final, Protocol

from tallow.monitoring.privacy.keys import Key, classify
from tallow.monitoring.privacy.spans import replaced
from tallow.monitoring.privacy.text import find
from tallow.monitoring.privacy.validators import is_card
from tallow.monitoring.privacy.values import is_private

DROPPED: Final = "[dropped]"
"""Stands for what could not be scrubbed, or would have cost too much."""
CYCLE: Final = "[cycle]"
LONGEST: Final = 262_144
"""Characters of one text that are read; the rest is dropped."""
DEEPEST: Final = 40
MOST: Final = 20_000
"""Values of one record that are read; the rest is dropped."""
_REMEMBERED: Final = 4096
_SAFE: Final = (float, complex, dt.date, dt.time, dt.timedelta, uuid.UUID, enum.Enum)


class Counts(Protocol):
    """Counts redactions: :class:`tallow.monitoring.metrics.Metrics` does."""

    def record_redaction(self, kind: str, count: int = 1) -> None:
        """``count`` values of a kind were replaced."""


class Scrubber:
    """Replaces private values by their kind: ``[email]``. Safe to share between threads.

    Args:
        metrics: told of each redaction; None counts nowhere.
        hash_key: adds a keyed hash, ``[email:1f0c3a]``, so that equal values can be told apart from others.
            Make it at random for each process and keep it nowhere.
    """

    def __init__(self, metrics: Counts | None = None, hash_key: bytes | None = None) -> None:
        self._metrics = metrics
        self._hash_key = hash_key[:64] if hash_key else None
        self._clean: set[str] = set()
        self._keys: dict[str, Key | None] = {}

    def text(self, text: str) -> str:
        """The text, its private spans replaced. Never raises."""
        try:
            return self._text(text)
        except Exception:  # noqa: BLE001 - whatever went wrong, the text must not leave unread
            return DROPPED

    def record(self, record: Mapping[Any, Any]) -> dict[str, Any]:
        """A mapping as a new dictionary, scrubbed by key and by value. Never raises."""
        scrubbed = self.value(record)
        return scrubbed if isinstance(scrubbed, dict) else {}

    def value(self, value: Any) -> Any:
        """Any value in its own shape, scrubbed; the caller's is left alone. Never raises."""
        try:
            return _Walk(self).value(value, None, "")
        except Exception:  # noqa: BLE001 - see text()
            return DROPPED

    def key(self, name: str) -> Key | None:
        """What a key of this name holds."""
        try:
            return self._keys[name]
        except KeyError:
            if len(self._keys) >= _REMEMBERED:
                self._keys.clear()
            found = self._keys[name] = classify(name)
            return found

    def named(self, kind: str, private: str) -> str:
        """The replacement of a private value, counted."""
        if self._metrics is not None:
            self._metrics.record_redaction(kind)
        if self._hash_key is None:
            return f"[{kind}]"
        octets = private.encode("utf-8", "surrogatepass")
        return f"[{kind}:{hashlib.blake2s(octets, digest_size=3, key=self._hash_key[:32]).hexdigest()}]"

    def _text(self, text: str, *, versioned: bool = False) -> str:
        if text in self._clean:
            return text
        tail = ""
        if len(text) > LONGEST:
            cut = max(text.rfind(mark, LONGEST - 4096, LONGEST) for mark in " \n,")
            text, tail = text[: cut if cut > 0 else LONGEST - 4096], DROPPED
        spans = find(text, self.key, versioned=versioned)
        if spans:
            return replaced(text, spans, self.named) + tail
        if len(text) <= 64 and not versioned:
            if len(self._clean) >= _REMEMBERED:
                self._clean.clear()
            self._clean.add(text)
        return text + tail


class _Walk:
    """One walk through one record."""

    __slots__ = ("_above", "_left", "_scrubber")

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber
        self._above: set[int] = set()
        self._left = MOST

    def value(self, value: Any, key: Key | None, name: str) -> Any:
        self._left -= 1
        if self._left < 0:
            return DROPPED
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return self._string(str(value), key, name)
        if isinstance(value, int | float | decimal.Decimal):
            return self._number(value, key, name)
        if isinstance(value, Mapping | list | tuple | AbstractSet) or dataclasses.is_dataclass(value):
            return self._nested(value, key, name)
        return self._odd(value, key, name)

    def _string(self, text: str, key: Key | None, name: str) -> str:
        if key is not None and key.kind and is_private(key, text, name):
            return self._scrubber.named(key.kind, text)
        return self._scrubber._text(text, versioned=key is not None and not key.kind)

    def _number(self, value: Any, key: Key | None, name: str) -> Any:
        if isinstance(value, enum.Enum):
            return value
        if key is not None and key.kind and is_private(key, str(value), name):
            return self._scrubber.named(key.kind, str(value))
        if type(value) is int and 10**12 <= value < 10**19 and is_card(str(value)):
            lowered = name.lower()
            if not lowered.endswith(("id", "_ns", "time", "timestamp", "bytes", "size", "count", "offset")):
                return self._scrubber.named("card", str(value))
        return value

    def _nested(self, value: Any, key: Key | None, name: str) -> Any:  # noqa: PLR0911 - one a shape
        if id(value) in self._above:
            return CYCLE
        if len(self._above) >= DEEPEST:
            return DROPPED
        self._above.add(id(value))
        try:
            if dataclasses.is_dataclass(value) and not isinstance(value, type):
                value = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
            if isinstance(value, Mapping):
                return self._mapping(value, key, name)
            if isinstance(value, list):
                return [self.value(item, key, name) for item in value[: self._left + 1]]
            if isinstance(value, tuple):
                return self._tuple(value, key, name)
            if isinstance(value, AbstractSet):
                return {self.value(item, key, name) for item in value}
            return self._odd(value, key, name)
        finally:
            self._above.discard(id(value))

    def _tuple(self, value: tuple[Any, ...], key: Key | None, name: str) -> tuple[Any, ...]:
        if len(value) == 2 and isinstance(value[0], str | bytes) and key is None:
            first = value[0] if isinstance(value[0], str) else value[0].decode("latin-1")
            inner = self._scrubber.key(first)
            if inner is not None:
                return value[0], self.value(value[1], inner, first)
        return tuple(self.value(item, key, name) for item in value[: self._left + 1])

    def _mapping(self, mapping: Mapping[Any, Any], outer: Key | None, outer_name: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        scrubber = self._scrubber
        label = mapping.get("name", mapping.get("key")) if "value" in mapping else None
        for raw, item in mapping.items():
            if self._left <= 0:
                result[DROPPED] = DROPPED
                break
            name = raw if isinstance(raw, str) else str(self.value(raw, None, ""))
            inner = scrubber.key(name)
            if name == "value" and isinstance(label, str):
                inner = scrubber.key(label) or inner
            shown = name if inner is not None else scrubber._text(name)
            while shown in result:
                shown += "'"
            if inner is None and outer is not None and outer.trust != "random":
                result[shown] = self.value(item, outer, outer_name)
            else:
                result[shown] = self.value(item, inner, name)
        return result

    def _odd(self, value: Any, key: Key | None, name: str) -> Any:
        if isinstance(value, _SAFE):
            return value
        if isinstance(value, bytes | bytearray | memoryview):
            return self._bytes(bytes(value[:LONGEST]), key, name)
        if isinstance(value, ipaddress.IPv4Address | ipaddress.IPv6Address):
            return self._string(str(value), key, name)
        if isinstance(value, BaseException):
            return f"{type(value).__name__}: {self._string(str(value), key, name)}"
        if isinstance(value, type):
            return f"{value.__module__}.{value.__qualname__}"
        return self._string(str(value) if hasattr(value, "__fspath__") else repr(value), key, name)

    def _bytes(self, value: bytes, key: Key | None, name: str) -> bytes:
        try:
            return self._string(value.decode(), key, name).encode()
        except UnicodeDecodeError:
            return self._string(value.decode("latin-1"), key, name).encode("latin-1")
