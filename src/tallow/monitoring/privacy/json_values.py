"""Values that JSON has no form for, as what one expects to read in a log."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import ipaddress
import uuid
from collections.abc import Callable, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from typing import Any, Final

from tallow.monitoring.privacy.checks import CHECKS
from tallow.monitoring.privacy.model import Key

_TEXT: Final = (uuid.UUID, decimal.Decimal, complex, ipaddress.IPv4Address, ipaddress.IPv6Address)
_DATES: Final = (dt.date, dt.time)
_OCTETS: Final = (bytes, bytearray, memoryview)
_LONGEST_NAME: Final = 400


def inner(value: Any) -> tuple[Any, bool]:
    """A value of any type as a value of a basic type, and whether it is a container.

    A number of :mod:`decimal`, a UUID, a date and a time become text, a duration its seconds, octets their
    number, a member of an enumeration its value, an object with fields a dictionary of them; what is of no
    known type becomes its ``repr``.
    """
    if isinstance(value, enum.Enum):
        return value.value, isinstance(value.value, dict | list | tuple | set | frozenset)
    fields = _fields(value)
    if fields is not None:
        return fields, True
    if isinstance(value, Mapping | list | tuple | AbstractSet):
        return value, True
    if isinstance(value, collections.deque | ValuesView):
        return list(value), True
    return _scalar(value), False


_FORMS: Final[tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...]] = (
    (str, str.__str__),
    (int, int),
    (float, float),
    (dt.timedelta, dt.timedelta.total_seconds),
    (_DATES, lambda value: value.isoformat()),
    (_OCTETS, lambda value: f"[{len(value)} bytes]"),
    (BaseException, lambda value: f"{type(value).__name__}: {value}"),
    (type, lambda value: f"{value.__module__}.{value.__qualname__}"),
    (_TEXT, str),
)
"""What is written in the place of a value of these types, the first that it is of."""


def _scalar(value: Any) -> Any:
    for types, form in _FORMS:
        if isinstance(value, types):
            return form(value)
    return str(value) if hasattr(value, "__fspath__") else repr(value)


def _fields(value: Any) -> dict[str, Any] | None:
    """The fields of a dataclass, a pydantic or an attrs model; None for any other value."""
    kind = type(value)
    if dataclasses.is_dataclass(kind):
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    if hasattr(kind, "__pydantic_fields__") or hasattr(kind, "model_fields"):
        return dict(vars(value))
    if hasattr(kind, "__attrs_attrs__"):
        return {field.name: getattr(value, field.name, None) for field in kind.__attrs_attrs__}
    return None


def name(raw: Any) -> str:
    """The name of a key of any type."""
    if isinstance(raw, bytes | bytearray):
        return bytes(raw[:_LONGEST_NAME]).decode("utf-8", "replace")
    if isinstance(raw, str):
        return str.__str__(raw)
    text = inner(raw)[0]
    return text if type(text) is str else repr(text)


def passes(key: Key, text: str) -> bool:
    """Whether the check of a key that holds nothing private takes a text for what it should be."""
    return key.check is not None and CHECKS[key.check][0](text)
