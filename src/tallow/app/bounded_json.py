"""Parsing of JSON from strangers at a cost that depends on its bytes alone, whatever its shape.

A parser makes an object of each value: 16 MiB of ``[],`` become five million lists of 56 bytes each. The
values are counted before any is made.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

_SEPARATORS: Final = (b",", b"[", b"{")
"""Each value but the first follows one of them."""
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.?)*+(?:"|\Z)|[,\[{]', re.DOTALL)
"""A string, also one that does not end, or a separator. It fails at no position after reading ahead, so that
the search is linear."""


class BadJsonError(Exception):
    """The data is not JSON, or has too many values. The text is the problem, without the data."""


def parse_bounded(data: bytes | str, max_values: int) -> Any:
    """The value of JSON data.

    Args:
        data: bytes in UTF-8, or text.
        max_values: lists, objects, members and elements that it may have in all.

    Raises:
        BadJsonError: ``data`` is not JSON, or has more values.

    >>> parse_bounded(b'{"a": [1, 2]}', max_values=10)
    {'a': [1, 2]}
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")  # the parser refuses surrogates
    if has_more_values(data, max_values):
        raise BadJsonError(f"not accepted with more than {max_values} values")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise BadJsonError("not JSON") from None


def has_more_values(data: bytes, limit: int) -> bool:
    """Whether JSON data has more separators of values than ``limit``. Those in strings do not count."""
    if sum(map(data.count, _SEPARATORS)) <= limit:
        return False
    separators = 0
    for token in _TOKEN.finditer(data):
        if data[token.start()] != ord('"'):
            separators += 1
            if separators > limit:
                return True
    return False
