"""One walk through one record: any shape a caller may hand in, bounded work, the caller's data unchanged."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import ipaddress
import itertools
import uuid
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from tallow.monitoring.privacy import commands
from tallow.monitoring.privacy.keys import Key
from tallow.monitoring.privacy.models import fields_of
from tallow.monitoring.privacy.naming import (
    VALUES,
    all_text,
    inherited,
    is_counted,
    is_login,
    is_pair,
    label_of,
    text_of,
)
from tallow.monitoring.privacy.reader import Reader
from tallow.monitoring.privacy.validators import is_card
from tallow.monitoring.privacy.values import SCHEME, is_private

DROPPED: Final = "[dropped]"
"""Stands for what could not be scrubbed, or would have cost too much."""
CYCLE: Final = "[cycle]"
"""Stands for a container inside itself."""
DEEPEST: Final = 40
MOST: Final = 20_000
"""Values of one record that are read; the rest is dropped."""
SMALLEST_CARD: Final = 4 * 10**12
"""No payment card's number is smaller: those of 13 digits begin with a 4. Unix times in milliseconds are."""
OCTETS: Final = 262_144
"""Bytes of one value that are read."""

_SAFE: Final = (complex, dt.date, dt.time, dt.timedelta, uuid.UUID)
_LOGIN: Final = Key("credential", "any")
_CONTAINERS: Final = frozenset({dict, list, tuple})
_PLAIN: Final = frozenset("/@:{}<>()")
"""What no plain name of a field holds."""


