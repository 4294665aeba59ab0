"""Which part of a record is the name of which other: pairs, ``{"name": …, "value": …}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

VALUES: Final = frozenset(
    {"value", "Value", "val", "parameter_value", "ParameterValue", "stringValue", "secretValue"}
)
"""What the values of named things are called: of headers, cookies, fields, variables, parameters."""
_LABELS: Final = (
    "name", "key", "Name", "Key", "header", "field", "parameter", "ParameterKey", "variable", "label",
)  # fmt: skip
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
