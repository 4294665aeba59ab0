"""Which part of a record is the name of which other: pairs, ``{"name": …, "value": …}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from tallow.monitoring.privacy.keys import Key
from tallow.monitoring.privacy.words import words

VALUES: Final = frozenset(
    {"value", "Value", "val", "parameter_value", "ParameterValue", "stringValue", "secretValue"}
)
"""What the values of named things are called: of headers, cookies, fields, variables, parameters."""
_LABELS: Final = (
    "name", "key", "Name", "Key", "header", "field", "parameter", "ParameterKey", "variable", "label",
)  # fmt: skip
_COUNTED: Final = tuple(
    words(
        """
        id ids ns time timestamp bytes size count offset sent received length total seq sequence nonce
        duration memory rss
        """
    )
)
"""Last words of keys whose long numbers are no cards, whatever their checksum says."""
_PERSONAL: Final = Key("user", "any")
_FILE: Final = Key("file_name", "any")
_NAMES: Final = frozenset({"name", "first", "last", "handle", "nick", "full", "value"})
_NAMED: Final = re.compile(r"[A-Za-z_][\w.-]{0,99}")


def label_of(mapping: Mapping[Any, Any]) -> Any:
    """What the value of a mapping is called, by the mapping itself."""
    return next((mapping[label] for label in _LABELS if label in mapping), None)


def is_pair(items: list[Any]) -> bool:
    """Whether a list is a name and its value, ``["X-Token", "…"]``, not two words."""
    if len(items) != 2 or not _NAMED.fullmatch(text_of(items[0])):
        return False
    second = text_of(items[1])
    if not (second.islower() and second.replace("-", "_").isidentifier()):
        return True
    return any(map(str.isdigit, second)) and len(second) > 11


def all_text(items: list[Any]) -> bool:
    """Whether a list, not a long one, is of texts only."""
    return len(items) < 400 and all(type(item) is str for item in items)


def text_of(value: Any) -> str:
    """A text, also in octets; empty if it is none."""
    if type(value) is str:
        return value
    return value[:100].decode("latin-1") if type(value) is bytes else ""


def inherited(outer: Key, name: str) -> Key | None:
    """What a harmless name means inside a private one: ``user.name``, ``files.name``."""
    if outer.trust in {"name", "file"}:
        if name not in _NAMES:
            return None
        return _PERSONAL if outer.trust == "name" else _FILE
    return None if outer.trust in {"random", "plain", "vouched"} else outer


def is_login(items: Any) -> bool:
    """Whether a list is a name and a password: two texts."""
    return len(items) == 2 and all(type(item) is str for item in items)


def is_counted(name: str) -> bool:
    """Whether a key of this name holds a count, a time or an identifier, however long."""
    return name.lower().endswith(_COUNTED)
