"""One walk through one record: any shape a caller may hand in, bounded work, the caller's data unchanged."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from tallow.monitoring.privacy import json_values, name_value
from tallow.monitoring.privacy.keys import is_private
from tallow.monitoring.privacy.model import DROPPED, Key
from tallow.monitoring.privacy.validators import is_card

CYCLE: Final = "[cycle]"
"""Stands for a container inside itself."""
DEEPEST: Final = 40
MOST: Final = 20_000
"""Values of one record that are read; the rest is dropped."""
SMALLEST_CARD: Final = 4 * 10**12
"""No payment card's number is smaller: those of 13 digits begin with a 4. Unix times in milliseconds are."""
PASSING: Final = frozenset({type(None), bool, float})
"""Types whose values pass under a harmless key."""
_NUMBERS: Final = frozenset({int, float})
_CONTAINERS: Final = frozenset({dict, list, tuple})
_PATH: Final = frozenset("/@:{}<>()")
"""What no name of a field holds: a path, a route or an address says nothing about what is under it."""


class ScrubContext(Protocol):
    """What a walk asks of its scrubber.

    Attributes:
        harmless: names of keys read before: nothing private in them nor, for all they say, under them.
    """

    harmless: set[str]

    def key(self, name: str) -> Key | None:
        """What a key of this name holds."""

    def name(self, name: str, key: Key | None) -> str:
        """The name of a key, scrubbed like a text."""

    def masked(self, kind: str, rule: str, start: int = 0, end: int = 0) -> str:
        """The marker of a kind."""

    def read(self, text: str) -> str:
        """The text, its private spans replaced."""

    def is_marker(self, text: str) -> bool:
        """Whether a text is the marker of a replaced value."""

    def arguments(self, items: list[str]) -> dict[int, str]:
        """The scrubbed arguments of a command by position; arguments without secrets are left out."""


