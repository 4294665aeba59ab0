"""Assert that the scrubber finds nothing private in what an application sends."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tallow.monitoring.privacy import Scrubber

_REPLACEMENT: Final = re.compile(r"\[[a-z_]+(?::[0-9a-f]{6})?\]")

_scrubber: Final = Scrubber()
"""Counts nothing: an assertion is not a redaction."""


def assert_nothing_private(*values: Any) -> None:
    """Fail if the scrubber would replace anything in the values.

    Args:
        values: text, bytes, dataclasses, or nested mappings and sequences: log records, events, bodies.

    Raises:
        AssertionError: names the place and the kind of private data, not the data.

    Example::

        >>> assert_nothing_private({"status": 200, "route": "/api/rooms/{id}"})
        >>> assert_nothing_private({"note": "from alice@example.org"})
        Traceback (most recent call last):
        AssertionError: private: note holds [email]
    """
    found = [place for value in values for place in _findings(_comparable(value), "")]
    if found:
        raise AssertionError(f"private: {'; '.join(found)}")


def _findings(value: Any, at: str) -> Iterator[str]:
    yield from _differences(value, _scrubber.value(value), at)


def _differences(before: Any, after: Any, at: str) -> Iterator[str]:
    """Yield where and how the scrubber changed a value. ``at`` is its place in the whole."""
    if _same_shape(before, after, Mapping):
        yield from _mapping_differences(before, after, at)
    elif _same_shape(before, after, (list, tuple)):
        for number, (item, scrubbed) in enumerate(zip(before, after, strict=True)):
            yield from _differences(item, scrubbed, f"{at}[{number}]")
    elif before != after and not _is_replacement(before):
        yield f"{at or 'the text'} holds {_replacement_kinds(after)}"


def _same_shape(before: Any, after: Any, kind: type[Any] | tuple[type[Any], ...]) -> bool:
    return isinstance(before, kind) and isinstance(after, kind) and len(before) == len(after)


def _mapping_differences(before: Mapping[Any, Any], after: Mapping[Any, Any], at: str) -> Iterator[str]:
    for (name, item), (scrubbed_name, scrubbed) in zip(before.items(), after.items(), strict=True):
        place = f"{at}.{scrubbed_name}".lstrip(".")
        if str(name) != scrubbed_name:
            yield f"the key {place}"
        yield from _differences(item, scrubbed, place)


def _is_replacement(value: Any) -> bool:
    """Whether a value is a replacement: under a private key it may be replaced by one of another kind."""
    return isinstance(value, str) and _REPLACEMENT.fullmatch(value) is not None


def _replacement_kinds(after: Any) -> str:
    return ", ".join(dict.fromkeys(_REPLACEMENT.findall(str(after)))) or "what cannot be scrubbed"


def _comparable(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value
