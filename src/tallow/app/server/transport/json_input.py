"""Parsing of JSON from clients, with a limit on nesting."""

from __future__ import annotations

from typing import Any

import orjson


class BadJsonError(Exception):
    """The data is not JSON, or is nested too deeply. The text is the problem, without the data."""


def parse_json(data: bytes | str, max_depth: int) -> Any:
    """The value of JSON data.

    Raises:
        BadJsonError: ``data`` is not JSON, or nested deeper than ``max_depth`` arrays and objects.

    >>> parse_json('{"a": [1]}', max_depth=2)
    {'a': [1]}
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise BadJsonError("not JSON") from None
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