class Walk:
    """Scrubs one value and everything in it. Raises only what a type of the caller raises."""

    __slots__ = ("_above", "_left", "_reader")

    def __init__(self, reader: ScrubContext) -> None:
        self._reader = reader
        self._above: set[int] = set()
        self._left = MOST

    def value(self, value: Any, key: Key | None, step: object = None) -> Any:  # noqa: PLR0911 - one a type
        """The value, scrubbed, in the same shape. ``step`` is its name or index in its container."""
        self._left -= 1
        if self._left < 0:
            return DROPPED
        kind = type(value)
        if kind is str:
            return self._string(value, key)
        if kind in _NUMBERS:
            return self._number(value, key)
        if kind in PASSING:
            return value
        if kind in _CONTAINERS:
            return self._nested(value, key)
        try:
            return self._other(value, key)
        except Exception:  # noqa: BLE001 - a caller's own type failed: this value is dropped, the rest is kept
            return DROPPED

    def _string(self, text: str, key: Key | None) -> str:
        if key is None:
            return self._reader.read(text)
        if not key.kind:
            return text if key.check and json_values.passes(key, text) else self._reader.read(text)
        if text == "" or self._reader.is_marker(text):
            return text
        return self._reader.masked(key.kind, key.id) if is_private(key, text) else self._reader.read(text)

    def _number(self, value: Any, key: Key | None) -> Any:
        if key is not None:
            if key.kind:
                return self._reader.masked(key.kind, key.id) if is_private(key, str(value)) else value
            return value
        if type(value) is int and SMALLEST_CARD <= value < 10**19 and is_card(str(value)):
            return self._reader.masked("card", "card")
        return value

    def _nested(self, value: Any, key: Key | None) -> Any:
        identity = id(value)
        if identity in self._above:
            return CYCLE
        if len(self._above) >= DEEPEST:
            return DROPPED
        self._above.add(identity)
        try:
            if isinstance(value, Mapping):
                return self._mapping(value, key)
            if isinstance(value, list | tuple):
                return self._items(value, key)
            return self._set(value, key)
        finally:
            self._above.discard(identity)

    def _mapping(self, mapping: Mapping[Any, Any], outer: Key | None) -> dict[str, Any]:
        result: dict[str, Any] = {}
        self._left -= len(mapping)
        if self._left < 0:
            mapping = dict(itertools.islice(mapping.items(), max(0, len(mapping) + self._left)))
            result[DROPPED] = DROPPED
        named = None if outer is not None else self._label(mapping)
        plainly = outer is None and named is None
        for name, item in mapping.items():
            if plainly and name in self._reader.harmless:
                result[name] = self._harmless(name, item)
            else:
                self._pair(name, item, named, outer, result)
        return result

    def _harmless(self, name: str, item: Any) -> Any:
        """The value of a key that is known to be neither secret nor personal."""
        kind = type(item)
        if kind is str:
            return self._reader.read(item)
        if kind in PASSING or (kind is int and item < SMALLEST_CARD):
            return item
        return self.value(item, None, name)

    def _label(self, mapping: Mapping[Any, Any]) -> Key | None:
        """The key that a mapping's own label names, for its values."""
        label = name_value.label(mapping)
        return None if label is None else self._reader.key(label)

    def _pair(
        self, raw: Any, item: Any, named: Key | None, outer: Key | None, result: dict[str, Any]
    ) -> None:
        """Add an item whose key is in the table, was not seen before, or is inside a private container."""
        name = raw if type(raw) is str else json_values.name(raw)
        key = self._reader.key(name)
        if key is not None and not _PATH.isdisjoint(name) and type(item) is not str:
            key = None
        shown = name if key is not None and key.kind else self._reader.name(name, key)
        if shown in result:
            shown = _free(shown, result)
        key = _governing(name, key, named, outer)
        if key is None and name_value.is_flat_headers(name, item):
            result[shown] = self._flat(item)
        else:
            result[shown] = self.value(item, key, shown)

    def _flat(self, items: list[str]) -> list[Any]:
        """Names and values of headers in turn."""
        result: list[Any] = []
        for name, item in zip(items[::2], items[1::2], strict=True):
            result += (name, self.value(item, self._reader.key(name), name))
        return result

    def _items(self, items: list[Any] | tuple[Any, ...], key: Key | None) -> Any:
        """A list or a tuple: a pair, a command's arguments, the headers of a request, or just items."""
        self._left -= len(items)
        if self._left < 0:
            items = [*items[: max(0, len(items) + self._left)], DROPPED]
        if key is not None and not key.kind and key.check == "number":
            key = None
        if key is not None:
            result = [self.value(item, key, number) for number, item in enumerate(items)]
        else:
            result = self._fields(items) or self._unnamed(items)
        return result if type(items) is list else _like(items, result)

    def _fields(self, items: list[Any] | tuple[Any, ...]) -> list[Any]:
        """The items of a named tuple, each under its field's name; nothing if it is none."""
        fields = getattr(items, "_fields", None) if type(items) is not list else None
        if not fields or len(fields) != len(items):
            return []
        pairs = zip(fields, items, strict=True)
        return [self.value(item, self._reader.key(str(name)), name) for name, item in pairs]

    def _unnamed(self, items: list[Any] | tuple[Any, ...]) -> list[Any]:
        """Items under no key: a tuple may be a pair, a list the arguments of a command."""
        pair = self._pair_in(items) if type(items) is tuple and len(items) == 2 else None
        if pair is not None:
            return pair
        return self._arguments(items) if name_value.has_options(items) else self._plain_items(items)

    def _plain_items(self, items: Iterable[Any]) -> list[Any]:
        result: list[Any] = []
        for number, item in enumerate(items):
            pair = self._pair_in(item) if type(item) is list or type(item) is tuple else None
            if pair is None:
                result.append(self.value(item, None, number))
            else:
                result.append(pair if type(item) is list else tuple(pair))
        return result

    def _pair_in(self, item: list[Any] | tuple[Any, ...]) -> list[Any] | None:
        """A name and what it names, if the name is known to the table."""
        name = name_value.name_of(item)
        key = None if name is None else self._reader.key(name)
        if name is None or key is None:
            return None
        return [name, *(self.value(part, key, number) for number, part in enumerate(item[1:], 1))]

    def _arguments(self, items: Iterable[Any]) -> list[Any]:
        """The arguments of a command: an option names the argument after it."""
        texts = [item if type(item) is str else "" for item in items]
        replaced = self._reader.arguments(texts)
        result: list[Any] = []
        option: Key | None = None
        for number, item in enumerate(items):
            if option is not None and type(item) is str:
                result.append(self.value(item, option, number))
            elif number in replaced:
                result.append(replaced[number])
            else:
                result.append(self.value(item, None, number))
            option = self._reader.key(item) if name_value.is_option(item) else None
        return result

    def _set(self, items: Iterable[Any], key: Key | None) -> Any:
        result: list[Any] = []
        for item in items:
            if self._left <= 0:
                result.append(DROPPED)
                break
            result.append(self.value(item, key))
        try:
            return frozenset(result) if isinstance(items, frozenset) else set(result)
        except TypeError:
            return result

    def _other(self, value: Any, key: Key | None) -> Any:
        """A value of any other type: by its fields, by its base type, or as text."""
        inner, container = json_values.inner(value)
        if container:
            return self._nested(inner, key)
        if type(inner) is str:
            return self._string(inner, key)
        if type(inner) is int or type(inner) is float:
            return self._number(inner, key)
        return self.value(inner, key)


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """A name that is not taken: two keys may look the same once they are scrubbed."""
    free, number = f"{name}'", len(taken)
    while free in taken:
        free, number = f"{name}'{number}", number + 1
    return free


def _governing(name: str, key: Key | None, named: Key | None, outer: Key | None) -> Key | None:
    """Which key decides: a secret one around the value, the label's, its own, a personal one around."""
    if outer is not None and outer.secret:
        return outer
    if named is not None and name_value.is_value(name):
        return named
    if key is None and outer is not None:
        return name_value.inherited(outer, name)
    return key


def _like(items: tuple[Any, ...] | list[Any], result: list[Any]) -> Any:
    """The items in their original type; a type that cannot be built from them becomes a tuple or list."""
    if type(items) is tuple:
        return tuple(result)
    if isinstance(items, tuple):
        try:
            return type(items)(*result) if hasattr(items, "_fields") else type(items)(result)
        except Exception:  # noqa: BLE001 - a caller's own type
            return tuple(result)
    return result
