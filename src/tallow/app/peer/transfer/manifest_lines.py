"""The encoding of a manifest: one JSON object a line.

A line is parsed by itself and has a bounded length. Whatever shape a hostile manifest has, it costs time
linear in its bytes, and little more memory than its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from tallow.app.bounded_json import BadJsonError, parse_bounded
from tallow.app.crypto.errors import MalformedError
from tallow.app.files.attributes import PERMISSIONS, Attributes

MAX_LINE: Final = 32 * 1024
"""Bytes of one line: a name of 4,096 characters, escaped."""
MAX_LINE_VALUES: Final = 16
"""Values of a line in all."""
MAX_NAME: Final = 4096
MAX_TARGET: Final = 4096
MAX_SIZE: Final = 2**53
"""The largest integer that every JSON implementation represents exactly."""

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_TIME: Final = re.compile(r"(-?\d{1,12})\.(\d{9})")


def encode_lines(entries: Iterator[Mapping[str, Any]]) -> bytes:
    """Encode entries, each as one line."""
    return b"".join(orjson.dumps(entry) + b"\n" for entry in entries)


def decode_lines(document: bytes) -> Iterator[dict[str, Any]]:
    """The entries of a document.

    Raises:
        MalformedError: a line is too long or not a JSON object.
    """
    at = 0
    while at < len(document):
        end = document.find(b"\n", at, at + MAX_LINE)
        if end < 0:
            raise MalformedError("a line of the manifest is too long or has no end")
        try:
            entry = parse_bounded(document[at:end], MAX_LINE_VALUES)
        except BadJsonError as error:
            raise MalformedError(f"a line of the manifest is {error}") from None
        if not isinstance(entry, dict):
            raise MalformedError("a line of the manifest is not an object")
        yield entry
        at = end + 1


def attribute_fields(attributes: Attributes) -> dict[str, Any]:
    """The fields of attributes. The time is text, because JSON's numbers lose nanoseconds."""
    seconds, nanoseconds = divmod(attributes.modified_ns, 10**9)
    fields: dict[str, Any] = {"mode": attributes.mode, "modified": f"{seconds}.{nanoseconds:09}"}
    return fields | ({"sparse": True} if attributes.sparse else {})


def parse_attributes(fields: Mapping[str, Any]) -> Attributes | None:
    """The attributes in an entry; None if they are not valid, or there are other fields."""
    if not fields.keys() <= {"mode", "modified", "sparse"}:
        return None
    mode, modified, sparse = fields.get("mode"), fields.get("modified"), fields.get("sparse", False)
    found = _TIME.fullmatch(modified) if isinstance(modified, str) else None
    if type(mode) is not int or not 0 <= mode <= PERMISSIONS or found is None or type(sparse) is not bool:
        return None
    return Attributes(mode, int(found[1]) * 10**9 + int(found[2]), sparse)


def is_name(name: object, limit: int = MAX_NAME) -> bool:
    """Whether this is a text of an accepted length."""
    return isinstance(name, str) and 0 < len(name) <= limit


def is_count(number: object, most: int) -> bool:
    """Whether this is a whole number from 0 to ``most``."""
    return type(number) is int and 0 <= number <= most


def is_digest(text: object) -> bool:
    """Whether this is a SHA-256 in hexadecimal."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None
