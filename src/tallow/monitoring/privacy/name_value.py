"""Names that stand beside their value: pairs, ``{"name": …, "value": …}``, audits, arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from tallow.monitoring.privacy.model import Key
from tallow.monitoring.privacy.words import words

_LABELS: Final = (
    *("name", "key", "field", "option", "header", "parameter", "param", "variable", "var", "attribute"),
    *("column", "property", "label", "title", "id", "k", "loc", "Name", "Key", "Field", "Label"),
    *("ParameterKey", "parameterKey", "parameter_name", "parameterName", "field_name", "fieldName", "attr"),
    *("setting", "question"),
)
"""Keys of a record under which the name of its value stands."""
_ANY_LABEL: Final = frozenset(_LABELS) | {"path"}
_VALUES: Final = words(
    """
    value val content data old new before after input v values oldvalue newvalue previous current from to
    default answer stringvalue parametervalue secretvalue previousvalue currentvalue originalvalue response
    inputvalue fieldvalue was is
    """
)
"""Keys of a record under which the value stands, in lower case without marks."""
_NAME: Final = re.compile(r"[\w][\w.\-\[\] ]{0,99}")
_OPTION: Final = re.compile(r"-[A-Za-z][\w.-]{0,98}|--\w[\w.\[\]-]{0,98}")
_PARTS: Final = frozenset({"name", "first", "last", "handle", "nick", "full", "value", "display"})
"""What a person or a file is called inside a record of its own."""
_BY_PART: Final = frozenset({"account-name", "file-name", "device"})


def label(mapping: Mapping[Any, Any]) -> str | None:
    """The name of a record's values, if the record holds it under a label such as ``name``."""
    if _ANY_LABEL.isdisjoint(mapping):
        return None
    if any(map(is_value, mapping)):
        for key in _LABELS:
            name = _name_under(key, mapping.get(key))
            if name is not None:
                return name
    path = mapping.get("path") if "op" in mapping else None  # JSON patch (RFC 6902)
    return path.rpartition("/")[2] if type(path) is str else None


def _name_under(key: str, name: Any) -> str | None:
    """The name that stands under a label; the location of an error is a list that ends with it."""
    if key == "loc" and isinstance(name, list | tuple):
        name = next((part for part in reversed(name) if type(part) is str), None)
    return name if type(name) is str and _NAME.fullmatch(name) else None


def is_value(name: Any) -> bool:
    """Whether the value of a record stands under this key."""
    return type(name) is str and name.lower().replace("_", "").replace("-", "") in _VALUES


def is_ordinary(name: str) -> bool:
    """Whether a key is neither the value of a name nor a list of headers."""
    return not is_value(name) and not name.lower().endswith("headers")


def name_of(item: Any) -> str | None:
    """The name that begins a pair (or a name, an old and a new value)."""
    if not 2 <= len(item) <= 3:
        return None
    first = item[0]
    name = first[:100].decode("latin-1") if type(first) is bytes else first
    return name if type(name) is str and _NAME.fullmatch(name) else None


def inherited(outer: Key, name: str) -> Key | None:
    """What an unknown name means inside a personal one: ``user.name``, ``files[].name``."""
    if not outer.kind or (outer.id in _BY_PART and name not in _PARTS):
        return None
    return outer


def is_option(item: Any) -> bool:
    """Whether an argument is an option whose value is the next argument."""
    return type(item) is str and _OPTION.fullmatch(item) is not None


def has_options(items: Any) -> bool:
    """Whether a list is the arguments of a command."""
    return any(type(item) is str and item[:1] == "-" for item in items)


def is_flat_headers(name: str, items: Any) -> bool:
    """Whether a list is names and values of headers in turn, as Node.js has them."""
    return (
        type(items) is list
        and name.lower().endswith("headers")
        and len(items) % 2 == 0
        and 0 < len(items) < 400
        and all(type(item) is str for item in items)
    )