class Walk:
    """Reads one value, with all there is in it. Raises only on what a caller's own types do."""

    __slots__ = ("_above", "_left", "_reader")

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._above: set[int] = set()
        self._left = MOST

    def value(self, value: Any, key: Key | None, name: str) -> Any:  # noqa: PLR0911 - one a shape
        """The value in its own shape, standing under ``key`` (called ``name``)."""
        self._left -= 1
        if self._left < 0:
            return DROPPED
        kind = type(value)
        if kind is str:
            return self._string(value, key, name)
        if kind is int or kind is float:
            return self._number(value, key, name)
        if value is None or kind is bool:
            return value
        if kind is dict or kind is list or kind is tuple:
            return self._nested(value, key, name)
        try:
            return self._other(value, key, name)
        except Exception:  # noqa: BLE001 - a caller's own type failed: this value is dropped, the rest is kept
            return DROPPED

    def _string(self, text: str, key: Key | None, name: str) -> str:
        if key is None:
            return self._reader.read(text)
        if not key.kind:
            return self._reader.read(text, versioned=key.trust == "vouched")
        if not is_private(key, text, name):
            return self._reader.read(text)
        scheme = SCHEME.match(text) if key.kind == "credential" else None
        if scheme:
            return scheme[0] + self._reader.named(key.kind, text[scheme.end() :])
        return self._reader.named(key.kind, text)

    def _number(self, value: Any, key: Key | None, name: str) -> Any:
        if key is not None and key.kind and is_private(key, str(value), name):
            return self._reader.named(key.kind, str(value))
        if (
            type(value) is int
            and SMALLEST_CARD <= value < 10**19
            and is_card(str(value))
            and not is_counted(name)
        ):
            return self._reader.named("card", str(value))
        return value

    def _nested(self, value: Any, key: Key | None, name: str) -> Any:
        identity = id(value)
        if identity in self._above:
            return CYCLE
        if len(self._above) >= DEEPEST:
            return DROPPED
        self._above.add(identity)
        try:
            if isinstance(value, Mapping):
                return self._mapping(value, key, name)
            if isinstance(value, list):
                return self._items(value, key, name)
            if isinstance(value, tuple):
                return self._tuple(value, key, name)
            return self._set(value, key, name)
        finally:
            self._above.discard(identity)

    def _mapping(self, mapping: Mapping[Any, Any], outer: Key | None, outer_name: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        self._left -= len(mapping)
        if self._left < 0:
            mapping = dict(itertools.islice(mapping.items(), max(0, len(mapping) + self._left)))
            result[DROPPED] = DROPPED
        harmless, read = self._reader.harmless, self._reader.read
        label = None if VALUES.isdisjoint(mapping) else label_of(mapping)
        for name, item in mapping.items():
            if outer is not None or name not in harmless or name in VALUES:
                self._pair(name, item, label, outer, outer_name, result)
                continue
            kind = type(item)
            if kind is str:
                result[name] = read(item)
            elif item is None or kind is float or kind is bool or (kind is int and item < SMALLEST_CARD):
                result[name] = item
            else:
                result[name] = self.value(item, None, name)
        return result

    def _pair(
        self, raw: Any, item: Any, label: Any, outer: Key | None, outer_name: str, result: dict[str, Any]
    ) -> None:
        """Add what is not plainly harmless: a private key, one not seen before, one inside a private one."""
        reader = self._reader
        name = raw if type(raw) is str else str(self.value(raw, None, ""))
        key = reader.key(name)
        if key is not None and type(item) in _CONTAINERS and not _PLAIN.isdisjoint(name):
            key = None  # a path, a route, an address: it says nothing about what is under it
        shown = name if key is not None else reader.read(name) if name in VALUES else reader.name(name)
        while shown in result:
            shown += "'"
        if key is not None:
            result[shown] = self.value(item, key, name)
        elif name in VALUES and isinstance(label, str) and (key := reader.key(label)):
            result[shown] = self.value(item, key, label)
        elif outer is not None:
            result[shown] = self.value(item, inherited(outer, name), outer_name)
        else:
            result[shown] = self.value(item, None, name)

    def _items(self, items: Iterable[Any], key: Key | None, name: str) -> list[Any]:
        """The items of a list; one that is an option of a command speaks for the next."""
        result: list[Any] = []
        if name == "auth" and is_login(items):
            key = _LOGIN
        if key is None and type(items) is list:
            if is_pair(items) and (inner := self._reader.key(text_of(items[0]))):
                return [items[0], self.value(items[1], inner, text_of(items[0]))]
            if name.lower().endswith("headers") and len(items) % 2 == 0 and all_text(items):
                return self._flat(items)
            if any(type(item) is str and item[:1] == "-" for item in items):
                items = commands.without_passwords(items, self._reader.named)
        option: Key | None = None
        for item in items:
            if self._left <= 0:
                result.append(DROPPED)
                break
            result.append(self.value(item, option or key, name))
            is_option = type(item) is str and item[:1] == "-" and "=" not in item and "[" not in item
            option = self._reader.key(item.strip("-")) if is_option else None
        return result

    def _flat(self, items: list[Any]) -> list[Any]:
        """Names and values in turn, as Node keeps its ``rawHeaders``."""
        keys = [None if place % 2 == 0 else self._reader.key(items[place - 1]) for place in range(len(items))]
        return [
            self.value(item, key, items[place - 1])
            for place, (item, key) in enumerate(zip(items, keys, strict=True))
        ]

    def _tuple(self, value: tuple[Any, ...], key: Key | None, name: str) -> tuple[Any, ...]:
        fields = getattr(value, "_fields", None)
        if fields is not None and len(fields) == len(value):
            pairs = zip(fields, value, strict=True)
            return tuple(self.value(item, self._reader.key(field), field) for field, item in pairs)
        if len(value) == 2 and key is None:
            first = text_of(value[0])
            inner = self._reader.key(first) if first else None
            if inner is not None:
                return value[0], self.value(value[1], inner, first)
        return tuple(self._items(value, key, name))

    def _set(self, value: AbstractSet[Any], key: Key | None, name: str) -> Any:
        items = self._items(value, key, name)
        try:
            return frozenset(items) if isinstance(value, frozenset) else set(items)
        except TypeError:
            return items

    def _other(self, value: Any, key: Key | None, name: str) -> Any:  # noqa: PLR0911 - one a shape
        """Everything that is not of JSON's own types."""
        if isinstance(value, enum.Enum):
            shown = self.value(value.value, key, name)
            return value if shown == value.value else shown
        if isinstance(value, str):
            return self._string(str.__str__(value), key, name)
        if isinstance(value, int | float | decimal.Decimal):
            return self._number(value, key, name)
        if isinstance(value, _SAFE):
            return self._string(str(value), key, name) if key is not None and key.trust == "any" else value
        fields = fields_of(value)
        if fields is not None or isinstance(value, Mapping | list | tuple | AbstractSet):
            return self._nested(value if fields is None else fields, key, name)
        if isinstance(value, bytes | bytearray | memoryview):
            return self._bytes(bytes(value[:OCTETS]), key, name)
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
            return self._string(value.decode("latin-1"), key, name).encode("latin-1", "replace")
