"""Parsing of JSON from clients, with limits on the number of values and on nesting."""

from __future__ import annotations

from typing import Any

from tallow.app.bounded_json import BadJsonError, parse_bounded


def parse_json(data: bytes | str, max_depth: int, max_values: int) -> Any:
    """The value of JSON data.

    Args:
        max_depth: nested arrays and objects.
        max_values: values in all; they are counted before any is parsed.

    Raises:
        BadJsonError: ``data`` is not JSON, nested deeper, or has more values.

    >>> parse_json('{"a": [1]}', max_depth=2, max_values=10)
    {'a': [1]}
    """
    value = parse_bounded(data, max_values)
    if _is_deeper(value, max_depth):
        raise BadJsonError(f"nested deeper than {max_depth} levels")
    return value


def _is_deeper(value: object, limit: int) -> bool:
    level: list[object] = [value]
    for _ in range(limit):
        next_level: list[object] = []
        for item in level:
            if isinstance(item, dict):
                next_level.extend(item.values())
            elif isinstance(item, list):
                next_level.extend(item)
        if not next_level:
            return False
        level = next_level
    return any(isinstance(item, dict | list) for item in level)
