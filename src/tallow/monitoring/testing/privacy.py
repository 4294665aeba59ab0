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
    if isinstance(before, Mapping) and isinstance(after, Mapping) and len(before) == len(after):
        for (name, one), (shown, other) in zip(before.items(), after.items(), strict=True):
            place = f"{at}.{shown}".lstrip(".")
            if str(name) != shown:
                yield f"the key {place}"
            yield from _differences(one, other, place)
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _differences(one, other, f"{at}[{number}]")
    elif before != after and not _is_replacement(before):
        yield f"{at or 'the text'} holds {_replacement_kinds(after)}"


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
